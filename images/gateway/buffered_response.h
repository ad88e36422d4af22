/*
 * A response whose body is written in small parts: it is kept until it does not fit any more, or until
 * there is a reason to send it, since each frame costs an exit. One that is whole at its end is one frame.
 */
#ifndef HATCHERY_GATEWAY_BUFFERED_RESPONSE_H
#define HATCHERY_GATEWAY_BUFFERED_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

/* `head` is as in RESPONSE FRAME of the ABI, at most RESPONSE_HEAD_CAPACITY bytes, and stays valid. */
void buffered_response_begin(uint32_t status, const char *head, size_t head_bytes);
void buffered_response_write(const void *bytes, size_t count);

/* Sends what there is; from the first time on the client gets the body as it comes. */
void buffered_response_flush(void);

/* Whether something was sent, so that nothing can become an error response any more. */
int buffered_response_is_sent(void);

void buffered_response_end(void);

#endif
