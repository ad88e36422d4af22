/* What the parts of the program under test share: a check that fails prints its place. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

extern int failures;

#define CHECK(condition)                                                                      \
    do {                                                                                      \
        if (!(condition)) {                                                                   \
            failures++;                                                                       \
            printf("%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));      \
        }                                                                                     \
    } while (0)

/* A call that fails with an error. */
#define CHECK_FAILS(call, error)                                                              \
    do {                                                                                      \
        errno = 0;                                                                            \
        CHECK((long)(call) == -1 && errno == (error));                                        \
    } while (0)

void check_files(void);
void check_directories(void);
void check_memory(void);
void check_process(void);
void check_time(void);

#endif
