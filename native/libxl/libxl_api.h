/* libxl's headers, at the version of its interface that this is written for: Xen 4.14 to 4.17. */
#ifndef HATCHERY_LIBXL_LIBXL_API_H
#define HATCHERY_LIBXL_LIBXL_API_H

#define LIBXL_API_VERSION 0x041400

extern "C" {
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <xentoollog.h>
}

#include <cstdlib>
#include <string>

namespace hatchery {

/* A value of one of libxl's types, with what it owns. libxl may be given its address. */
template <typename Type, void (*initialise)(Type*), void (*dispose)(Type*)>
class LibxlValue {
  public:
    LibxlValue() { initialise(&value_); }
    ~LibxlValue() { dispose(&value_); }
    LibxlValue(const LibxlValue&) = delete;
    LibxlValue& operator=(const LibxlValue&) = delete;

    Type* get() { return &value_; }
    Type* operator->() { return &value_; }

  private:
    Type value_;
};

using DomainConfig =
    LibxlValue<libxl_domain_config, libxl_domain_config_init, libxl_domain_config_dispose>;
using DomainInfo = LibxlValue<libxl_dominfo, libxl_dominfo_init, libxl_dominfo_dispose>;
using DeviceDisk = LibxlValue<libxl_device_disk, libxl_device_disk_init, libxl_device_disk_dispose>;
using DeviceNic = LibxlValue<libxl_device_nic, libxl_device_nic_init, libxl_device_nic_dispose>;
using SchedulerParameters = LibxlValue<libxl_domain_sched_params, libxl_domain_sched_params_init,
                                       libxl_domain_sched_params_dispose>;
using Bitmap = LibxlValue<libxl_bitmap, libxl_bitmap_init, libxl_bitmap_dispose>;

/* The string that libxl allocated, which is freed; empty for none. */
inline std::string take_string(char* allocated) {
    std::string text = allocated == nullptr ? "" : allocated;
    free(allocated);
    return text;
}

}  // namespace hatchery

#endif
