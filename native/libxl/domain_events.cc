#include "domain_events.h"

#include <atomic>
#include <vector>

#include "json.h"

namespace hatchery {
namespace {

constexpr size_t kMostKept = 4096;
constexpr char kIntroduced[] = "@introduceDomain";
constexpr char kShutdown[] = "shutdown";
constexpr char kDeath[] = "death";

/* Numbers go on from one context of the process to the next. */
std::atomic<uint64_t> last_number{0};

}  // namespace

DomainEvents::DomainEvents(libxl_ctx* ctx, EventSources& sources) : ctx_(ctx), sources_(sources) {}

DomainEvents::~DomainEvents() {
    stop();
}

int DomainEvents::start() {
    const std::lock_guard starting(starting_);
    if (store_ != nullptr) {
        return 0;
    }
    struct xs_handle* const store = xs_open(0);
    if (store == nullptr) {
        return ERROR_FAIL;
    }
    {
        const std::lock_guard lock(mutex_);
        /* Skips one: what happened while nobody watched is lost to whoever comes with an old
         * number. */
        last_number_ = lost_number_ = ++last_number;
    }
    if (!xs_watch(store, kIntroduced, "") || sources_.watch(xs_fileno(store), [this, store] {
            while (char** event = xs_check_watch(store)) {
                free(event);
            }
            on_introduced();
        })) {
        xs_close(store);
        return ERROR_FAIL;
    }
    store_ = store;
    return watch_all();
}

void DomainEvents::stop() {
    if (store_ != nullptr) {
        sources_.unwatch(xs_fileno(store_));
        xs_close(store_);
        store_ = nullptr;
    }
}

/* On the event thread. A failure is logged by libxl, and made up for when the next domain comes. */
void DomainEvents::on_introduced() {
    watch_all();
}

int DomainEvents::watch_all() {
    {
        const std::lock_guard lock(mutex_);
        if (last_number_ == 0) {
            return 0;
        }
    }
    int count = 0;
    libxl_dominfo* const domains = libxl_list_domain(ctx_, &count);
    if (domains == nullptr) {
        return ERROR_FAIL;
    }
    std::set<std::pair<uint32_t, std::string>> listed_dying;
    for (int i = 0; i < count; i++) {
        if (domains[i].domid != 0) {
            watch(domains[i]);
        }
        if (domains[i].dying) {
            listed_dying.emplace(domains[i].domid, uuid_text(domains[i].uuid));
        }
    }
    libxl_dominfo_list_free(domains, count);
    const std::lock_guard lock(mutex_);
    std::erase_if(dying_, [&](const auto& domain) { return !listed_dying.contains(domain); });
    return 0;
}

void DomainEvents::watch(const libxl_dominfo& seen) {
    const uint32_t domid = seen.domid;
    const std::string uuid = uuid_text(seen.uuid);
    uint64_t identity;
    {
        const std::lock_guard lock(mutex_);
        if (watched_.contains(domid) || dying_.contains({domid, uuid})) {
            return;
        }
        if (seen.dying) {
            dying_.emplace(domid, uuid);
            record(kDeath, domid, uuid, std::nullopt);
            return;
        }
        identity = next_identity_++;
        watched_.emplace(domid, Watched{identity, uuid, nullptr, false});
    }
    libxl_evgen_domain_death* generator = nullptr;
    const int enabled = libxl_evenable_domain_death(ctx_, domid, identity, &generator);
    /*
     * libxl looks at the domain only when the next one changes (@releaseDomain): what has happened
     * to this one up to here is found by another look.
     */
    DomainInfo now;
    const int found = libxl_domain_info(ctx_, now.get(), domid);
    {
        const std::lock_guard lock(mutex_);
        const auto entry = watched_.find(domid);
        const bool current = entry != watched_.end() && entry->second.number == identity;
        if (current) {
            entry->second.generator = generator;
            const bool gone = found == ERROR_DOMAIN_NOTFOUND ||
                              (found == 0 && (now->dying || uuid_text(now->uuid) != uuid));
            if (gone) {
                if (found == 0 && now->dying) {
                    dying_.emplace(domid, uuid);
                }
                record(kDeath, domid, uuid, std::nullopt);
            } else if (found == 0 && now->shutdown && !entry->second.told_shutdown) {
                entry->second.told_shutdown = true;
                record(kShutdown, domid, uuid, now->shutdown_reason);
            }
            if (!gone && enabled == 0) {
                return;
            }
            watched_.erase(entry);
        }
    }
    if (enabled == 0) {
        libxl_evdisable_domain_death(ctx_, generator);
    }
}

void DomainEvents::resumed(uint32_t domid) {
    libxl_evgen_domain_death* generator = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto entry = watched_.find(domid);
        if (entry == watched_.end() || entry->second.generator == nullptr) {
            return;
        }
        generator = entry->second.generator;
        watched_.erase(entry);
    }
    libxl_evdisable_domain_death(ctx_, generator);
    watch_all();
}

void DomainEvents::occurred(libxl_event* event) {
    libxl_evgen_domain_death* generator = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto entry = watched_.find(event->domid);
        /* What is not, or not any more, watched under this number has been told already. */
        if (entry != watched_.end() && entry->second.number == event->for_user) {
            Watched& watched = entry->second;
            if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN && !watched.told_shutdown) {
                watched.told_shutdown = true;
                record(kShutdown, event->domid, watched.uuid,
                       event->u.domain_shutdown.shutdown_reason);
            } else if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH) {
                record(kDeath, event->domid, watched.uuid, std::nullopt);
                dying_.emplace(event->domid, watched.uuid);
                generator = watched.generator;
                watched_.erase(entry);
            }
        }
    }
    if (generator != nullptr) {
        libxl_evdisable_domain_death(ctx_, generator);
    }
    libxl_event_free(ctx_, event);
}

void DomainEvents::record(const char* type, uint32_t domid, const std::string& uuid,
                          std::optional<int> shutdown_reason) {
    last_number_ = ++last_number;
    std::string text = "{\"number\":" + std::to_string(last_number_) + ",\"type\":\"" + type +
                       "\",\"domid\":" + std::to_string(domid) + ",\"uuid\":\"" + uuid + "\"";
    if (shutdown_reason) {
        const char* name =
            libxl_shutdown_reason_to_string(static_cast<libxl_shutdown_reason>(*shutdown_reason));
        text += ",\"reason\":" + json_string(name == nullptr ? "unknown" : name);
    }
    text += "}";
    for (const auto& [subscription, deliver] : subscribers_) {
        deliver(text);
    }
    kept_.push_back({last_number_, std::move(text)});
    if (kept_.size() > kMostKept) {
        lost_number_ = kept_.front().number;
        kept_.pop_front();
    }
}

uint64_t DomainEvents::position() {
    const std::lock_guard lock(mutex_);
    return last_number_;
}

uint64_t DomainEvents::subscribe(uint64_t after, Deliver deliver) {
    const std::lock_guard lock(mutex_);
    if (after < lost_number_ || after > last_number_) {
        deliver("{\"number\":" + std::to_string(last_number_) + ",\"type\":\"lost\"}");
    } else {
        for (const Kept& event : kept_) {
            if (event.number > after) {
                deliver(event.text);
            }
        }
    }
    const uint64_t subscription = next_identity_++;
    subscribers_.emplace(subscription, std::move(deliver));
    return subscription;
}

void DomainEvents::unsubscribe(uint64_t subscription) {
    const std::lock_guard lock(mutex_);
    subscribers_.erase(subscription);
}

}  // namespace hatchery
