/*
 * Randomness: ChaCha20 (RFC 8439, section 2.3) as a generator with fast key erasure: of each block
 * the first half becomes the next key and the second half is handed out, so that what was handed
 * out cannot be computed from the state.
 */
#include <string.h>

#include "platform.h"

enum { KEY_WORDS = 8, BLOCK_WORDS = 16, OUTPUT_BYTES = 32 };

static uint32_t key[KEY_WORDS];
static unsigned char output[OUTPUT_BYTES];
static size_t output_left;

static inline uint32_t rotate_left(uint32_t value, int bits) {
    return value << bits | value >> (32 - bits);
}

static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b, *d = rotate_left(*d ^ *a, 16);
    *c += *d, *b = rotate_left(*b ^ *c, 12);
    *a += *b, *d = rotate_left(*d ^ *a, 8);
    *c += *d, *b = rotate_left(*b ^ *c, 7);
}

static void next_block(void) {
    /* Counter and nonce stay 0: every block has a key of its own. */
    uint32_t initial[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(initial + 4, key, sizeof key);
    uint32_t x[BLOCK_WORDS];
    memcpy(x, initial, sizeof x);
    for (int round = 0; round < 10; round++) {
        quarter_round(&x[0], &x[4], &x[8], &x[12]);
        quarter_round(&x[1], &x[5], &x[9], &x[13]);
        quarter_round(&x[2], &x[6], &x[10], &x[14]);
        quarter_round(&x[3], &x[7], &x[11], &x[15]);
        quarter_round(&x[0], &x[5], &x[10], &x[15]);
        quarter_round(&x[1], &x[6], &x[11], &x[12]);
        quarter_round(&x[2], &x[7], &x[8], &x[13]);
        quarter_round(&x[3], &x[4], &x[9], &x[14]);
    }
    for (int i = 0; i < BLOCK_WORDS; i++) {
        x[i] += initial[i];
    }
    memcpy(key, x, sizeof key);
    memcpy(output, x + KEY_WORDS, sizeof output);
    output_left = sizeof output;
}

void random_begin(void) {
    volatile unsigned char *entropy = control()->entropy;
    unsigned char seed[HATCHERY_ENTROPY_BYTES];
    for (size_t i = 0; i < sizeof seed; i++) {
        seed[i] = entropy[i];
        entropy[i] = 0;
    }
    memcpy(key, seed, sizeof key);
    output_left = 0;
}

void random_fill(void *buffer, size_t count) {
    unsigned char *to = buffer;
    while (count > 0) {
        if (output_left == 0) {
            next_block();
        }
        const size_t part = count < output_left ? count : output_left;
        unsigned char *from = output + sizeof output - output_left;
        memcpy(to, from, part);
        memset(from, 0, part);
        to += part;
        count -= part;
        output_left -= part;
    }
}
