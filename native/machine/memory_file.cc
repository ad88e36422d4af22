#include "memory_file.h"

#include <fcntl.h>
#include <unistd.h>

namespace hatchery {

Result<MemoryFile> MemoryFile::create(size_t bytes) {
    MemoryFile file;
    file.size_ = bytes;
    file.descriptor_ = Descriptor(attempt("memfd_create", [] {
        return memfd_create("hatchery-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }));
    if (!file.descriptor_.valid()) {
        return Failure::from_errno("memfd_create");
    }
    const int descriptor = file.descriptor_.get();
    if (attempt("ftruncate", [&] { return ftruncate(descriptor, static_cast<off_t>(bytes)); }) <
        0) {
        return Failure::from_errno("ftruncate");
    }
    return file;
}

Status MemoryFile::write(uint64_t offset, std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = attempt("pwrite", [&] {
            return pwrite(descriptor_.get(), bytes.data(), bytes.size(),
                          static_cast<off_t>(offset));
        });
        if (count < 0) {
            return Failure::from_errno("pwrite");
        }
        if (count == 0) {
            return Failure{"pwrite", EIO};
        }
        bytes = bytes.subspan(static_cast<size_t>(count));
        offset += static_cast<uint64_t>(count);
    }
    return kSuccess;
}

Status MemoryFile::write_pages(uint64_t offset, const uint8_t* memory, const PageSet& pages) {
    Status failed;
    pages.for_each_run([&](size_t page, size_t count) {
        const size_t at = page * HATCHERY_PAGE_BYTES;
        if (!failed) {
            failed = write(offset + at, {memory + at, count * HATCHERY_PAGE_BYTES});
        }
    });
    return failed;
}

Status MemoryFile::map_copy_on_write_at(uint8_t* address, size_t bytes) const {
    const void* mapped = attempt("mmap", [&] {
        return mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED,
                    descriptor_.get(), 0);
    });
    if (mapped == MAP_FAILED) {
        return Failure::from_errno("mmap");
    }
    constexpr const char* kDoNotFork = "madvise(MADV_DONTFORK)";
    if (attempt(kDoNotFork, [&] { return madvise(address, bytes, MADV_DONTFORK); }) < 0) {
        return Failure::from_errno(kDoNotFork);
    }
    return kSuccess;
}

Status MemoryFile::seal() {
    constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    constexpr const char* kAddSeals = "fcntl(F_ADD_SEALS)";
    if (attempt(kAddSeals, [&] { return fcntl(descriptor_.get(), F_ADD_SEALS, kSeals); }) < 0) {
        return Failure::from_errno(kAddSeals);
    }
    return kSuccess;
}

}  // namespace hatchery
