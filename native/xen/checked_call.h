/* Calls of libxenctrl's as Status. */
#ifndef HATCHERY_XEN_CHECKED_CALL_H
#define HATCHERY_XEN_CHECKED_CALL_H

#include "../machine/result.h"
#include "../machine/system_call.h"

namespace hatchery {

/* Makes a call that returns a negative number and sets errno where it fails. */
template <typename Call>
Status checked(const char* name, Call call) {
    if (attempt(name, call) < 0) {
        return Failure::from_errno(name);
    }
    return kSuccess;
}

}  // namespace hatchery

#endif
