/* Sets of processors among an operation's numbers. */
#ifndef HATCHERY_LIBXL_BITMAPS_H
#define HATCHERY_LIBXL_BITMAPS_H

#include "operation.h"

namespace hatchery {

/* Sets the bits of the numbers from `begin` to before `end`; the host must have these processors.
 */
inline int read_processors(Operation& operation, size_t begin, size_t end, Bitmap& bitmap) {
    if (const int code = libxl_cpu_bitmap_alloc(operation.ctx(), bitmap.get(), 0)) {
        return code;
    }
    for (size_t i = begin; i < end; i++) {
        const int64_t processor = operation.number(i);
        if (processor >= static_cast<int64_t>(bitmap->size) * 8) {
            return operation.refuse(ERROR_INVAL,
                                    "there is no processor " + std::to_string(processor));
        }
        libxl_bitmap_set(bitmap.get(), static_cast<int>(processor));
    }
    return 0;
}

}  // namespace hatchery

#endif
