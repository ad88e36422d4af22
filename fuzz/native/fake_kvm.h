/*
 * A KVM for the fuzzers, in the place of native/kvm/kvm_ioctl.cc: one machine at a time, whose
 * guest does what the fuzzer's input says. Everything above it is the addon's real code.
 */
#ifndef HATCHERY_FUZZ_FAKE_KVM_H
#define HATCHERY_FUZZ_FAKE_KVM_H

#include <fuzzer/FuzzedDataProvider.h>
#include <linux/kvm.h>

#include <cstdint>
#include <memory>

#include "../../native/kvm/kvm_device.h"

namespace hatchery::fuzz {

struct FakeGuest {
    FuzzedDataProvider* input = nullptr;
    /* Whether system calls may fail. */
    bool faults = false;
    /* Addresses in guest physical memory. */
    uint64_t channel = 0;
    uint64_t doorbell = 0;
};

/* What the next calls do; `input` must outlive them. */
void play(const FakeGuest& guest);

/* The device, opened once. */
std::shared_ptr<const KvmDevice> device();

/* Ends the process with a report, as a crash that the fuzzer keeps. */
[[noreturn]] void violated(const char* what);

inline void expect(bool holds, const char* what) {
    if (!holds) {
        violated(what);
    }
}

}  // namespace hatchery::fuzz

#endif
