#include "file_rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "threads.h"

namespace hatchery {
namespace {

/* As later versions of linux/landlock.h have it; a version knows a prefix of it. */
struct Ruleset {
    uint64_t files;
    uint64_t network; /* from version 4 on */
    uint64_t scoped;  /* from version 6 on */
};

constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadFolder = 1 << 3;
constexpr uint64_t kRemoveFolder = 1 << 4;
constexpr uint64_t kRemoveFile = 1 << 5;
constexpr uint64_t kMakeFolder = 1 << 7;
constexpr uint64_t kMakeFile = 1 << 8;
constexpr uint64_t kRefer = 1 << 13;    /* from version 2 on: files from folder to folder */
constexpr uint64_t kTruncate = 1 << 14; /* from version 3 on */
/* What a rule for a file may have; the others are for folders. */
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate;
/* Files and folders may be made, changed and removed; links, sockets and devices may not be made. */
constexpr uint64_t kWrite = kWriteFile | kRemoveFolder | kRemoveFile | kMakeFolder | kMakeFile |
                            kRefer | kTruncate;
constexpr uint64_t kBindTcp = 1 << 0;
constexpr uint64_t kAbstractSockets = 1 << 0;

/* All kinds of access that a version can forbid. */
uint64_t all_file_rights(int version) {
    const int count = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    return (1ul << count) - 1;
}

Status allow(int ruleset, const std::string& path, uint64_t more) {
    const Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place.valid()) {
        /* Nobody could read it later, either. */
        const bool is_out_of_reach = errno == ENOENT || errno == ENOTDIR || errno == EACCES;
        return is_out_of_reach ? kSuccess : Status(Failure::from_errno("open(O_PATH)"));
    }
    struct stat facts = {};
    if (fstat(place.get(), &facts) < 0) {
        return Failure::from_errno("fstat");
    }
    struct landlock_path_beneath_attr rule = {};
    const uint64_t wanted = more | kReadFile | kReadFolder;
    rule.allowed_access = S_ISDIR(facts.st_mode) ? wanted : wanted & kOfFiles;
    rule.parent_fd = place.get();
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
        return Failure::from_errno("landlock_add_rule");
    }
    return kSuccess;
}

/* For the job below, which cannot have arguments. */
int enforced_rules = -1;

int enforce_here() {
    return syscall(SYS_landlock_restrict_self, enforced_rules, 0) < 0 ? errno : 0;
}

}  // namespace

int landlock_version() {
    const long version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return static_cast<int>(std::max(0l, version));
}

Result<Descriptor> file_rules(const std::vector<std::string>& readable,
                              const std::vector<std::string>& programs,
                              const std::vector<std::string>& writable) {
    const int version = landlock_version();
    if (version == 0) {
        return Descriptor();
    }
    Ruleset rules = {all_file_rights(version), 0, 0};
    size_t size = sizeof rules.files;
    if (version >= 4) {
        rules.network = kBindTcp;
        size = offsetof(Ruleset, scoped);
    }
    if (version >= 6) {
        rules.scoped = kAbstractSockets;
        size = sizeof rules;
    }
    Descriptor ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0)));
    if (!ruleset.valid()) {
        return Failure::from_errno("landlock_create_ruleset");
    }
    for (const std::string& path : readable) {
        if (Status failed = allow(ruleset.get(), path, 0)) {
            return *failed;
        }
    }
    for (const std::string& path : programs) {
        if (Status failed = allow(ruleset.get(), path, kExecute)) {
            return *failed;
        }
    }
    for (const std::string& path : writable) {
        if (Status failed = allow(ruleset.get(), path, kWrite & rules.files)) {
            return *failed;
        }
    }
    return ruleset;
}

Status enforce(const Descriptor& rules) {
    enforced_rules = rules.get();
    return run_on_all_threads("landlock_restrict_self", enforce_here);
}

}  // namespace hatchery
