/* Randomness for guests. */
#ifndef HATCHERY_MACHINE_ENTROPY_H
#define HATCHERY_MACHINE_ENTROPY_H

#include <cstdint>
#include <span>

#include "result.h"

namespace hatchery {

/*
 * Fills `into` (at most 256 bytes) from the kernel's generator. Bytes are fetched ahead, a thread
 * at a time, and wiped when they are handed out, so that none is used twice. MADV_WIPEONFORK is not
 * needed: no child process of this one runs guests.
 */
Status fill_entropy(std::span<uint8_t> into);

}  // namespace hatchery

#endif
