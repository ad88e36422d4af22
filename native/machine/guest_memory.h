/* The one way to bytes that a guest wrote. */
#ifndef HATCHERY_MACHINE_GUEST_MEMORY_H
#define HATCHERY_MACHINE_GUEST_MEMORY_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hatchery {

/* The bytes of a structure, for writing it. */
template <typename Structure>
std::span<const uint8_t> bytes_of(const Structure& structure) {
    return {reinterpret_cast<const uint8_t*>(&structure), sizeof structure};
}

/*
 * A window of guest memory. Nothing leaves it but by a copy whose place and length were checked
 * against the window, in arithmetic that cannot overflow. The vCPU must not run meanwhile; the
 * callers copy each thing once and work on the copy.
 */
class GuestWindow {
  public:
    GuestWindow(uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

    bool contains(size_t offset, size_t count) const {
        return offset <= size_ && count <= size_ - offset;
    }

    /* Copies `into.size()` bytes at `offset`; false, and nothing copied, where they are not all in
     * the window. */
    bool read(size_t offset, std::span<uint8_t> into) const {
        if (!contains(offset, into.size())) {
            return false;
        }
        std::copy_n(bytes_ + offset, into.size(), into.data());
        return true;
    }

    bool write(size_t offset, std::span<const uint8_t> from) {
        if (!contains(offset, from.size())) {
            return false;
        }
        std::copy_n(from.data(), from.size(), bytes_ + offset);
        return true;
    }

  private:
    uint8_t* bytes_;
    size_t size_;
};

}  // namespace hatchery

#endif
