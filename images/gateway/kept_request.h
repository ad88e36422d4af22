/*
 * The request, for programs that may wait: host_wait overwrites the window in which it lies, so that what is
 * left of it is copied before.
 */
#ifndef HATCHERY_GATEWAY_KEPT_REQUEST_H
#define HATCHERY_GATEWAY_KEPT_REQUEST_H

#include <stddef.h>

void kept_request_begin(void);

/* As request_head and request_body_read of the kernel, also after host_wait. */
const char *kept_request_head(size_t *bytes);
size_t kept_request_read(void *buffer, size_t capacity);

/* To be called before host_wait. */
void kept_request_save(void);

#endif
