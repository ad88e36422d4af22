#include "vcpu_context.h"

#include <algorithm>
#include <cstring>

#include "../../images/abi/hatchery_xen.h"
#include "xen_library.h"
/* After the library, whose types it is made of. */
#include <xen/hvm/save.h>

namespace hatchery {
namespace {

/* CR0: PE, MP, ET, NE, WP, AM, PG. CR4: PAE, OSFXSR, OSXMMEXCPT; OSXSAVE stays clear, so that there
 * is no AVX whose state would have to be rewound, and FSGSBASE and PKE too. EFER: LME, LMA, NXE;
 * SCE stays clear, so that SYSCALL is an invalid instruction. (Intel SDM volume 3A, sections 2.2.1
 * and 2.5.) */
constexpr uint64_t kCr0 = 0x80050033;
constexpr uint64_t kCr4 = 0x620;
constexpr uint64_t kEfer = 0xd00;

/* RFLAGS: the bit that is always 1. */
constexpr uint64_t kRflags = 0x2;

/* Segment attributes: type, S, DPL, P, AVL, L, D/B, G, from bit 0 on, as in the descriptors of
 * pvh_stub.S. (AMD APM volume 2, section 4.7; the TSS is busy: VM entry demands it.) */
constexpr uint32_t kKernelCode = 0xa9b;
constexpr uint32_t kKernelData = 0xc93;
constexpr uint32_t kUserData = 0xcf3;
constexpr uint32_t kBusyTask = 0x8b;
constexpr uint32_t kFlatLimit = 0xffffffff;

/* Debug registers as after a reset. (Intel SDM volume 3A, table 10-1.) */
constexpr uint64_t kDr6 = 0xffff0ff0;
constexpr uint64_t kDr7 = 0x400;

/* IA32_MTRR_DEF_TYPE: enabled, all memory write-back; after a reset it is uncached.
 * (Section 12.11.2.1.)
 */
constexpr uint64_t kWriteBack = 0x806;

using CpuRecord = HVM_SAVE_TYPE(CPU);
using MemoryTypesRecord = HVM_SAVE_TYPE(MTRR);

void set_registers(CpuRecord& cpu, uint64_t page_tables) {
    cpu.rsp = HATCHERY_STUB_STACK;
    cpu.rip = HATCHERY_STUB_ENTRY;
    cpu.rflags = kRflags;
    cpu.cr0 = kCr0;
    cpu.cr3 = page_tables;
    cpu.cr4 = kCr4;
    cpu.dr6 = kDr6;
    cpu.dr7 = kDr7;
    cpu.msr_efer = kEfer;
}

void set_segments(CpuRecord& cpu) {
    cpu.cs_sel = HATCHERY_KERNEL_CODE;
    cpu.cs_arbytes = kKernelCode;
    cpu.ss_sel = HATCHERY_KERNEL_DATA;
    cpu.ss_arbytes = kKernelData;
    cpu.ds_sel = cpu.es_sel = cpu.fs_sel = cpu.gs_sel = HATCHERY_USER_DATA;
    cpu.ds_arbytes = cpu.es_arbytes = cpu.fs_arbytes = cpu.gs_arbytes = kUserData;
    cpu.cs_limit = cpu.ss_limit = kFlatLimit;
    cpu.ds_limit = cpu.es_limit = cpu.fs_limit = cpu.gs_limit = kFlatLimit;
    cpu.tr_sel = HATCHERY_TASK;
    cpu.tr_base = HATCHERY_STUB_TSS;
    cpu.tr_limit = HATCHERY_STUB_TSS_LIMIT;
    cpu.tr_arbytes = kBusyTask;
    cpu.gdtr_base = HATCHERY_STUB_GDT;
    cpu.gdtr_limit = HATCHERY_STUB_GDT_LIMIT;
    cpu.idtr_base = HATCHERY_STUB_IDT;
    cpu.idtr_limit = HATCHERY_STUB_IDT_LIMIT;
}

void append(std::vector<uint8_t>& to, uint16_t type, const void* record, size_t bytes) {
    const struct hvm_save_descriptor descriptor = {type, 0, static_cast<uint32_t>(bytes)};
    const auto put = [&](const void* from, size_t count) {
        const auto* start = static_cast<const uint8_t*>(from);
        to.insert(to.end(), start, start + count);
    };
    put(&descriptor, sizeof descriptor);
    put(record, bytes);
}

/* Finds the first record of a type; false where there is none, or one of another size. */
template <typename Record>
bool find(std::span<const uint8_t> records, uint16_t type, Record& into) {
    struct hvm_save_descriptor descriptor;
    while (records.size() >= sizeof descriptor) {
        std::memcpy(&descriptor, records.data(), sizeof descriptor);
        records = records.subspan(sizeof descriptor);
        if (records.size() < descriptor.length) {
            return false;
        }
        if (descriptor.typecode == type) {
            std::memcpy(&into, records.data(), std::min(sizeof into, records.size()));
            return descriptor.length == sizeof into;
        }
        records = records.subspan(descriptor.length);
    }
    return false;
}

}  // namespace

Result<std::vector<uint8_t>> initial_context(std::span<const uint8_t> own, uint64_t page_tables) {
    HVM_SAVE_TYPE(HEADER) header;
    MemoryTypesRecord types;
    if (!find(own, HVM_SAVE_CODE(HEADER), header) || !find(own, HVM_SAVE_CODE(MTRR), types)) {
        return Failure{"the domain's own context", EBADMSG};
    }
    types.msr_mtrr_def_type = kWriteBack;
    /* A vCPU that has never run has no record of its own. Its vector state is the stub's work. */
    CpuRecord cpu = {};
    set_registers(cpu, page_tables);
    set_segments(cpu);
    std::vector<uint8_t> records;
    append(records, HVM_SAVE_CODE(HEADER), &header, sizeof header);
    append(records, HVM_SAVE_CODE(CPU), &cpu, sizeof cpu);
    append(records, HVM_SAVE_CODE(MTRR), &types, sizeof types);
    append(records, HVM_SAVE_CODE(END), nullptr, 0);
    return records;
}

}  // namespace hatchery
