/* Memory that two processes share: numbers that one writes and the other reads. */
#ifndef HATCHERY_PROCESS_SHARED_TABLE_H
#define HATCHERY_PROCESS_SHARED_TABLE_H

#include "../machine/descriptor.h"
#include "../machine/result.h"

namespace hatchery {

/* Makes a file in memory of `bytes` bytes, all zero, whose size cannot change any more. */
Result<Descriptor> create_table(size_t bytes);

/* Maps all of a file that create_table() made. EINVAL where its size could still change. */
Result<Mapping> map_table(int descriptor);

}  // namespace hatchery

#endif
