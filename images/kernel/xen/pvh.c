/*
 * PVH: the guest has the processor's own rings and page tables. The image runs in ring 3 over the
 * stub that Dom0 also uses (pvh_stub.S), whose handler is standalone_answer where there is no host.
 */
#include "boot.h"

__attribute__((noreturn)) void pvh_enter_stub(void);
extern uint64_t pvh_level_4[], pvh_window_level_2[];

typedef uint8_t page[HATCHERY_PAGE_BYTES] __attribute__((aligned(HATCHERY_PAGE_BYTES)));
static page stub_page, tables_page;
/* Xen's page takes this one's place. */
static page shared_page;

enum {
    LARGE_PAGE = 0x80,
    LARGE_PAGE_PAGES = 512,
    GIB_PAGES = 1 << 18, /* what pvh_entry.S maps */
};
#define WINDOW (XEN_KERNEL_BASE + (UINT64_C(1) << 30))

static uint64_t same_number(uint64_t page) {
    return page;
}

static void *open(uint64_t page) {
    return kernel_address(page * HATCHERY_PAGE_BYTES);
}

static void install(uint64_t level_3, uint64_t first_table, uint64_t last_table) {
    (void)first_table, (void)last_table;
    pvh_level_4[0] = level_3 * HATCHERY_PAGE_BYTES | PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER;
    __asm__ volatile("movq %0, %%cr3" : : "r"(physical_address_of(pvh_level_4)) : "memory");
}

static void map_supervisor(uint64_t address, uint64_t page, uint64_t flags) {
    address_space_map(address, page, 1, flags & ~(uint64_t)PAGE_USER);
}

static uint64_t page_number(const void *in_kernel) {
    return physical_address_of(in_kernel) / HATCHERY_PAGE_BYTES;
}

static struct hatchery_mailbox *map_mailbox(uint64_t mailbox_page) {
    copy_bytes(stub_page, hatchery_stub_code,
               (size_t)(hatchery_stub_code_end - hatchery_stub_code));
    copy_bytes(tables_page, hatchery_stub_tables,
               (size_t)(hatchery_stub_tables_end - hatchery_stub_tables));
    map_supervisor(HATCHERY_STUB_ADDRESS, page_number(stub_page), PAGE_PRESENT);
    map_supervisor(HATCHERY_MAILBOX_ADDRESS, mailbox_page, USER_READ_WRITE);
    /* Writable for LTR; only this code could write to it. */
    map_supervisor(HATCHERY_TABLES_ADDRESS, page_number(tables_page), USER_READ_WRITE);
    map_supervisor(HATCHERY_SHARED_INFO, page_number(shared_page), USER_READ_WRITE);
    return (struct hatchery_mailbox *)HATCHERY_MAILBOX_ADDRESS;
}

__attribute__((noreturn)) static void start(void) {
    /* As Xen's hypercalls do it: MOV EAX, number; then VMCALL (0F 01 C1) or VMMCALL (0F 01 D9). */
    const uint8_t last_byte = (uint8_t)xen_hypercall_page[7];
    mailbox->instruction = last_byte == 0xd9 ? HATCHERY_MAILBOX_VMMCALL : HATCHERY_MAILBOX_VMCALL;
    pvh_enter_stub();
}

static const struct platform pvh = {
    .frame_of = same_number,
    .page_of = same_number,
    .open = open,
    .install = install,
    .map_mailbox = map_mailbox,
    .start = start,
};

/* Xen's CPUID leaves say which MSR takes the hypercall page (arch-x86/cpuid.h). */
static void fill_hypercall_page(void) {
    enum {
        FIRST_LEAF = 0x40000000,
        END_OF_LEAVES = 0x40010000,
        SIGNATURE = 0x566e6558
    };
    for (uint32_t leaf = FIRST_LEAF; leaf < END_OF_LEAVES; leaf += 0x100) {
        uint32_t a = leaf, b, c = 0, d;
        __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        if (b == SIGNATURE) { /* "XenV", of XenVMMXenVMM */
            a = leaf + 2;
            c = 0;
            __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
            const uint64_t target = physical_address_of(xen_hypercall_page);
            __asm__ volatile("wrmsr"
                             :
                             : "c"(b), "a"((uint32_t)target), "d"((uint32_t)(target >> 32))
                             : "memory");
            return;
        }
    }
    __builtin_trap(); /* without Xen there is nobody to tell */
}

static uint64_t parameter(uint32_t index) {
    struct xen_hvm_param param = {.domain = XEN_DOMAIN_SELF, .index = index};
    const int64_t failed = xen_hypercall(XEN_HVM_OP, XEN_HVM_GET_PARAM, (uint64_t)&param, 0, 0);
    return failed ? 0 : param.value;
}

static void open_console(void) {
    const uint64_t ring = parameter(XEN_PARAM_CONSOLE_FRAME);
    if (ring != 0) {
        const uint64_t large = ring & ~(uint64_t)(LARGE_PAGE_PAGES - 1);
        pvh_window_level_2[0] = large * HATCHERY_PAGE_BYTES | LARGE_PAGE | PAGE_WRITABLE |
                                PAGE_PRESENT | PAGE_NOT_EXECUTABLE;
        console_open((struct xen_console_ring *)(WINDOW + (ring - large) * HATCHERY_PAGE_BYTES),
                     (uint32_t)parameter(XEN_PARAM_CONSOLE_PORT));
    }
}

static void map_shared_info(void) {
    const struct xen_add_to_physmap add = {
        .domain = XEN_DOMAIN_SELF,
        .space = XEN_MAPSPACE_SHARED_INFO,
        .frame = page_number(shared_page),
    };
    if (xen_hypercall(XEN_MEMORY_OP, XEN_MEMORY_ADD_TO_PHYSMAP, (uint64_t)&add, 0, 0) != 0) {
        crash();
    }
    shared_info = (volatile struct xen_shared_info *)shared_page;
}

static void remove_bytes(uint64_t address, uint64_t bytes) {
    const uint64_t first = address / HATCHERY_PAGE_BYTES;
    free_pages_remove(first, PAGES_OF(address + bytes) - first);
}

/* Adds what is memory, but for what is in use; returns how many pages that is all in all. */
static uint64_t find_free_pages(const struct xen_pvh_start *info) {
    const struct xen_memory_range *map = kernel_address(info->memory_map);
    uint64_t pages = 0;
    int is_cut = 0;
    for (uint32_t i = 0; i < info->memory_map_entries; i++) {
        uint64_t first = PAGES_OF(map[i].address);
        uint64_t end = (map[i].address + map[i].bytes) / HATCHERY_PAGE_BYTES;
        if (map[i].type != XEN_MEMORY_RAM) {
            continue;
        }
        is_cut |= end > GIB_PAGES;
        end = end < GIB_PAGES ? end : GIB_PAGES;
        if (first < end) {
            pages += end - first;
            free_pages_add(first, end - first);
        }
    }
    if (is_cut) {
        print("hatchery: only the first GiB of this PVH domain's memory is used\n");
    }
    free_pages_remove(0, 1);
    remove_bytes((uint64_t)image_load_start, (uint64_t)(image_load_end - image_load_start));
    remove_bytes(physical_address_of(info), sizeof *info);
    remove_bytes(info->memory_map, info->memory_map_entries * sizeof *map);
    remove_bytes(info->command_line, text_length(kernel_address(info->command_line)) + 1);
    const struct xen_pvh_module *modules = kernel_address(info->modules);
    remove_bytes(info->modules, info->module_count * sizeof *modules);
    for (uint32_t i = 0; i < info->module_count; i++) {
        remove_bytes(modules[i].address, modules[i].bytes);
    }
    return pages;
}

__attribute__((noreturn)) void pvh_main(uint64_t start_info) {
    platform = &pvh;
    fill_hypercall_page();
    map_shared_info();
    open_console();
    const struct xen_pvh_start *info = kernel_address(start_info);
    if (info->magic != XEN_PVH_MAGIC || info->version < 1 || info->memory_map_entries == 0) {
        give_up("this Xen gives PVH guests no memory map: it is older than 4.11");
    }
    struct start_of_day start = {
        .command_line = info->command_line != 0 ? kernel_address(info->command_line) : "",
        .memory_pages = find_free_pages(info),
    };
    if (info->module_count > 0) {
        const struct xen_pvh_module *module = kernel_address(info->modules);
        start.module = kernel_address(module->address);
        start.module_bytes = module->bytes;
        start.module_page = module->address / HATCHERY_PAGE_BYTES;
    }
    boot(&start);
}
