/* Load plans as JavaScript gives them. */
#ifndef HATCHERY_MACHINE_LOAD_PLAN_OBJECT_H
#define HATCHERY_MACHINE_LOAD_PLAN_OBJECT_H

#include <napi.h>

#include "load_plan.h"

namespace hatchery {

/*
 * The plan in a `NativePlan` of src/drivers/native.ts; not checked, see is_sound. Its contents are
 * views of the object's buffers, so it is for use before the call returns.
 */
LoadPlan load_plan_from(const Napi::Object& given);

/* The same of a region's contents. */
std::vector<Content> contents_from(const Napi::Array& given);

}  // namespace hatchery

#endif
