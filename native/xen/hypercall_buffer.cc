#include "hypercall_buffer.h"

#include "../machine/system_call.h"

namespace hatchery {

HypercallBuffer::~HypercallBuffer() {
    if (valid()) {
        xc__hypercall_buffer_free_pages(control_, &buffer_, pages_);
    }
}

Result<HypercallBuffer> HypercallBuffer::allocate(xc_interface* control, size_t bytes) {
    constexpr const char* kAllocate = "xc_hypercall_buffer_alloc_pages";
    HypercallBuffer made;
    made.pages_ = static_cast<int>((bytes + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE);
    /* "No bounce": the caller fills it in, nothing copies to or from it (xenctrl.h). */
    made.buffer_.ubuf = reinterpret_cast<void*>(-1);
    if (fault_is_due(kAllocate) ||
        xc__hypercall_buffer_alloc_pages(control, &made.buffer_, made.pages_) == nullptr) {
        return Failure::from_errno(kAllocate);
    }
    made.control_ = control;
    return made;
}

}  // namespace hatchery
