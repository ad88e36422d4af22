/* Which pages machines write: known from earlier ones, and given to the next ones ahead. */
#ifndef HATCHERY_KVM_LEARNED_PAGES_H
#define HATCHERY_KVM_LEARNED_PAGES_H

#include <mutex>

#include "../machine/page_set.h"

namespace hatchery {

/*
 * New machines get these pages by copying before they run, which costs less than a fault for each.
 * A few lessons teach it, and then it stays as it is. Any thread.
 */
class LearnedPages {
  public:
    /* Of memory of that size, in bytes. */
    explicit LearnedPages(size_t memory_bytes) : learned_(memory_bytes) {}

    PageSet usual() const {
        const std::lock_guard lock(mutex_);
        return learned_;
    }

    /* Until the first lesson; what is unusually much is no guess. */
    void guess(const PageSet& written) {
        constexpr size_t kMostPages = 256;
        const std::lock_guard lock(mutex_);
        if (lessons_ == 0 && written.count() <= kMostPages) {
            learned_ = written;
        }
    }

    void learn(const PageSet& written) {
        /* More than this is not what is usual, and dear for each machine to copy. */
        constexpr size_t kMostPages = 1024;
        if (written.count() > kMostPages) {
            return;
        }
        const std::lock_guard lock(mutex_);
        if (lessons_ >= kEnoughLessons) {
            return;
        }
        if (lessons_ == 0) {
            learned_.clear();
        }
        learned_.add(written);
        lessons_++;
    }

    /* Whether it has yet to learn: then the next machine keeps the record. */
    bool wants_lesson() const {
        const std::lock_guard lock(mutex_);
        return lessons_ < kEnoughLessons;
    }

  private:
    static constexpr int kEnoughLessons = 3;

    mutable std::mutex mutex_;
    PageSet learned_;
    int lessons_ = 0;
};

}  // namespace hatchery

#endif
