/* A command in the manner of CGI that does what its path names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

extern char **environ;

static int served;

static void say(const char *type) {
    printf("Content-Type: %s\n\n", type);
}

static void environment(int argc, char **argv) {
    say("text/plain");
    for (int i = 0; i < argc; i++) {
        printf("argument %s\n", argv[i]);
    }
    for (char **entry = environ; *entry != NULL; entry++) {
        printf("%s\n", *entry);
    }
}

static void echo(void) {
    say("application/octet-stream");
    static char buffer[10000];
    size_t count;
    while ((count = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
        fwrite(buffer, 1, count, stdout);
    }
}

static const char *told(int result) {
    return result < 0 ? strerror(errno) : "ok";
}

static void list(const char *path) {
    DIR *directory = opendir(path);
    printf("%s:", path);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        printf(" %s%s", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
    }
    printf("\n");
    closedir(directory);
}

static void files(void) {
    say("text/plain");
    char text[64] = "";
    FILE *file = fopen("/data/greeting.txt", "r");
    printf("packed: %s\n", file == NULL ? strerror(errno) : fgets(text, sizeof text, file));
    printf("to write there: %s\n", told(open("/data/greeting.txt", O_WRONLY)));
    printf("to create there: %s\n", told(open("/data/new", O_WRONLY | O_CREAT, 0600)));
    printf("to remove it: %s\n", told(unlink("/data/greeting.txt")));
    printf("to remove /tmp: %s\n", told(rmdir("/tmp")));
    printf("left from before: %s\n", told(access("/tmp/left", F_OK)));
    int left = open("/tmp/left", O_RDWR | O_CREAT | O_EXCL, 0600);
    printf("written: %zd %zd\n", write(left, "0123456789", 10), pwrite(left, "ab", 2, 4));
    printf("again: %s\n", told(open("/tmp/left", O_RDWR | O_CREAT | O_EXCL, 0600)));
    printf("at: %lld %lld\n", (long long)lseek(left, -3, SEEK_END), (long long)lseek(left, 0, SEEK_CUR));
    ssize_t got = pread(left, text, 10, 0);
    printf("read: %.*s\n", (int)got, text);
    struct stat status;
    printf("grown: %s", told(ftruncate(left, 9000)));
    fstat(left, &status);
    printf(" %lld, at its end %d\n", (long long)status.st_size, (int)pread(left, text, 1, 8999) + text[0]);
    mkdir("/tmp/folder", 0700);
    printf("into a folder: %s\n", told(rename("/tmp/left", "/tmp/folder/moved")));
    printf("a folder into itself: %s\n", told(rename("/tmp/folder", "/tmp/folder/folder")));
    printf("not empty: %s\n", told(rmdir("/tmp/folder")));
    printf("outside: %s\n", told(open("/../etc/passwd", O_RDONLY)));
    printf("no file: %s\n", told(open("/tmp/folder/moved/deeper", O_RDONLY)));
    list("/");
    list("/tmp");
    list("/tmp/folder");
    printf("unlinked while open: %s", told(unlink("/tmp/folder/moved")));
    printf(" %zd\n", pread(left, text, 3, 3));
    list("/tmp/folder");
}

static void clocks(void) {
    say("text/plain");
    struct timespec before, after, wall, pause = {.tv_nsec = 30000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    clock_gettime(CLOCK_REALTIME, &wall);
    const double slept = (after.tv_sec - before.tv_sec) * 1e3 + (after.tv_nsec - before.tv_nsec) / 1e6;
    /* The body is there also after a wait. */
    char body[16] = "";
    fgets(body, sizeof body, stdin);
    printf("%.3f %lld %s", slept, (long long)wall.tv_sec, body);
}

/* Addresses that are not, or not wholly, in the module's memory. */
static void pointers(void) {
    say("text/plain");
    const uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) * 65536;
    const uint32_t bad[] = {end, end - 1, UINT32_MAX, UINT32_MAX - 7};
    for (int i = 0; i < 4; i++) {
        void *at = (void *)bad[i];
        const __wasi_ciovec_t beyond = {at, 8}, large = {(void *)8, UINT32_MAX};
        __wasi_size_t count;
        printf("%d %d %d %d %d %d %d %d\n", __wasi_random_get(at, 8), __wasi_fd_write(1, at, 1, &count),
               __wasi_fd_write(1, &beyond, 1, &count), __wasi_fd_write(1, &large, 1, &count),
               __wasi_args_get(at, at), __wasi_fd_fdstat_get(3, at),
               __wasi_fd_readdir(3, at, 9, 0, &count), __wasi_poll_oneoff(at, at, 1, at));
    }
    printf("%d %d %d\n", __wasi_fd_write(77, NULL, 0, NULL), __wasi_fd_close(UINT32_MAX), __wasi_sock_shutdown(3, 0));
}

static int recurse(volatile int depth) {
    return depth == -1 ? 0 : recurse(depth + 1) + depth;
}

static void grow(void) {
    say("text/plain");
    const size_t before = __builtin_wasm_memory_size(0);
    size_t grown = 0;
    while (__builtin_wasm_memory_grow(0, 16) != SIZE_MAX) {
        memset((char *)((before + grown) * 65536), 1, 16 * 65536);
        grown += 16;
    }
    printf("%zu", (before + grown) / 16);
}

int main(int argc, char **argv) {
    const char *path = getenv("PATH_INFO");
    served++;
    if (strcmp(path, "/environment") == 0) environment(argc, argv);
    else if (strcmp(path, "/echo") == 0) echo();
    else if (strcmp(path, "/files") == 0) files();
    else if (strcmp(path, "/clocks") == 0) clocks();
    else if (strcmp(path, "/pointers") == 0) pointers();
    else if (strcmp(path, "/grow") == 0) grow();
    else if (strcmp(path, "/served") == 0) { say("text/plain"); printf("%d", served); }
    else if (strcmp(path, "/random") == 0) { say("text/plain"); unsigned char bytes[16]; getentropy(bytes, 16); for (int i = 0; i < 16; i++) printf("%02x", bytes[i]); }
    else if (strcmp(path, "/status") == 0) printf("Status: 418 I'm a teapot\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\nshort and stout");
    else if (strcmp(path, "/redirect") == 0) printf("Location: /elsewhere\n\n");
    else if (strcmp(path, "/silent") == 0) return 0;
    else if (strcmp(path, "/headless") == 0) printf("just text\n");
    else if (strcmp(path, "/broken") == 0) printf("no header at all\n\nbody");
    else if (strcmp(path, "/exit") == 0) { say("text/plain"); printf("never seen"); fprintf(stderr, "it went wrong\n"); exit(7); }
    else if (strcmp(path, "/large") == 0) { say("text/plain"); for (int i = 0; i < 100000; i++) printf("%09d\n", i); }
    else if (strcmp(path, "/late") == 0) { say("text/plain"); for (int i = 0; i < 100000; i++) printf("%09d\n", i); exit(3); }
    else if (strcmp(path, "/abort") == 0) abort();
    else if (strcmp(path, "/divide") == 0) { volatile int one = 1, zero = 0; printf("%d", one / zero); }
    else if (strcmp(path, "/beyond") == 0) { *(volatile int *)0xfffffff0u = 1; }
    else if (strcmp(path, "/recursion") == 0) printf("%d", recurse(0));
    else if (strcmp(path, "/loop") == 0) for (volatile int on = 1; on;) {}
    else printf("Status: 404\n\n");
    return 0;
}
