/* Memory that Xen may read and write for a hypercall. */
#ifndef HATCHERY_XEN_HYPERCALL_BUFFER_H
#define HATCHERY_XEN_HYPERCALL_BUFFER_H

#include <cstddef>
#include <utility>

#include "../machine/result.h"
#include "xen_library.h"

namespace hatchery {

/* Pages that stay where they are in machine memory; freed with their owner. */
class HypercallBuffer {
  public:
    HypercallBuffer() = default;
    HypercallBuffer(HypercallBuffer&& other) noexcept { *this = std::move(other); }
    HypercallBuffer& operator=(HypercallBuffer&& other) noexcept {
        std::swap(control_, other.control_);
        std::swap(buffer_, other.buffer_);
        std::swap(pages_, other.pages_);
        return *this;
    }
    HypercallBuffer(const HypercallBuffer&) = delete;
    HypercallBuffer& operator=(const HypercallBuffer&) = delete;
    ~HypercallBuffer();

    /* At least `bytes`, filled with zeros. `control` outlives the buffer. */
    static Result<HypercallBuffer> allocate(xc_interface* control, size_t bytes);

    bool valid() const { return control_ != nullptr; }
    void* bytes() const { return buffer_.hbuf; }
    /* As libxenctrl's functions take it. */
    xc_hypercall_buffer_t* get() { return &buffer_; }

  private:
    xc_interface* control_ = nullptr;
    xc_hypercall_buffer_t buffer_ = {};
    int pages_ = 0;
};

}  // namespace hatchery

#endif
