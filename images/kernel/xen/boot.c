/*
 * Builds what hatchery.h promises to an image (ADDRESS SPACE, ENTRY, BOOT PAGE) from the memory
 * that the domain has, and starts the image.
 */
#include "boot.h"

const struct platform *platform;
static struct hatchery_mailbox own_mailbox __attribute__((aligned(HATCHERY_PAGE_BYTES)));
struct hatchery_mailbox *mailbox = &own_mailbox;
volatile struct xen_shared_info *shared_info;

/* Symbols of image.lds: where the image's segments are, in its address space and in memory. */
extern const char _start[];
extern const char image_text_start[], image_text_end[], image_text_load[];
extern const char image_rodata_start[], image_rodata_end[], image_rodata_load[];
extern const char image_data_start[], image_data_end[], image_data_load[];

static const struct {
    const char *start, *end, *load;
    uint64_t flags;
} segments[] = {
    {image_text_start, image_text_end, image_text_load, PAGE_PRESENT | PAGE_USER},
    {image_rodata_start, image_rodata_end, image_rodata_load, USER_READ_ONLY},
    {image_data_start, image_data_end, image_data_load, USER_READ_WRITE},
};
enum {
    SEGMENTS = sizeof segments / sizeof segments[0]
};

enum {
    LARGEST_STACK_BYTES = 8 << 20,
    SMALLEST_HEAP_PAGES = 256,
    /* An area of n pages touches at most n / 512 + 2 tables of level 1. There are the segments,
     * boot page with items, stub, channel, stack and heap; and tables of the levels above. */
    TABLES_BESIDES = 2 * (SEGMENTS + 5) + 8,
};

static uint64_t table_pages(uint64_t pages) {
    return pages / 512 + pages / (512 * 512) + TABLES_BESIDES;
}

static void map_segments(void) {
    for (size_t i = 0; i < SEGMENTS; i++) {
        const uint64_t bytes = (uint64_t)(segments[i].end - segments[i].start);
        /* The loader clears what the file does not fill, but not to the end of the page. */
        const uint64_t into_page = bytes % HATCHERY_PAGE_BYTES;
        if (into_page != 0) {
            fill_zero(kernel_address((uint64_t)segments[i].load + bytes),
                      HATCHERY_PAGE_BYTES - into_page);
        }
        address_space_map((uint64_t)segments[i].start,
                          (uint64_t)segments[i].load / HATCHERY_PAGE_BYTES, PAGES_OF(bytes),
                          segments[i].flags);
    }
}

/* The boot page's area is written byte by byte through one page at a time. */
static uint64_t boot_area;
static uint64_t boot_area_written;

static void write_boot_area(const void *bytes, size_t count) {
    const uint8_t *from = bytes;
    while (count > 0) {
        const size_t into_page = boot_area_written % HATCHERY_PAGE_BYTES;
        const size_t room = HATCHERY_PAGE_BYTES - into_page;
        const size_t part = count < room ? count : room;
        uint8_t *page = platform->open(boot_area + boot_area_written / HATCHERY_PAGE_BYTES);
        if (into_page == 0) {
            fill_zero(page, HATCHERY_PAGE_BYTES);
        }
        copy_bytes(page + into_page, from, part);
        boot_area_written += part;
        from += part;
        count -= part;
    }
}

static int random_word(uint64_t *word) {
    for (int attempt = 0; attempt < 10; attempt++) { /* Intel SDM volume 1, section 7.3.17 */
        uint8_t is_random;
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(is_random) : : "cc");
        if (is_random) {
            return 1;
        }
    }
    return 0;
}

static int has_random(void) {
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (c >> 30 & 1) != 0;
}

void fill_control(void) {
    struct hatchery_control *control = (struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS;
    control->wall_nanoseconds = clock_wall_now();
    control->monotonic_nanoseconds = clock_system_now();
    const int hardware = has_random();
    for (size_t i = 0; i < HATCHERY_ENTROPY_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        if (!hardware || !random_word(&word)) {
            give_up(
                "the processor gives no random numbers (RDRAND), and there is no host that "
                "does");
        }
        copy_bytes(control->entropy + i, &word, sizeof word);
    }
}

/* What the image gets of the domain's memory. */
struct share {
    uint64_t boot_page, boot_pages;
    uint64_t channel_page;
    uint64_t stack_pages, heap_pages;
};

static uint64_t configuration_bytes_of(const struct start_of_day *start,
                                       const struct parameters *parameters) {
    if (!items_are_valid(start->module, start->module_bytes)) {
        give_up("the module (ramdisk) is not rows of configuration items");
    }
    const uint64_t bytes = parameters->item_bytes + start->module_bytes;
    if (HATCHERY_PAGE_BYTES + bytes > HATCHERY_IMAGE_ADDRESS - HATCHERY_BOOT_ADDRESS) {
        give_up("the configuration is larger than 62 MiB");
    }
    return bytes;
}

/* Stack and heap have what is left once the rest has its pages. */
static void share_rest(const struct start_of_day *start, struct share *share) {
    const uint64_t largest_stack = LARGEST_STACK_BYTES / HATCHERY_PAGE_BYTES;
    const uint64_t eighth = start->memory_pages / 8;
    share->stack_pages = eighth < largest_stack ? eighth : largest_stack;
    const uint64_t left = free_pages_left();
    if (left < share->stack_pages + SMALLEST_HEAP_PAGES) {
        give_up("the domain's memory is too small for the image: raise `memory`");
    }
    share->heap_pages = left - share->stack_pages;
}

static void write_boot_page(const struct start_of_day *start, const struct share *share,
                            uint64_t configuration_bytes) {
    const uint64_t read_only_pages = PAGES_OF(image_text_end - image_text_start) +
                                     PAGES_OF(image_rodata_end - image_rodata_start);
    const struct hatchery_boot page = {
        .magic = HATCHERY_MAGIC,
        .abi_version = HATCHERY_ABI_VERSION,
        .memory_bytes = (start->memory_pages - read_only_pages) * HATCHERY_PAGE_BYTES,
        .heap_bytes = share->heap_pages * HATCHERY_PAGE_BYTES,
        .stack_bytes = share->stack_pages * HATCHERY_PAGE_BYTES,
        .configuration_bytes = configuration_bytes,
        .tsc_hertz = clock_counter_hertz(),
    };
    boot_area_written = 0;
    write_boot_area(&page, sizeof page);
}

/* Builds the address space and clears what is to be clear in it. */
static void build(const struct start_of_day *start, const struct parameters *parameters,
                  uint64_t mailbox_page) {
    const uint64_t configuration_bytes = configuration_bytes_of(start, parameters);
    address_space_begin(table_pages(start->memory_pages));
    map_segments();
    struct share share = {.boot_pages = 1 + PAGES_OF(configuration_bytes)};
    share.boot_page = free_pages_take(share.boot_pages);
    share.channel_page = parameters->has_host ? mailbox_page + 1 : free_pages_take(CHANNEL_PAGES);

    boot_area = share.boot_page;
    boot_area_written = HATCHERY_PAGE_BYTES;
    parameters_items(start->command_line, write_boot_area);
    write_boot_area(start->module, start->module_bytes);
    free_pages_add(start->module_page, PAGES_OF(start->module_bytes));
    share_rest(start, &share);
    write_boot_page(start, &share, configuration_bytes);

    const uint64_t stack_start = HATCHERY_STACK_TOP - share.stack_pages * HATCHERY_PAGE_BYTES;
    address_space_map(HATCHERY_BOOT_ADDRESS, share.boot_page, share.boot_pages, USER_READ_ONLY);
    address_space_map(HATCHERY_CHANNEL_ADDRESS, share.channel_page, CHANNEL_PAGES, USER_READ_WRITE);
    address_space_map_free(stack_start, share.stack_pages, USER_READ_WRITE);
    address_space_map_free(HATCHERY_HEAP_ADDRESS, share.heap_pages, USER_READ_WRITE);
    mailbox = platform->map_mailbox(mailbox_page);
    address_space_install();
    fill_zero((void *)stack_start, share.stack_pages * HATCHERY_PAGE_BYTES);
    fill_zero((void *)HATCHERY_HEAP_ADDRESS, share.heap_pages * HATCHERY_PAGE_BYTES);
}

static uint64_t host_mailbox_page(const struct start_of_day *start,
                                  const struct parameters *parameters) {
    const uint64_t pages = 1 + CHANNEL_PAGES;
    if (parameters->mailbox_page + pages > start->memory_pages) {
        give_up("hatchery.mailbox is not in the domain's memory");
    }
    free_pages_remove(parameters->mailbox_page, pages);
    return parameters->mailbox_page;
}

void boot(const struct start_of_day *start) {
    struct parameters parameters = {0};
    parameters_read(start->command_line, &parameters);
    if (parameters.has_host) {
        build(start, &parameters, host_mailbox_page(start, &parameters));
        mailbox->handler = 0;
    } else {
        build(start, &parameters, physical_address_of(&own_mailbox) / HATCHERY_PAGE_BYTES);
        mailbox->handler = (uint64_t)standalone_answer;
        standalone_begin(parameters.exits);
        fill_zero((void *)HATCHERY_CHANNEL_ADDRESS, HATCHERY_CHANNEL_BYTES);
        fill_control();
    }
    mailbox->port = parameters.port;
    mailbox->rung = mailbox->answered;
    mailbox->command = HATCHERY_MAILBOX_RESET;
    fill_zero(&mailbox->frame, sizeof mailbox->frame);
    mailbox->frame.rip = (uint64_t)_start;
    mailbox->frame.rsp = HATCHERY_STACK_TOP;
    platform->start();
}
