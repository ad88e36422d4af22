#include "store_entries.h"

#include <charconv>
#include <cstdlib>

#include "../machine/system_call.h"

namespace hatchery {
namespace {

/* Others write to /local/domain all the time: after so many tries it goes without a transaction. */
constexpr int kTransactionTries = 4;

struct Freer {
    void operator()(void* bytes) const { std::free(bytes); }
};

}  // namespace

Result<std::unique_ptr<StoreEntries>> StoreEntries::open() {
    constexpr const char* kOpen = "xs_open";
    struct xs_handle* const handle = fault_is_due(kOpen) ? nullptr : xs_open(0);
    if (handle == nullptr) {
        return Failure::from_errno(kOpen);
    }
    return std::unique_ptr<StoreEntries>(new StoreEntries(handle));
}

Status StoreEntries::add(uint32_t domain, const DomainHandle& handle, const std::string& name) {
    if (Status failed = write(store_path(domain) + "/hatchery", handle_to_text(handle))) {
        return failed;
    }
    return rename(domain, name);
}

Status StoreEntries::rename(uint32_t domain, const std::string& name) {
    return write(store_path(domain) + "/name", name);
}

Status StoreEntries::write(const std::string& path, const std::string& value) {
    constexpr const char* kWrite = "xs_write";
    if (fault_is_due(kWrite) || !xs_write(handle_.get(), XBT_NULL, path.c_str(), value.data(),
                                          static_cast<unsigned>(value.size()))) {
        return Failure::from_errno(kWrite);
    }
    return kSuccess;
}

Result<std::string> StoreEntries::read(xs_transaction_t transaction, const std::string& path) {
    constexpr const char* kRead = "xs_read";
    unsigned length = 0;
    const std::unique_ptr<void, Freer> value(
        fault_is_due(kRead) ? nullptr : xs_read(handle_.get(), transaction, path.c_str(), &length));
    if (value == nullptr) {
        return Failure::from_errno(kRead);
    }
    return std::string(static_cast<const char*>(value.get()), length);
}

Status StoreEntries::remove_path(xs_transaction_t transaction, const std::string& path) {
    constexpr const char* kRemove = "xs_rm";
    if ((fault_is_due(kRemove) || !xs_rm(handle_.get(), transaction, path.c_str())) &&
        errno != ENOENT) {
        return Failure::from_errno(kRemove);
    }
    return kSuccess;
}

Result<xs_transaction_t> StoreEntries::begin() {
    constexpr const char* kBegin = "xs_transaction_start";
    const xs_transaction_t transaction =
        fault_is_due(kBegin) ? XBT_NULL : xs_transaction_start(handle_.get());
    if (transaction == XBT_NULL) {
        return Failure::from_errno(kBegin);
    }
    return transaction;
}

Result<bool> StoreEntries::end(xs_transaction_t transaction, bool commit) {
    constexpr const char* kEnd = "xs_transaction_end";
    if (!fault_is_due(kEnd) && xs_transaction_end(handle_.get(), transaction, !commit)) {
        return true;
    }
    if (errno == EAGAIN) {
        return false;
    }
    return Failure::from_errno(kEnd);
}

Result<bool> StoreEntries::try_remove_all(std::span<const uint32_t> domains) {
    auto transaction = begin();
    if (!transaction.ok()) {
        return transaction.failure();
    }
    Status failed;
    for (const uint32_t domain : domains) {
        if (!failed) {
            failed = remove_path(transaction.value(), store_path(domain));
        }
    }
    auto ended = end(transaction.value(), !failed);
    return failed ? Result<bool>(*failed) : ended;
}

Status StoreEntries::remove(std::span<const uint32_t> domains) {
    for (int i = 0; domains.size() > 1 && i < kTransactionTries; i++) {
        auto removed = try_remove_all(domains);
        if (!removed.ok()) {
            return removed.failure();
        }
        if (removed.value()) {
            return kSuccess;
        }
    }
    Status failed;
    for (const uint32_t domain : domains) {
        if (Status refused = remove_path(XBT_NULL, store_path(domain))) {
            failed = refused; /* the others are removed all the same */
        }
    }
    return failed;
}

Result<std::vector<StoreEntries::Entry>> StoreEntries::list() {
    constexpr const char* kDirectory = "xs_directory";
    unsigned count = 0;
    const std::unique_ptr<char*, Freer> names(
        fault_is_due(kDirectory) ? nullptr
                                 : xs_directory(handle_.get(), XBT_NULL, "/local/domain", &count));
    if (names == nullptr) {
        return Failure::from_errno(kDirectory);
    }
    std::vector<Entry> entries;
    for (unsigned i = 0; i < count; i++) {
        const std::string name = names.get()[i];
        Entry entry;
        const auto number = std::from_chars(name.data(), name.data() + name.size(), entry.domain);
        if (number.ec != std::errc() || number.ptr != name.data() + name.size()) {
            continue;
        }
        auto text = read(XBT_NULL, store_path(entry.domain) + "/hatchery");
        if (!text.ok()) {
            if (text.failure().error == ENOENT) {
                continue;
            }
            return text.failure();
        }
        if (const auto handle = handle_from_text(text.value())) {
            entry.handle = *handle;
            entries.push_back(entry);
        }
    }
    return entries;
}

Result<bool> StoreEntries::belongs_to_toolstack(uint32_t domain) {
    for (const std::string& path :
         {"/libxl/" + std::to_string(domain), store_path(domain) + "/vm"}) {
        auto found = read(XBT_NULL, path);
        if (found.ok()) {
            return true;
        }
        if (found.failure().error != ENOENT) {
            return found.failure();
        }
    }
    return false;
}

}  // namespace hatchery
