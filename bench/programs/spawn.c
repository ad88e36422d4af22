/*
 * Measures what it costs to answer a request with a process of its own.
 *
 *   spawn COUNT FIRST DISTINCT EXPECTED PROGRAM ARGUMENT...
 *
 * starts PROGRAM COUNT times, one after the other. In every argument and in EXPECTED the text {n}
 * stands for the number of the request, which counts from FIRST and starts again at 0 after
 * DISTINCT - 1. For each process it opens a pipe, calls posix_spawnp, reads EXPECTED from the pipe
 * and waits for the end, and prints two numbers in nanoseconds: until EXPECTED was read (until the
 * end of the output, where EXPECTED is empty), and until the process was waited for.
 *
 * Exit status: 0, or 1 with a message when a process could not be started, failed or printed
 * anything else than EXPECTED.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define MAXIMUM_OUTPUT 4096

struct durations {
    uint64_t response;
    uint64_t life;
};

static void fail(const char *what, int error) {
    fprintf(stderr, "spawn: %s: %s\n", what, strerror(error));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A copy of `text`, which the caller frees, with each {n} replaced by `number`. */
static char *substitute(const char *text, unsigned number) {
    char digits[16];
    int width = snprintf(digits, sizeof digits, "%u", number);
    char *result = malloc(strlen(text) * (size_t)(width > 3 ? width : 3) + 1);
    if (!result)
        fail("malloc", errno);
    char *out = result;
    for (const char *place; (place = strstr(text, "{n}")); text = place + 3) {
        memcpy(out, text, (size_t)(place - text));
        out += place - text;
        memcpy(out, digits, (size_t)width);
        out += width;
    }
    strcpy(out, text);
    return result;
}

/* Starts `arguments`, checks that it prints `expected` and succeeds, and measures both steps. */
static struct durations answer(char **arguments, const char *expected) {
    char output[MAXIMUM_OUTPUT];
    size_t wanted = strlen(expected), length = 0;
    struct durations durations = {0, 0};
    int ends[2], error, status;
    ssize_t got;
    pid_t child;
    posix_spawn_file_actions_t actions;

    uint64_t start = now();
    if (pipe2(ends, O_CLOEXEC))
        fail("pipe2", errno);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if ((error = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ)))
        fail(arguments[0], error);
    close(ends[1]);
    while ((got = read(ends[0], output + length, sizeof output - length)) > 0) {
        length += (size_t)got;
        if (wanted && length >= wanted && !durations.response)
            durations.response = now() - start;
    }
    if (got < 0)
        fail("read", errno);
    if (!durations.response)
        durations.response = now() - start;
    if (waitpid(child, &status, 0) != child)
        fail("waitpid", errno);
    durations.life = now() - start;
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "spawn: %s ended with status 0x%x\n", arguments[0], (unsigned)status);
        exit(1);
    }
    if (length != wanted || memcmp(output, expected, wanted)) {
        fprintf(stderr, "spawn: expected %s, got %.*s\n", expected, (int)length, output);
        exit(1);
    }
    return durations;
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: spawn COUNT FIRST DISTINCT EXPECTED PROGRAM ARGUMENT...\n");
        return 1;
    }
    unsigned count = (unsigned)strtoul(argv[1], NULL, 10);
    unsigned first = (unsigned)strtoul(argv[2], NULL, 10);
    unsigned distinct = (unsigned)strtoul(argv[3], NULL, 10);
    if (distinct == 0) {
        fprintf(stderr, "spawn: DISTINCT must be at least 1\n");
        return 1;
    }
    int words = argc - 5;
    char **arguments = calloc((size_t)words + 1, sizeof *arguments);
    if (!arguments)
        fail("calloc", errno);

    for (unsigned i = 0; i < count; i++) {
        unsigned number = (first + i) % distinct;
        char *expected = substitute(argv[4], number);
        for (int word = 0; word < words; word++)
            arguments[word] = substitute(argv[5 + word], number);
        struct durations durations = answer(arguments, expected);
        printf("%llu %llu\n", (unsigned long long)durations.response,
               (unsigned long long)durations.life);
        for (int word = 0; word < words; word++)
            free(arguments[word]);
        free(expected);
    }
    free(arguments);
    return 0;
}
