/* What xenstore says of this driver's domains: their names, and whose they are. */
#ifndef HATCHERY_XEN_STORE_ENTRIES_H
#define HATCHERY_XEN_STORE_ENTRIES_H

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../machine/result.h"
#include "owner_identity.h"
#include "xen_library.h"

namespace hatchery {

/*
 * A domain's entry is /local/domain/ID with two values: "hatchery", its handle as text, and "name",
 * for `xl list`. The first comes first, each by a write of its own, so that a crash never leaves an
 * entry that does not say whose it is. Guests need no xenstore; nothing here introduces them to it.
 *
 * Any thread: libxenstore has one request at a time on a connection.
 */
class StoreEntries {
  public:
    /* Connects to xenstored. */
    static Result<std::unique_ptr<StoreEntries>> open();

    /* Writes the entry of a domain just created. */
    Status add(uint32_t domain, const DomainHandle& handle, const std::string& name);
    Status rename(uint32_t domain, const std::string& name);

    /* Removes entries, where they are there, in one transaction. */
    Status remove(std::span<const uint32_t> domains);

    /* An entry that says it is Hatchery's. */
    struct Entry {
        uint32_t domain = 0;
        DomainHandle handle = {};
    };
    Result<std::vector<Entry>> list();
    /*
     * Removes an entry if it still has this handle and, at that moment, `is_gone()` says that no
     * domain has its number. Returns whether it did.
     */
    template <typename IsGone>
    Result<bool> remove_orphan(const Entry& entry, IsGone is_gone);

    /* Whether libxl or another toolstack keeps entries for a domain. */
    Result<bool> belongs_to_toolstack(uint32_t domain);

  private:
    struct Closer {
        void operator()(struct xs_handle* handle) const { xs_close(handle); }
    };

    explicit StoreEntries(struct xs_handle* handle) : handle_(handle) {}
    Status write(const std::string& path, const std::string& value);
    Status remove_path(xs_transaction_t transaction, const std::string& path);
    /* The value, or ENOENT. */
    Result<std::string> read(xs_transaction_t transaction, const std::string& path);
    Result<xs_transaction_t> begin();
    /* True where it was committed, false where another's write came between. */
    Result<bool> end(xs_transaction_t transaction, bool commit);
    Result<bool> try_remove_all(std::span<const uint32_t> domains);

    std::unique_ptr<struct xs_handle, Closer> handle_;
};

/* Where a domain's entry is. */
inline std::string store_path(uint32_t domain) {
    return "/local/domain/" + std::to_string(domain);
}

template <typename IsGone>
Result<bool> StoreEntries::remove_orphan(const Entry& entry, IsGone is_gone) {
    const std::string path = store_path(entry.domain);
    for (;;) {
        auto transaction = begin();
        if (!transaction.ok()) {
            return transaction.failure();
        }
        /* The read makes the transaction fail where somebody writes a new entry meanwhile. */
        auto text = read(transaction.value(), path + "/hatchery");
        Result<bool> gone = false;
        if (text.ok() && text.value() == handle_to_text(entry.handle)) {
            gone = is_gone();
        }
        Status failed = gone.ok() ? kSuccess : Status(gone.failure());
        if (!failed && gone.value()) {
            failed = remove_path(transaction.value(), path);
        }
        const bool commit = !failed && gone.value();
        auto ended = end(transaction.value(), commit);
        if (failed) {
            return *failed;
        }
        if (!ended.ok()) {
            return ended.failure();
        }
        if (!commit || ended.value()) {
            return commit;
        }
    }
}

}  // namespace hatchery

#endif
