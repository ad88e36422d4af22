#include "owner_identity.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "../machine/descriptor.h"
#include "../machine/system_call.h"

namespace hatchery {
namespace {

constexpr uint8_t kMark[] = {'H', 't', 'c', 0x1a};
constexpr size_t kProcessAt = 4, kProcessBytes = 3; /* pid_max is at most 2^22 */
constexpr size_t kStartAt = 7, kStartBytes = 5;     /* 348 years of 100 ticks a second */
constexpr size_t kCountAt = 12, kCountBytes = 4;
constexpr uint64_t kStartMask = (uint64_t{1} << 8 * kStartBytes) - 1;

void put(std::span<uint8_t> into, uint64_t value) {
    for (size_t i = into.size(); i-- > 0; value >>= 8) {
        into[i] = static_cast<uint8_t>(value);
    }
}

uint64_t get(std::span<const uint8_t> from) {
    uint64_t value = 0;
    for (const uint8_t byte : from) {
        value = value << 8 | byte;
    }
    return value;
}

/* What /proc says of a process. */
struct ProcessState {
    char state = 0; /* proc_pid_stat(5), field 3 */
    uint64_t start_ticks = 0;
};

Result<ProcessState> read_process(pid_t process) {
    constexpr const char* kRead = "read(/proc/PID/stat)";
    const std::string path = "/proc/" + std::to_string(process) + "/stat";
    const Descriptor file(attempt(kRead, [&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
    if (!file.valid()) {
        return Failure::from_errno(kRead);
    }
    char text[1024];
    const ssize_t count = attempt(kRead, [&] { return read(file.get(), text, sizeof text); });
    if (count < 0) {
        return Failure::from_errno(kRead); /* ESRCH: it ended since */
    }
    std::string_view fields(text, static_cast<size_t>(count));
    /* Field 2 is the program's name in parentheses, and may hold any byte. */
    const size_t name_end = fields.rfind(')');
    if (name_end == fields.npos || name_end + 2 >= fields.size()) {
        return Failure{kRead, EBADMSG};
    }
    fields.remove_prefix(name_end + 2);
    ProcessState found;
    found.state = fields[0];
    for (int field = 3; field < 22; field++) {
        fields.remove_prefix(std::min(fields.find(' '), fields.size() - 1) + 1);
    }
    if (std::from_chars(fields.data(), fields.data() + fields.size(), found.start_ticks).ec !=
        std::errc()) {
        return Failure{kRead, EBADMSG};
    }
    return found;
}

/* Whether threads of a process live on whose first thread has ended. */
bool has_other_threads(pid_t process) {
    const std::string path = "/proc/" + std::to_string(process) + "/task";
    DIR* const directory = opendir(path.c_str());
    if (directory == nullptr) {
        return errno != ENOENT;
    }
    int entries = 0;
    while (readdir(directory) != nullptr) {
        entries++;
    }
    closedir(directory);
    return entries > 3; /* ".", ".." and the first thread */
}

}  // namespace

bool Owner::alive() const {
    auto found = read_process(process);
    if (!found.ok()) {
        return found.failure().error != ENOENT && found.failure().error != ESRCH;
    }
    if ((found.value().start_ticks & kStartMask) != start_ticks) {
        return false;
    }
    const char state = found.value().state;
    return (state != 'Z' && state != 'X') || has_other_threads(process);
}

Result<OwnerIdentity> OwnerIdentity::of_this_process() {
    auto found = read_process(getpid());
    if (!found.ok()) {
        return found.failure();
    }
    return OwnerIdentity(Owner{getpid(), found.value().start_ticks & kStartMask});
}

DomainHandle OwnerIdentity::new_handle() const {
    DomainHandle handle;
    const std::span<uint8_t> bytes(handle);
    std::copy_n(kMark, sizeof kMark, handle.begin());
    put(bytes.subspan(kProcessAt, kProcessBytes), static_cast<uint64_t>(owner_.process));
    put(bytes.subspan(kStartAt, kStartBytes), owner_.start_ticks);
    put(bytes.subspan(kCountAt, kCountBytes), count_.fetch_add(1, std::memory_order_relaxed));
    return handle;
}

std::optional<Owner> OwnerIdentity::read(std::span<const uint8_t, 16> handle) {
    if (!std::equal(std::begin(kMark), std::end(kMark), handle.begin())) {
        return std::nullopt;
    }
    return Owner{static_cast<pid_t>(get(handle.subspan(kProcessAt, kProcessBytes))),
                 get(handle.subspan(kStartAt, kStartBytes))};
}

std::string handle_to_text(std::span<const uint8_t, 16> handle) {
    std::string text;
    for (size_t i = 0; i < handle.size(); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text += '-';
        }
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", handle[i]);
        text += digits;
    }
    return text;
}

std::optional<DomainHandle> handle_from_text(const std::string& text) {
    DomainHandle handle;
    size_t at = 0;
    for (uint8_t& byte : handle) {
        at += at < text.size() && text[at] == '-';
        if (at + 2 > text.size()) {
            return std::nullopt;
        }
        const char* const end = text.data() + at + 2;
        const auto read = std::from_chars(text.data() + at, end, byte, 16);
        if (read.ec != std::errc() || read.ptr != end) {
            return std::nullopt;
        }
        at += 2;
    }
    return at == text.size() ? std::optional(handle) : std::nullopt;
}

}  // namespace hatchery
