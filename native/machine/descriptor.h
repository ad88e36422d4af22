/* Owners of what the kernel hands out: descriptors and mappings. */
#ifndef HATCHERY_MACHINE_DESCRIPTOR_H
#define HATCHERY_MACHINE_DESCRIPTOR_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "result.h"
#include "system_call.h"

namespace hatchery {

/* A file descriptor, closed with its owner. */
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) {
            close(number_);
        }
    }

    int get() const { return number_; }
    bool valid() const { return number_ >= 0; }
    /* Makes it the caller's to close. */
    int release() { return std::exchange(number_, -1); }

  private:
    int number_ = -1;
};

/* A mapping, unmapped with its owner. A child process does not inherit it (MADV_DONTFORK). */
class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept
        : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(size_, other.size_);
        return *this;
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (bytes_ != nullptr) {
            munmap(bytes_, size_);
        }
    }

    /* As mmap(2); `descriptor` is -1 for anonymous memory. */
    static Result<Mapping> map(size_t size, int protection, int flags, int descriptor) {
        void* bytes =
            attempt("mmap", [&] { return mmap(nullptr, size, protection, flags, descriptor, 0); });
        if (bytes == MAP_FAILED) {
            return Failure::from_errno("mmap");
        }
        Mapping mapping;
        mapping.bytes_ = static_cast<uint8_t*>(bytes);
        mapping.size_ = size;
        constexpr const char* kDoNotFork = "madvise(MADV_DONTFORK)";
        if (attempt(kDoNotFork, [&] { return madvise(bytes, size, MADV_DONTFORK); }) < 0) {
            return Failure::from_errno(kDoNotFork);
        }
        return mapping;
    }

    /*
     * Takes `next` over where that begins at this one's end, so that one call unmaps both; else does
     * nothing and returns false.
     */
    bool join(Mapping& next) {
        if (bytes_ == nullptr || bytes_ + size_ != next.bytes_) {
            return false;
        }
        size_ += std::exchange(next.size_, 0);
        next.bytes_ = nullptr;
        return true;
    }

    /* Unmaps its first bytes, fewer than it has: whole pages. */
    Status drop_front(size_t bytes) {
        if (bytes > 0 && attempt("munmap", [&] { return munmap(bytes_, bytes); }) < 0) {
            return Failure::from_errno("munmap");
        }
        bytes_ += bytes;
        size_ -= bytes;
        return kSuccess;
    }

    uint8_t* bytes() const { return bytes_; }
    size_t size() const { return size_; }

  private:
    uint8_t* bytes_ = nullptr;
    size_t size_ = 0;
};

}  // namespace hatchery

#endif
