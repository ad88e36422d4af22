/*
 * What the parts of the Xen entries share. They run before the image, in a half of the address
 * space that ring 3 never sees, and then under it: as the stub's handler (PVH), or as the guest's
 * kernel (PV). Pages are numbered as the guest sees them; what a page table names is a frame.
 */
#ifndef HATCHERY_KERNEL_XEN_BOOT_H
#define HATCHERY_KERNEL_XEN_BOOT_H

#include <stddef.h>
#include <stdint.h>

#include "../../abi/hatchery.h"
#include "../../abi/hatchery_xen.h"
#include "interface.h"

#define PAGES_OF(bytes) (((uint64_t)(bytes) + HATCHERY_PAGE_BYTES - 1) / HATCHERY_PAGE_BYTES)
#define CHANNEL_PAGES PAGES_OF(HATCHERY_CHANNEL_BYTES)

/* Symbols of image.lds: what the file's segments occupy of the domain's memory. */
extern const char image_load_start[], image_load_end[];

static inline void *kernel_address(uint64_t physical_address) {
    return (void *)(XEN_KERNEL_BASE + physical_address);
}

static inline uint64_t physical_address_of(const void *in_kernel) {
    return (uint64_t)in_kernel - XEN_KERNEL_BASE;
}

static inline void fill_zero(void *start, size_t count) {
    size_t words = count / 8, bytes = count % 8;
    __asm__ volatile("rep stosq" : "+D"(start), "+c"(words) : "a"(0) : "memory");
    __asm__ volatile("rep stosb" : "+D"(start), "+c"(bytes) : "a"(0) : "memory");
}

static inline void copy_bytes(void *to, const void *from, size_t count) {
    size_t words = count / 8, bytes = count % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline size_t text_length(const char *text) {
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    return length;
}

/* free_pages.c: the domain's memory that nothing is in. */
void free_pages_add(uint64_t first, uint64_t count);
void free_pages_remove(uint64_t first, uint64_t count);
/* `count` pages behind each other; ends the domain where there are none. */
uint64_t free_pages_take(uint64_t count);
uint64_t free_pages_left(void);

/* What PV and PVH do in different ways. */
struct platform {
    /* What a page table entry names the page by. */
    uint64_t (*frame_of)(uint64_t page);
    /* The reverse, for pages of page tables. */
    uint64_t (*page_of)(uint64_t frame);
    /* The page's bytes, writable, until the next call; not for pages of tables once installed. */
    void *(*open)(uint64_t page);
    /* Makes page tables (of which level 3 is `level_3`) the lower half of the address space. They
     * are the pages first_table .. last_table - 1, with one spare page at last_table. */
    void (*install)(uint64_t level_3, uint64_t first_table, uint64_t last_table);
    /* Maps the mailbox's page, and what else the platform needs beside the image; where the mailbox
     * is from `install` on. */
    struct hatchery_mailbox *(*map_mailbox)(uint64_t mailbox_page);
    /* Starts ring 3 by the mailbox's frame. */
    void (*start)(void) __attribute__((noreturn));
};
extern const struct platform *platform;

/* What the domain was started with. */
struct start_of_day {
    const char *command_line;
    const uint8_t *module; /* rows of struct hatchery_item */
    size_t module_bytes;
    uint64_t module_page;  /* where it begins; a page of its own */
    uint64_t memory_pages; /* that the domain has */
};

/*
 * The mailbox, which the host shares if there is one (hatchery_xen.h). Its page is a page of its
 * own until the command line names the host's.
 */
extern struct hatchery_mailbox *mailbox;
/* Xen's, at an address of the kernel's. */
extern volatile struct xen_shared_info *shared_info;

/* boot.c: from the platform's entry on. Free pages, console, mailbox and shared_info are there. */
__attribute__((noreturn)) void boot(const struct start_of_day *start);

/* address_space.c */
enum {
    PAGE_PRESENT = 1,
    PAGE_WRITABLE = 2,
    PAGE_USER = 4,
};
#define PAGE_NOT_EXECUTABLE (UINT64_C(1) << 63)
#define PAGE_FRAME_MASK UINT64_C(0x000ffffffffff000)
#define USER_READ_ONLY (PAGE_PRESENT | PAGE_USER | PAGE_NOT_EXECUTABLE)
#define USER_READ_WRITE (USER_READ_ONLY | PAGE_WRITABLE)

void address_space_begin(uint64_t table_pages);
/* Maps pages behind each other, in the lower half, at an address where nothing is yet. */
void address_space_map(uint64_t address, uint64_t first_page, uint64_t count, uint64_t flags);
/* The same with pages taken one by one, not cleared. */
void address_space_map_free(uint64_t address, uint64_t count, uint64_t flags);
void address_space_install(void);

/* parameters.c: what the command line says. */
struct parameters {
    int has_host;
    uint32_t port;         /* hatchery.port */
    uint64_t mailbox_page; /* hatchery.mailbox */
    int exits;             /* hatchery.exit */
    size_t item_bytes;     /* configuration items from its other words */
};
void parameters_read(const char *command_line, struct parameters *parameters);
/* Hands the items, as they are in the configuration area, part by part to `write`. */
void parameters_items(const char *command_line, void (*write)(const void *bytes, size_t count));
/* Whether they are whole rows of struct hatchery_item. */
int items_are_valid(const uint8_t *items, size_t count);

/* clock.c */
uint64_t clock_counter_hertz(void);
uint64_t clock_system_now(void); /* nanoseconds, monotonic */
uint64_t clock_wall_now(void);   /* nanoseconds since 1970-01-01 UTC */

/* events.c; false where Xen refuses, as it does for a port that is not the domain's. */
int event_send(uint32_t port);
/* Returns when there is an event on the port, at `deadline` (system time; 0: never), or before. */
int event_wait(uint32_t port, uint64_t deadline);

/* console.c */
void console_open(struct xen_console_ring *ring, uint32_t port);
void print(const char *text);
void print_bytes(const char *text, size_t count);
void print_decimal(uint64_t number);
void print_hexadecimal(uint64_t number);
/* Waits, not for ever, until the console has been read. */
void console_drain(void);

/* shutdown.c */
__attribute__((noreturn)) void power_off(void);
__attribute__((noreturn)) void crash(void);
/* Says on the console why, then crashes the domain. */
__attribute__((noreturn)) void give_up(const char *reason);

/* Writes what a host would, where there is none: hatchery.h, CONTROL BLOCK. boot.c */
void fill_control(void);

/* standalone.c: does what a host would, where there is none. */
void standalone_begin(int exits);
void standalone_answer(struct hatchery_mailbox *mailbox);

#endif
