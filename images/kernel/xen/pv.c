/*
 * PV: the guest keeps its own page tables, of the machine's frames, and Xen checks each entry. The
 * image is guest user mode: it has a level 4 of its own, without this half of the address space.
 */
#include "boot.h"

void pv_set_vector_state(void);
__attribute__((noreturn)) void pv_to_user(struct hatchery_frame *frame);
extern const char pv_trap_entries[];

static const struct xen_pv_start *start_info;
static const uint64_t *frames;

/* Pages below this one are mapped at kernel_address from the start, and none behind it. */
static uint64_t mapped_end;

/* Addresses at which other pages are mapped, one at a time; what the file has there is not used. */
static uint8_t open_window[HATCHERY_PAGE_BYTES] __attribute__((aligned(HATCHERY_PAGE_BYTES)));
static uint8_t shared_window[HATCHERY_PAGE_BYTES] __attribute__((aligned(HATCHERY_PAGE_BYTES)));
static uint8_t mailbox_window[HATCHERY_PAGE_BYTES] __attribute__((aligned(HATCHERY_PAGE_BYTES)));
static uint64_t opened; /* the page in open_window; 0: none */

enum {
    READ_ONLY = PAGE_PRESENT,
    READ_WRITE = PAGE_PRESENT | PAGE_WRITABLE
};

static void map_kernel_page(const void *address, uint64_t entry) {
    if (xen_hypercall(XEN_UPDATE_VA_MAPPING, (uint64_t)address, entry, XEN_FLUSH_PAGE, 0) != 0) {
        give_up("Xen refused a page table entry");
    }
}

static uint64_t frame_of(uint64_t page) {
    return frames[page];
}

static uint64_t page_of(uint64_t frame) {
    return ((const uint64_t *)XEN_MACHINE_TO_PHYSICAL)[frame];
}

static void *open(uint64_t page) {
    if (page < mapped_end) {
        return kernel_address(page * HATCHERY_PAGE_BYTES);
    }
    if (page != opened) {
        map_kernel_page(open_window,
                        frame_of(page) * HATCHERY_PAGE_BYTES | READ_WRITE | PAGE_NOT_EXECUTABLE);
        opened = page;
    }
    return open_window;
}

static void close_window(void) {
    if (opened != 0) {
        map_kernel_page(open_window, 0);
        opened = 0;
    }
}

static void mmuext(uint32_t command, uint64_t frame) {
    const struct xen_mmuext_op op = {.command = command, .frame = frame};
    if (xen_hypercall(XEN_MMUEXT_OP, (uint64_t)&op, 1, 0, XEN_DOMAIN_SELF) != 0) {
        give_up("Xen refused the page tables");
    }
}

static void install(uint64_t level_3, uint64_t first_table, uint64_t last_table) {
    const uint64_t entry =
        frame_of(level_3) * HATCHERY_PAGE_BYTES | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
    uint64_t *user_level_4 = open(last_table);
    fill_zero(user_level_4, HATCHERY_PAGE_BYTES);
    user_level_4[0] = entry;
    close_window();
    for (uint64_t page = first_table; page <= last_table && page < mapped_end; page++) {
        map_kernel_page(kernel_address(page * HATCHERY_PAGE_BYTES),
                        frame_of(page) * HATCHERY_PAGE_BYTES | READ_ONLY | PAGE_NOT_EXECUTABLE);
    }
    /* Else guest user mode could read which frames of the machine are whose. */
    if (xen_hypercall(XEN_VM_ASSIST, XEN_ASSIST_ENABLE, XEN_ASSIST_STRICT_M2P, 0, 0) != 0) {
        give_up("Xen does not hide its table of the machine's frames");
    }
    mmuext(XEN_PIN_L4_TABLE, frame_of(last_table));
    mmuext(XEN_NEW_USER_BASE, frame_of(last_table));
    /* The lower half belongs to this mode's tables too: this is how it is cleared and read. */
    const uint64_t own_level_4 = physical_address_of((void *)start_info->page_tables);
    const struct xen_mmu_update update = {
        .entry = frame_of(own_level_4 / HATCHERY_PAGE_BYTES) * HATCHERY_PAGE_BYTES,
        .value = entry,
    };
    if (xen_hypercall(XEN_MMU_UPDATE, (uint64_t)&update, 1, 0, XEN_DOMAIN_SELF) != 0) {
        give_up("Xen refused the page tables");
    }
}

static struct hatchery_mailbox *map_mailbox(uint64_t page) {
    map_kernel_page(mailbox_window,
                    frame_of(page) * HATCHERY_PAGE_BYTES | READ_WRITE | PAGE_NOT_EXECUTABLE);
    return (struct hatchery_mailbox *)mailbox_window;
}

enum {
    EXCEPTIONS = 32,
    PAGE_FAULT = 14,
    TRAP_BYTES = 16
};

static void set_traps(void) {
    static struct xen_trap traps[EXCEPTIONS + 1]; /* an entry of zeros is the end */
    size_t count = 0;
    for (uint8_t vector = 0; vector < EXCEPTIONS; vector++) {
        /* NMIs have another way; Intel reserves 15 and some from 22 on, Xen raises none of them. */
        if (vector == 2 || vector == 15 || vector > 21) {
            continue;
        }
        traps[count++] = (struct xen_trap){
            .vector = vector,
            .code_segment = XEN_PV_CODE,
            .address = (uint64_t)pv_trap_entries + (uint64_t)vector * TRAP_BYTES,
        };
    }
    if (xen_hypercall(XEN_SET_TRAP_TABLE, (uint64_t)traps, 0, 0, 0) != 0 ||
        xen_hypercall(XEN_STACK_SWITCH, XEN_PV_STACK, (uint64_t)(mailbox + 1), 0, 0) != 0) {
        give_up("Xen refused the trap table");
    }
}

/* What guest user mode may have set: CF PF AF ZF SF TF DF OF NT AC ID. Without IF, Xen holds back
 * events: they are waited for. */
#define FLAGS_OF_USER 0x244dd5u
#define FLAGS_FIXED 2u

static void complete_frame(struct hatchery_frame *frame) {
    if (mailbox->command == HATCHERY_MAILBOX_RESET) {
        pv_set_vector_state();
    }
    frame->cs = XEN_PV_CODE;
    frame->ss = XEN_PV_STACK;
    frame->rflags = (frame->rflags & FLAGS_OF_USER) | FLAGS_FIXED;
}

__attribute__((noreturn)) static void start(void) {
    set_traps();
    complete_frame(&mailbox->frame);
    pv_to_user(&mailbox->frame);
}

/* Whether it is the store that rings the doorbell (hatchery_xen.h, HATCHERY_DOORBELL_CODE). */
static int is_doorbell(const struct hatchery_frame *frame) {
    static const uint8_t code[] = {HATCHERY_DOORBELL_CODE};
    enum {
        USER_STORE_TO_NOTHING = 6
    };
    if (frame->vector != PAGE_FAULT || frame->error_code != USER_STORE_TO_NOTHING ||
        shared_info->vcpu[0].fault_address != HATCHERY_DOORBELL_ADDRESS) {
        return 0;
    }
    /* As long as the bytes are equal, the next belongs to the instruction that was just fetched,
     * and so can be read. */
    const volatile uint8_t *at = (const volatile uint8_t *)frame->rip;
    for (size_t i = 0; i < sizeof code; i++) {
        if (at[i] != code[i]) {
            return 0;
        }
    }
    return 1;
}

static void ring_host(void) {
    volatile struct hatchery_mailbox *shared = mailbox;
    shared->rung++;
    __asm__ volatile("mfence" ::: "memory");
    const uint32_t port = shared->port;
    if (!event_send(port)) {
        crash();
    }
    while (shared->answered != shared->rung) {
        if (!event_wait(port, 0)) {
            crash();
        }
    }
    __asm__ volatile("" ::: "memory");
}

/* Every exception of guest user mode; its frame is the mailbox's. */
void pv_trap(struct hatchery_frame *frame) {
    if ((frame->cs & 3) == 0) { /* Xen marks guest kernel mode so */
        mailbox->stub_fault = frame->rip;
        mailbox->vector = (uint32_t)frame->vector;
        mailbox->error_code = frame->error_code;
        mailbox->fault_address = shared_info->vcpu[0].fault_address;
        mailbox->operation = HATCHERY_MAILBOX_FAULT;
        print("hatchery: fault of the entries at ");
        print_hexadecimal(frame->rip);
        give_up("");
    }
    if (is_doorbell(frame)) {
        frame->rip += HATCHERY_DOORBELL_CODE_BYTES;
        mailbox->operation = (uint8_t)frame->rdi;
    } else {
        mailbox->operation = HATCHERY_MAILBOX_FAULT;
        mailbox->vector = (uint32_t)frame->vector;
        mailbox->error_code = frame->error_code;
        mailbox->fault_address = shared_info->vcpu[0].fault_address;
    }
    if (mailbox->handler != 0) {
        standalone_answer(mailbox);
    } else {
        ring_host();
    }
    complete_frame(frame);
}

static const struct platform pv = {
    .frame_of = frame_of,
    .page_of = page_of,
    .open = open,
    .install = install,
    .map_mailbox = map_mailbox,
    .start = start,
};

/* Whether the tables that Xen's builder made map the page at kernel_address. They are mapped so. */
static int is_mapped(uint64_t page) {
    const uint64_t address = (uint64_t)kernel_address(page * HATCHERY_PAGE_BYTES);
    const uint64_t *table = (const uint64_t *)start_info->page_tables;
    for (int shift = 39;; shift -= 9) {
        const uint64_t entry = table[address >> shift & 511];
        if ((entry & PAGE_PRESENT) == 0 || shift == 12) {
            return (entry & PAGE_PRESENT) != 0;
        }
        const uint64_t next = page_of((entry & PAGE_FRAME_MASK) / HATCHERY_PAGE_BYTES);
        table = kernel_address(next * HATCHERY_PAGE_BYTES);
    }
}

static void find_free_pages(uint64_t boot_stack_end) {
    /* From the kernel to the boot stack everything is in use, in this order (xen.h, "Start-of-day
     * memory layout"). */
    const uint64_t tables_end =
        physical_address_of((void *)start_info->page_tables) / HATCHERY_PAGE_BYTES +
        start_info->page_table_pages;
    const uint64_t stack_end = physical_address_of((void *)boot_stack_end) / HATCHERY_PAGE_BYTES;
    const uint64_t used_end = tables_end > stack_end ? tables_end : stack_end;
    mapped_end = used_end;
    while (mapped_end < start_info->pages && is_mapped(mapped_end)) {
        mapped_end++;
    }
    free_pages_add(1, start_info->pages - 1);
    const uint64_t load_start = (uint64_t)image_load_start / HATCHERY_PAGE_BYTES;
    free_pages_remove(load_start, used_end - load_start);
}

__attribute__((noreturn)) void pv_main(const struct xen_pv_start *from_xen,
                                       uint64_t boot_stack_end) {
    platform = &pv;
    start_info = from_xen;
    frames = (const uint64_t *)start_info->frames;
    map_kernel_page(shared_window, start_info->shared_info | READ_WRITE | PAGE_NOT_EXECUTABLE);
    shared_info = (volatile struct xen_shared_info *)shared_window;
    if (start_info->console_frame != 0) {
        console_open(kernel_address(page_of(start_info->console_frame) * HATCHERY_PAGE_BYTES),
                     start_info->console_port);
    }
    if (start_info->flags & XEN_START_MODULE_IS_PAGE) {
        give_up("the module is outside the initial mapping");
    }
    find_free_pages(boot_stack_end);
    struct start_of_day start = {
        .command_line = start_info->command_line,
        .memory_pages = start_info->pages,
    };
    if (start_info->module_bytes > 0) {
        start.module = (const uint8_t *)start_info->module;
        start.module_bytes = start_info->module_bytes;
        start.module_page = physical_address_of(start.module) / HATCHERY_PAGE_BYTES;
    }
    boot(&start);
}
