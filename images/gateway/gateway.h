/*
 * A program in the manner of CGI (RFC 3875), with the variables of WAGI: the request is its environment
 * and its standard input, the response is its standard output, the log its standard error.
 */
#ifndef HATCHERY_GATEWAY_GATEWAY_H
#define HATCHERY_GATEWAY_GATEWAY_H

#include <stddef.h>

/* Strings, each NUL-terminated, one behind the other. */
struct strings {
    const char *start;
    size_t count;
    size_t bytes; /* NULs included */
};

/* To be called first, for each request. */
void gateway_begin(void);

/*
 * `NAME=VALUE` strings: the function's environment (the configuration item `environment`), then the request's variables. The function's own come
 * first, so that no client can change what getenv finds. Valid until the next request.
 */
struct strings gateway_environment(void);

/* The function's name, and the words of its command line. */
struct strings gateway_arguments(void);

/* Standard output and standard error. Standard input is kept_request_read. */
void gateway_write(const void *bytes, size_t count);
void gateway_write_error(const void *bytes, size_t count);

/* To be called before the program waits: the client gets what there is of the body. */
void gateway_flush(void);

/* Responds with an error of that name, and nothing else. Both are plain text without quotes, 300 bytes at most. */
void gateway_fail(const char *name, const char *message);

/* The program has ended: completes the response, or says in an error why there is none. */
void gateway_end(int exit_code);

#endif
