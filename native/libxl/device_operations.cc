/* Operations on a domain's disks and network interfaces. */
#include "json.h"
#include "operation.h"

namespace hatchery {
namespace {

int attach_disk(Operation& operation) {
    const auto disk = std::make_shared<DeviceDisk>();
    if (libxl_device_disk_from_json(operation.ctx(), disk->get(), operation.text(0).c_str()) != 0) {
        return operation.refuse(ERROR_INVAL, "libxl cannot read the disk's description");
    }
    operation.set_result([ctx = operation.ctx(), disk] {
        return take_string(libxl_device_disk_to_json(ctx, disk->get()));
    });
    return libxl_device_disk_add(operation.ctx(), operation.domid(), disk->get(), operation.how());
}

/* Text 0: the guest's name of it. Number 1: whether to do without the guest. */
int detach_disk(Operation& operation) {
    const auto disk = std::make_shared<DeviceDisk>();
    if (const int code = libxl_vdev_to_device_disk(operation.ctx(), operation.domid(),
                                                   operation.text(0).c_str(), disk->get())) {
        return operation.refuse(code, "the domain has no disk " + operation.text(0));
    }
    operation.set_result([disk] { return std::string("null"); });
    return operation.number(1) != 0 ? libxl_device_disk_destroy(operation.ctx(), operation.domid(),
                                                                disk->get(), operation.how())
                                    : libxl_device_disk_remove(operation.ctx(), operation.domid(),
                                                               disk->get(), operation.how());
}

int list_disks(Operation& operation) {
    int count = 0;
    libxl_device_disk* const disks =
        libxl_device_disk_list(operation.ctx(), operation.domid(), &count);
    operation.set_result(json_array(disks, count, [&](libxl_device_disk* disk) {
        return take_string(libxl_device_disk_to_json(operation.ctx(), disk));
    }));
    libxl_device_disk_list_free(disks, count);
    return 0;
}

int attach_nic(Operation& operation) {
    const auto nic = std::make_shared<DeviceNic>();
    if (libxl_device_nic_from_json(operation.ctx(), nic->get(), operation.text(0).c_str()) != 0) {
        return operation.refuse(ERROR_INVAL, "libxl cannot read the interface's description");
    }
    operation.set_result([ctx = operation.ctx(), nic] {
        return take_string(libxl_device_nic_to_json(ctx, nic->get()));
    });
    return libxl_device_nic_add(operation.ctx(), operation.domid(), nic->get(), operation.how());
}

/* Number 1: the interface's. Number 2: whether to do without the guest. */
int detach_nic(Operation& operation) {
    const auto nic = std::make_shared<DeviceNic>();
    if (const int code =
            libxl_devid_to_device_nic(operation.ctx(), operation.domid(),
                                      static_cast<int>(operation.number(1)), nic->get())) {
        return operation.refuse(
            code, "the domain has no network interface " + std::to_string(operation.number(1)));
    }
    operation.set_result([nic] { return std::string("null"); });
    return operation.number(2) != 0 ? libxl_device_nic_destroy(operation.ctx(), operation.domid(),
                                                               nic->get(), operation.how())
                                    : libxl_device_nic_remove(operation.ctx(), operation.domid(),
                                                              nic->get(), operation.how());
}

int list_nics(Operation& operation) {
    int count = 0;
    libxl_device_nic* const nics =
        libxl_device_nic_list(operation.ctx(), operation.domid(), &count);
    operation.set_result(json_array(nics, count, [&](libxl_device_nic* nic) {
        return take_string(libxl_device_nic_to_json(operation.ctx(), nic));
    }));
    libxl_device_nic_list_free(nics, count);
    return 0;
}

}  // namespace

std::span<const OperationKind> device_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "attachDisk", .call = attach_disk, .numbers = 1, .texts = 1, .about_domain = true},
        {.name = "detachDisk", .call = detach_disk, .numbers = 2, .texts = 1, .about_domain = true},
        {.name = "listDisks", .call = list_disks, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "attachNic", .call = attach_nic, .numbers = 1, .texts = 1, .about_domain = true},
        {.name = "detachNic", .call = detach_nic, .numbers = 3, .texts = 0, .about_domain = true},
        {.name = "listNics", .call = list_nics, .numbers = 1, .texts = 0, .about_domain = true},
    };
    return kinds;
}

}  // namespace hatchery
