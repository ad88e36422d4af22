#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static void check_descriptors(void) {
    int file = open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file == 3);
    CHECK_FAILS(open("/tmp/a", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK(write(file, "0123456789", 10) == 10);
    CHECK(lseek(file, -3, SEEK_END) == 7);
    char text[16] = {0};
    CHECK(read(file, text, sizeof text) == 3 && strcmp(text, "789") == 0);
    CHECK(pread(file, text, 2, 4) == 2 && memcmp(text, "45", 2) == 0);
    CHECK(lseek(file, 0, SEEK_CUR) == 10);
    CHECK(pwrite(file, "AB", 2, 0) == 2);
    struct iovec parts[2] = {{text, 1}, {text + 8, 3}};
    CHECK(lseek(file, 0, SEEK_SET) == 0 && readv(file, parts, 2) == 4);
    CHECK(text[0] == 'A' && memcmp(text + 8, "B23", 3) == 0);
    int copy = dup(file);
    CHECK(copy == 4 && lseek(copy, 0, SEEK_CUR) == 4);
    CHECK(dup2(file, 10) == 10 && close(10) == 0 && close(copy) == 0);
    CHECK(fcntl(file, F_GETFL) == O_RDWR && fcntl(file, F_GETFD) == 0);
    CHECK(fcntl(file, F_SETFD, FD_CLOEXEC) == 0 && fcntl(file, F_GETFD) == FD_CLOEXEC);
    CHECK(ftruncate(file, 5) == 0);
    struct stat status;
    CHECK(fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 5);
    CHECK(unlink("/tmp/a") == 0 && access("/tmp/a", F_OK) == -1);
    CHECK(pread(file, text, 5, 0) == 5 && close(file) == 0);
    CHECK_FAILS(close(file), EBADF);
    CHECK_FAILS(read(-1, text, 1), EBADF);
    CHECK_FAILS(read(100000, text, 1), EBADF);
    CHECK_FAILS(lseek(0, 0, SEEK_SET), ESPIPE);
    CHECK_FAILS(write(0, "x", 1), EBADF);
    struct winsize size;
    CHECK_FAILS(ioctl(1, TIOCGWINSZ, &size), ENOTTY);
    for (int i = 0; i < 1000; i++) {
        file = open("/tmp", O_RDONLY);
    }
    CHECK(file == -1 && errno == EMFILE);
    for (int i = 3; i < 256; i++) {
        close(i);
    }
}

static void check_streams(void) {
    FILE *file = fopen("/tmp/lines", "w+");
    CHECK(file != NULL && fprintf(file, "one %d\ntwo\n", 1) == 10);
    rewind(file);
    char line[20];
    CHECK(fgets(line, sizeof line, file) != NULL && strcmp(line, "one 1\n") == 0);
    CHECK(fclose(file) == 0);
    file = fopen("/tmp/lines", "a");
    CHECK(file != NULL && fputs("three\n", file) >= 0 && fclose(file) == 0);
    struct stat status;
    CHECK(stat("/tmp/lines", &status) == 0 && status.st_size == 16);
    CHECK_FAILS(open("/nowhere", O_RDONLY), ENOENT);
    CHECK_FAILS(open("/new", O_WRONLY | O_CREAT, 0600), EROFS);
    CHECK_FAILS(open("/tmp", O_WRONLY), EISDIR);
    CHECK_FAILS(open("/tmp/lines/x", O_RDONLY), ENOTDIR);
    file = fopen("/dev/urandom", "r");
    CHECK(file != NULL && fread(line, 1, 16, file) == 16 && fclose(file) == 0);
    file = tmpfile();
    CHECK(file != NULL && fputs("x", file) >= 0 && fclose(file) == 0);
    CHECK(unlink("/tmp/lines") == 0);
}

static int entries_of(const char *path) {
    int count = 0;
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    while (directory != NULL && readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

void check_directories(void) {
    CHECK(mkdir("/tmp/d", 0700) == 0 && chdir("/tmp/d") == 0);
    CHECK_FAILS(mkdir("/tmp/d", 0700), EEXIST);
    CHECK_FAILS(mkdir("/d", 0700), EROFS);
    char path[100], name[20];
    CHECK(getcwd(path, sizeof path) != NULL && strcmp(path, "/tmp/d") == 0);
    CHECK_FAILS(getcwd(path, 3) == NULL ? -1 : 0, ERANGE);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        int file = open(name, O_WRONLY | O_CREAT, 0600);
        CHECK(file >= 0 && close(file) == 0);
    }
    CHECK(entries_of(".") == 302 && entries_of("../d/./") == 302);
    CHECK(rename("file-0", "../moved") == 0 && access("/tmp/moved", R_OK | W_OK) == 0);
    CHECK_FAILS(rename("/tmp", "/tmp/d/x"), EROFS);
    /* Names are taken away while the directory is read: none is missed. */
    DIR *directory = opendir("/tmp/d");
    int seen = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.') {
            CHECK(entry->d_type == DT_REG && unlinkat(dirfd(directory), entry->d_name, 0) == 0);
            seen++;
        }
    }
    closedir(directory);
    CHECK(seen == 299);
    CHECK_FAILS(rmdir("/tmp"), EROFS);
    CHECK_FAILS(unlink("/tmp/d"), EISDIR);
    CHECK(chdir("..") == 0 && rmdir("d") == 0);
    CHECK_FAILS(chdir("/tmp/moved"), ENOTDIR);
    CHECK_FAILS(readlink("/tmp/moved", path, sizeof path), EINVAL);
    CHECK(realpath("/tmp/../tmp/./moved", path) != NULL && strcmp(path, "/tmp/moved") == 0);
    CHECK(chdir("/../..") == 0 && getcwd(path, sizeof path) != NULL && strcmp(path, "/") == 0);
    CHECK(remove("/tmp/moved") == 0);
    char long_name[5000];
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    CHECK_FAILS(open(long_name, O_RDONLY), ENAMETOOLONG);
    long_name[300] = 0;
    CHECK_FAILS(open(long_name, O_RDONLY), ENAMETOOLONG);
}

void check_files(void) {
    check_descriptors();
    check_streams();
}
