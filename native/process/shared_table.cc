#include "shared_table.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace hatchery {

/* With the size sealed, no process can make the other's accesses fault. */
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Result<Descriptor> create_table(size_t bytes) {
    Descriptor file(memfd_create("hatchery-table", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file.valid()) {
        return Failure::from_errno("memfd_create");
    }
    if (ftruncate(file.get(), static_cast<off_t>(bytes)) < 0) {
        return Failure::from_errno("ftruncate");
    }
    if (fcntl(file.get(), F_ADD_SEALS, kSeals) < 0) {
        return Failure::from_errno("fcntl(F_ADD_SEALS)");
    }
    return file;
}

Result<Mapping> map_table(int descriptor) {
    const int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0) {
        return Failure::from_errno("fcntl(F_GET_SEALS)");
    }
    struct stat facts = {};
    if (fstat(descriptor, &facts) < 0) {
        return Failure::from_errno("fstat");
    }
    if ((seals & kSeals) != kSeals) {
        return Failure{"fcntl(F_GET_SEALS)", EINVAL};
    }
    return Mapping::map(static_cast<size_t>(facts.st_size), PROT_READ | PROT_WRITE, MAP_SHARED,
                        descriptor);
}

}  // namespace hatchery
