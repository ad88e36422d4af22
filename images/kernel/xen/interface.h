/*
 * Xen's interface, as far as the entries use it: numbers and structures of its public headers
 * (xen/include/public, 4.17), which a machine that builds images need not have. 64-bit layout.
 */
#ifndef HATCHERY_KERNEL_XEN_INTERFACE_H
#define HATCHERY_KERNEL_XEN_INTERFACE_H

/* What the kernel's half of the entries is linked to, over its physical address; see image.lds. */
#define XEN_KERNEL_BASE 0xffffffff80000000

/* xen.h: hypercalls. */
#define XEN_SET_TRAP_TABLE 0
#define XEN_MMU_UPDATE 1
#define XEN_STACK_SWITCH 3
#define XEN_MEMORY_OP 12
#define XEN_UPDATE_VA_MAPPING 14
#define XEN_VM_ASSIST 21
#define XEN_IRET 23
#define XEN_MMUEXT_OP 26
#define XEN_SCHED_OP 29
#define XEN_EVENT_CHANNEL_OP 32
#define XEN_HVM_OP 34
#define XEN_HYPERCALL_BYTES 32 /* of one in the hypercall page */

/* arch-x86/xen-x86_64.h: the flat segments that Xen gives to a PV guest. */
#define XEN_PV_CODE 0xe033
#define XEN_PV_STACK 0xe02b

#ifndef __ASSEMBLER__

#include <stdint.h>

#define XEN_DOMAIN_SELF 0x7ff0

/* sched.h */
#define XEN_SCHED_SHUTDOWN 2
#define XEN_SCHED_POLL 3
#define XEN_SHUTDOWN_POWEROFF 0
#define XEN_SHUTDOWN_CRASH 3

struct xen_poll {
    const uint32_t *ports;
    uint32_t count;
    uint32_t padding;
    uint64_t timeout; /* Xen's system time in nanoseconds; 0: none */
};

/* event_channel.h */
#define XEN_EVENT_SEND 4

/* memory.h */
#define XEN_MEMORY_ADD_TO_PHYSMAP 7
#define XEN_MAPSPACE_SHARED_INFO 0

struct xen_add_to_physmap {
    uint16_t domain;
    uint16_t size;
    uint32_t space;
    uint64_t index;
    uint64_t frame;
};

/* hvm/hvm_op.h, hvm/params.h */
#define XEN_HVM_GET_PARAM 1
#define XEN_PARAM_CONSOLE_FRAME 17
#define XEN_PARAM_CONSOLE_PORT 18

struct xen_hvm_param {
    uint16_t domain;
    uint16_t padding;
    uint32_t index;
    uint64_t value;
};

/* xen.h: page tables of a PV guest. */
#define XEN_FLUSH_PAGE 2 /* UVMF_INVLPG, of this vCPU */
#define XEN_PIN_L4_TABLE 3
#define XEN_NEW_USER_BASE 15
#define XEN_MACHINE_TO_PHYSICAL 0xffff800000000000 /* MACH2PHYS_VIRT_START */

struct xen_mmu_update {
    uint64_t entry; /* machine address of a page table entry */
    uint64_t value;
};

struct xen_mmuext_op {
    uint32_t command;
    uint32_t padding;
    uint64_t frame;
    uint64_t argument;
};

#define XEN_ASSIST_ENABLE 0
#define XEN_ASSIST_STRICT_M2P 32 /* keeps the table above out of user mode's address space */

struct xen_trap {
    uint8_t vector;
    uint8_t flags;
    uint16_t code_segment;
    uint64_t address;
};

/* xen.h: time, and what Xen shares with the domain. */
struct xen_time {
    uint32_t version;
    uint32_t padding;
    uint64_t counter_at;
    uint64_t system_time;
    uint32_t multiplier; /* nanoseconds are (ticks << shift) * multiplier >> 32 */
    int8_t shift;
    uint8_t flags;
    uint8_t padding_2[2];
};

struct xen_vcpu {
    uint8_t is_pending;
    uint8_t is_masked;
    uint8_t padding[6];
    uint64_t pending_groups;
    uint64_t fault_address; /* of a PV guest's page fault */
    uint64_t padding_2;
    struct xen_time time;
};

struct xen_shared_info {
    struct xen_vcpu vcpu[32];
    uint64_t pending[64];
    uint64_t masked[64];
    uint32_t wall_version;
    uint32_t wall_seconds;
    uint32_t wall_nanoseconds;
    uint32_t wall_seconds_high;
};

_Static_assert(sizeof(struct xen_vcpu) == 64, "struct vcpu_info of xen.h");

/* xen.h: struct start_info, what a PV guest's entry gets. */
struct xen_pv_start {
    char magic[32];
    uint64_t pages;
    uint64_t shared_info; /* machine address */
    uint32_t flags;
    uint32_t padding;
    uint64_t store_frame;
    uint32_t store_port;
    uint32_t padding_2;
    uint64_t console_frame; /* of the machine */
    uint32_t console_port;
    uint32_t padding_3;
    uint64_t page_tables; /* virtual addresses, as all of the following */
    uint64_t page_table_pages;
    uint64_t frames; /* of the machine, one uint64_t for each page */
    uint64_t module;
    uint64_t module_bytes;
    char command_line[1024];
};

#define XEN_START_MODULE_IS_PAGE 8 /* SIF_MOD_START_PFN */

/* arch-x86/hvm/start_info.h: what a PVH guest's entry gets; physical addresses. */
#define XEN_PVH_MAGIC 0x336ec578

struct xen_pvh_start {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memory_map; /* from version 1 */
    uint32_t memory_map_entries;
    uint32_t reserved;
};

struct xen_pvh_module {
    uint64_t address;
    uint64_t bytes;
    uint64_t command_line;
    uint64_t reserved;
};

struct xen_memory_range {
    uint64_t address;
    uint64_t bytes;
    uint32_t type;
    uint32_t reserved;
};

#define XEN_MEMORY_RAM 1

/* io/console.h: struct xencons_interface. */
struct xen_console_ring {
    char in[1024];
    char out[2048];
    uint32_t in_consumed, in_produced;
    uint32_t out_consumed, out_produced;
};

/*
 * The page that Xen fills with the instructions of hypercalls: when it loads a PV guest's file, or
 * when a PVH guest asks for it. A failure is negative: an error number of Xen's.
 */
extern const char xen_hypercall_page[];

static inline int64_t xen_hypercall(uint32_t number, uint64_t first, uint64_t second,
                                    uint64_t third, uint64_t fourth) {
    int64_t result;
    register uint64_t r10 __asm__("r10") = fourth;
    __asm__ volatile("call *%[target]"
                     : "=a"(result), "+D"(first), "+S"(second), "+d"(third), "+r"(r10)
                     : [target] "r"(xen_hypercall_page + XEN_HYPERCALL_BYTES * number)
                     : "rcx", "r8", "r9", "r11", "memory");
    return result;
}

#endif

#endif
