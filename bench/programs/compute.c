/*
 * Three pieces of work that are all computation, from one source for every side of the comparison: a
 * program for Linux, and a WebAssembly module for Hatchery's guest and for Node. The module needs no C
 * library. Each piece returns a number that depends on all of its work.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name)))

/* What the compiler calls for loops and structures. */
void *memcpy(void *to, const void *from, size_t count) {
    unsigned char *target = to;
    const unsigned char *source = from;
    while (count-- > 0) {
        *target++ = *source++;
    }
    return to;
}

void *memset(void *to, int byte, size_t count) {
    unsigned char *target = to;
    while (count-- > 0) {
        *target++ = (unsigned char)byte;
    }
    return to;
}
#else
#include <string.h>
#define EXPORT(name)
#endif

/* -- SHA-256 (FIPS 180-4) of 1 MiB -- */

enum { MESSAGE_BYTES = 1 << 20, BLOCK_BYTES = 64, ROUNDS = 64 };

static const uint32_t round_constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static unsigned char message[MESSAGE_BYTES + BLOCK_BYTES];

static uint32_t rotate(uint32_t word, int count) {
    return word >> count | word << (32 - count);
}

static void hash_block(uint32_t state[8], const unsigned char *block) {
    uint32_t words[ROUNDS];
    for (int i = 0; i < 16; i++) {
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < ROUNDS; i++) {
        const uint32_t near = words[i - 2], far = words[i - 15];
        words[i] = words[i - 16] + words[i - 7] +
                   (rotate(far, 7) ^ rotate(far, 18) ^ far >> 3) +
                   (rotate(near, 17) ^ rotate(near, 19) ^ near >> 10);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < ROUNDS; i++) {
        const uint32_t first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                               ((e & f) ^ (~e & g)) + round_constants[i] + words[i];
        const uint32_t second =
            (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

/* Of bytes 0, 1, …, 250, 0, 1, …; returns the digest's first four. */
EXPORT(sha256) uint32_t sha256(void) {
    for (size_t i = 0, byte = 0; i < MESSAGE_BYTES; i++) {
        message[i] = (unsigned char)byte;
        byte = byte == 250 ? 0 : byte + 1;
    }
    unsigned char *end = message + MESSAGE_BYTES;
    memset(end, 0, BLOCK_BYTES);
    end[0] = 0x80;
    for (int i = 0; i < 4; i++) {
        end[BLOCK_BYTES - 1 - i] = (unsigned char)((uint32_t)MESSAGE_BYTES * 8 >> 8 * i);
    }
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (size_t at = 0; at < sizeof message; at += BLOCK_BYTES) {
        hash_block(state, message + at);
    }
    return state[0];
}

/* -- The Mandelbrot set, 256 by 256 points -- */

enum { POINTS = 256, STEPS = 200 };

/* Returns the number of steps of all points together. */
EXPORT(mandelbrot) uint32_t mandelbrot(void) {
    uint32_t total = 0;
    for (int row = 0; row < POINTS; row++) {
        for (int column = 0; column < POINTS; column++) {
            const double real = -2.0 + 2.5 * column / POINTS, imaginary = -1.25 + 2.5 * row / POINTS;
            double x = 0, y = 0;
            int steps = 0;
            while (x * x + y * y <= 4.0 && steps < STEPS) {
                const double next = x * x - y * y + real;
                y = 2 * x * y + imaginary;
                x = next;
                steps++;
            }
            total += (uint32_t)steps;
        }
    }
    return total;
}

/* -- A JSON parser (RFC 8259) that makes a tree -- */

enum { RECORDS = 6000, TEXT_CAPACITY = 1 << 20, NODE_CAPACITY = 1 << 17 };

struct node {
    uint32_t kind; /* the text's first character */
    uint32_t next, child;
    uint32_t start, bytes; /* of a string's text */
    double number;
};

static char text[TEXT_CAPACITY];
static size_t text_bytes, at;
static struct node nodes[NODE_CAPACITY];
static uint32_t node_count;

static void put(const char *part) {
    while (*part != 0) {
        text[text_bytes++] = *part++;
    }
}

static void put_number(uint32_t number) {
    char digits[11];
    int first = 10;
    digits[10] = 0;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(digits + first);
}

static void write_document(void) {
    text_bytes = 0;
    put("[");
    for (uint32_t i = 0; i < RECORDS; i++) {
        put(i == 0 ? "" : ",");
        put("{\"id\": ");
        put_number(i);
        put(", \"name\": \"record \\\"");
        put_number(i * 7919u);
        put("\\\"\", \"weight\": ");
        put_number(i % 1000);
        put(".");
        put_number(i % 97);
        put("e-3, \"tags\": [\"one\", \"two\", null, true, false, [");
        put_number(i % 13);
        put("]]}");
    }
    put("]");
}

static uint32_t new_node(char kind) {
    const uint32_t made = node_count < NODE_CAPACITY ? node_count++ : 0;
    nodes[made] = (struct node){.kind = (unsigned char)kind};
    return made;
}

static void skip_space(void) {
    while (at < text_bytes &&
           (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) {
        at++;
    }
}

static double parse_digits(double value, double *scale) {
    while (at < text_bytes && text[at] >= '0' && text[at] <= '9') {
        value = value * 10 + (text[at++] - '0');
        *scale *= 10;
    }
    return value;
}

static double parse_number(void) {
    const int is_negative = text[at] == '-';
    at += (size_t)is_negative;
    double unused = 1, scale = 1;
    double value = parse_digits(0, &unused);
    if (text[at] == '.') {
        at++;
        value = parse_digits(value, &scale) / scale;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        at++;
        const int divides = text[at] == '-';
        at += (size_t)(text[at] == '-' || text[at] == '+');
        for (double exponent = parse_digits(0, &unused); exponent > 0; exponent--) {
            value = divides ? value / 10 : value * 10;
        }
    }
    return is_negative ? -value : value;
}

static void parse_string(struct node *into) {
    into->start = (uint32_t)++at;
    while (at < text_bytes && text[at] != '"') {
        at += text[at] == '\\' ? 2 : 1;
    }
    into->bytes = (uint32_t)at - into->start;
    at++;
}

static uint32_t parse_value(void);

/* Elements of an array, or names and values of an object in turn. */
static void parse_members(uint32_t of, char end) {
    uint32_t last = 0;
    for (skip_space(); at < text_bytes && text[at] != end; skip_space()) {
        const uint32_t member = parse_value();
        if (last == 0) {
            nodes[of].child = member;
        } else {
            nodes[last].next = member;
        }
        last = member;
        skip_space();
        at += (size_t)(text[at] == ',' || text[at] == ':');
    }
    at++;
}

static uint32_t parse_value(void) {
    skip_space();
    const char first = text[at];
    const uint32_t made = new_node(first);
    if (first == '{' || first == '[') {
        at++;
        parse_members(made, first == '{' ? '}' : ']');
    } else if (first == '"') {
        parse_string(&nodes[made]);
    } else if (first == 't' || first == 'n') {
        at += 4;
    } else if (first == 'f') {
        at += 5;
    } else {
        nodes[made].number = parse_number();
    }
    return made;
}

/* Returns a sum over the tree. */
EXPORT(json) uint32_t json(void) {
    write_document();
    at = 0;
    node_count = 1;
    parse_value();
    uint32_t sum = node_count;
    for (uint32_t i = 1; i < node_count; i++) {
        sum = sum * 31 + nodes[i].kind + nodes[i].bytes + (uint32_t)(nodes[i].number * 1000);
    }
    return sum;
}

#ifdef __wasm__

/* -- In the guest: the last letters of the URL say what to do -- */

#define IMPORT(name) __attribute__((import_module("hatchery"), import_name(#name)))
IMPORT(request_head) uint32_t request_head(char *buffer, uint32_t capacity);
IMPORT(response_begin) int32_t response_begin(uint32_t status, const char *head, uint32_t bytes);
IMPORT(response_write) int32_t response_write(const char *bytes, uint32_t count);

EXPORT(hatchery_handle) void hatchery_handle(void) {
    static char head[1024];
    request_head(head, sizeof head - 1);
    size_t end = 0;
    while (head[end] != 0) { /* the method */
        end++;
    }
    for (end++; head[end] != 0;) { /* the URL */
        end++;
    }
    const uint32_t result = head[end - 1] == '6' ? sha256() : head[end - 1] == 't' ? mandelbrot() : json();
    text_bytes = 0;
    put_number(result);
    response_begin(200, "", 0);
    response_write(text, (uint32_t)text_bytes);
}

#else

/* -- On Linux: NAME TIMES; a line for each time, the result and its nanoseconds -- */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    uint32_t (*const work)(void) = strcmp(argv[1], "sha256") == 0       ? sha256
                                   : strcmp(argv[1], "mandelbrot") == 0 ? mandelbrot
                                                                        : json;
    for (int i = 0; i < atoi(argv[2]); i++) {
        const long long start = now();
        const uint32_t result = work();
        printf("%u %lld\n", result, now() - start);
    }
    return 0;
}

#endif
