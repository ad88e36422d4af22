/*
 * A C program with a library: answers with the request's body in the gzip format, RFC 1952.
 * hatchery image build examples/zlib.c -- -lz
 */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { PART_BYTES = 65536, GZIP_WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };

static unsigned char input[PART_BYTES], output[PART_BYTES];

/* Compresses what is in `input` and writes what comes of it; 0 where that fails. */
static int compress_part(z_stream *stream, size_t bytes, int flush) {
    stream->next_in = input;
    stream->avail_in = (uInt)bytes;
    do {
        stream->next_out = output;
        stream->avail_out = sizeof output;
        if (deflate(stream, flush) == Z_STREAM_ERROR) {
            return 0;
        }
        const size_t made = sizeof output - stream->avail_out;
        if (fwrite(output, 1, made, stdout) != made) {
            return 0;
        }
    } while (stream->avail_out == 0);
    return 1;
}

int main(void) {
    z_stream stream = {.zalloc = Z_NULL, .zfree = Z_NULL, .opaque = Z_NULL};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        fputs("zlib does not start\n", stderr);
        return EXIT_FAILURE;
    }
    printf("Content-Type: application/gzip\n\n");
    int is_last;
    do {
        const size_t bytes = fread(input, 1, sizeof input, stdin);
        is_last = bytes < sizeof input;
        if (!compress_part(&stream, bytes, is_last ? Z_FINISH : Z_NO_FLUSH)) {
            fputs("the body cannot be compressed\n", stderr);
            return EXIT_FAILURE;
        }
    } while (!is_last);
    deflateEnd(&stream);
    return EXIT_SUCCESS;
}
