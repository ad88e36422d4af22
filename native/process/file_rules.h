/* What this process may still open and reach, by Landlock. */
#ifndef HATCHERY_PROCESS_FILE_RULES_H
#define HATCHERY_PROCESS_FILE_RULES_H

#include <string>
#include <vector>

#include "../machine/descriptor.h"
#include "../machine/result.h"

namespace hatchery {

/* The version of Landlock that the kernel offers; 0 where it offers none. */
int landlock_version();

/*
 * Rules that allow to read the files below `readable`, to run the `programs`, which are files or
 * folders of them, to make, change and remove files and folders below `writable`, and nothing else
 * of the file system, to listen on no TCP port, and to connect to no abstract Unix socket, as far as the kernel's version
 * has that. Paths that cannot be reached are left out. An invalid descriptor where the kernel has
 * no Landlock.
 */
Result<Descriptor> file_rules(const std::vector<std::string>& readable,
                              const std::vector<std::string>& programs,
                              const std::vector<std::string>& writable);

/* Puts every thread under the rules, for ever. PR_SET_NO_NEW_PRIVS must be set on each. */
Status enforce(const Descriptor& rules);

}  // namespace hatchery

#endif
