/*
 * The host's own code in the guest: the first instructions of every instance, in pages that the
 * guest cannot write and the image does not contain (HATCHERY_RESUME_ADDRESS of the ABI).
 *
 * KVM offers no cheap and complete way to set a vCPU's vector state: KVM_SET_FPU leaves the upper
 * halves, and where CPUID reports no XSAVE, KVM_SET_XSAVE leaves them too although the guest can
 * use them. XRSTOR in the guest's own ring covers everything that XCR0 enables, whatever the host's
 * KVM knows of it. So a vCPU always starts here: XRSTOR with an XSAVE area that says that every
 * component is in its initial configuration (Intel SDM volume 1, section 13.8), then the jump into
 * the image. FNINIT comes first because some processors leave the x87 error pointers alone in
 * XRSTOR when no exception is pending (AMD APM volume 2, section 11.4.4.3).
 */
#ifndef HATCHERY_KVM_RESUME_STUB_H
#define HATCHERY_KVM_RESUME_STUB_H

#include <cstdint>

#include "../../images/abi/hatchery.h"

namespace hatchery {

/* One page of code, one for the target and the start of the XSAVE area, three for its rest. */
inline constexpr uint64_t kResumePages = 5;
inline constexpr uint64_t kResumeBytes = kResumePages * HATCHERY_PAGE_BYTES;

/* Offsets from HATCHERY_RESUME_ADDRESS. */
inline constexpr uint64_t kResumeEntry = 0;
inline constexpr uint64_t kProbeEntry = 64;
inline constexpr uint64_t kBareProbeEntry = 64 + 11;
inline constexpr uint64_t kResumeTarget = HATCHERY_PAGE_BYTES;
inline constexpr uint64_t kResumeXsaveArea = HATCHERY_PAGE_BYTES + 64;

/* RAX and RDX at the entry: the XRSTOR mask, all components. */
inline constexpr uint64_t kResumeMask = 0xffffffff;

/* What the XSAVE area holds besides zeroes (SDM volume 1, table 13-1). */
inline constexpr uint64_t kMxcsrOffset = 24;
inline constexpr uint32_t kMxcsrInitial = 0x1f80;

inline constexpr uint8_t kResumeCode[] = {
    0xdb, 0xe3,                                            // fninit
    0x48, 0x0f, 0xae, 0x2c, 0x25, 0x40, 0x10, 0x10, 0x00,  // xrstor64 [0x101040]
    0xff, 0x24, 0x25, 0x00, 0x10, 0x10, 0x00,              // jmp [0x101000]
};
/* The same, then the doorbell with AL = 0xff (HATCHERY_PROBE) instead of the jump. */
inline constexpr uint8_t kProbeCode[] = {
    0xdb, 0xe3,                                            // fninit
    0x48, 0x0f, 0xae, 0x2c, 0x25, 0x40, 0x10, 0x10, 0x00,  // xrstor64 [0x101040]
    0x88, 0x04, 0x25, 0x00, 0x00, 0x18, 0x00,              // mov %al, [0x180000]
    0x0f, 0x0b,                                            // ud2
};
static_assert(HATCHERY_RESUME_ADDRESS == 0x100000 && kResumeTarget == 0x1000 &&
                  kResumeXsaveArea == 0x1040 && HATCHERY_DOORBELL_ADDRESS == 0x180000,
              "the code above contains these numbers");
static_assert(sizeof kResumeCode <= kProbeEntry);

}  // namespace hatchery

#endif
