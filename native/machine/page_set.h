/* A set of guest pages, as KVM's dirty log lays it out: one bit a page, in 64-bit words. */
#ifndef HATCHERY_MACHINE_PAGE_SET_H
#define HATCHERY_MACHINE_PAGE_SET_H

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../../images/abi/hatchery.h"

namespace hatchery {

class PageSet {
  public:
    explicit PageSet(size_t memory_bytes)
        : words_((memory_bytes / HATCHERY_PAGE_BYTES + kWordBits - 1) / kWordBits) {}

    /* Adds every page that [offset, offset + count) touches; it lies inside the memory. */
    void add_bytes(size_t offset, size_t count) {
        if (count == 0) {
            return;
        }
        const size_t last = (offset + count - 1) / HATCHERY_PAGE_BYTES;
        for (size_t page = offset / HATCHERY_PAGE_BYTES; page <= last; page++) {
            words_[page / kWordBits] |= uint64_t{1} << page % kWordBits;
        }
    }

    /* Takes one page out; it lies inside the memory. */
    void remove(size_t page) { words_[page / kWordBits] &= ~(uint64_t{1} << page % kWordBits); }

    /* Takes out `page` and all behind it; it is not behind the memory's end. */
    void remove_from(size_t page) {
        const size_t word = page / kWordBits;
        if (word < words_.size()) {
            words_[word] &= (uint64_t{1} << page % kWordBits) - 1;
            std::fill(words_.begin() + static_cast<ptrdiff_t>(word) + 1, words_.end(), 0);
        }
    }

    /* Adds all of a set of the same size. */
    void add(const PageSet& other) {
        for (size_t i = 0; i < words_.size(); i++) {
            words_[i] |= other.words_[i];
        }
    }

    /* Moves the pages that are in `which`, too, to `target`; all are of the same size. */
    void move_common(const PageSet& which, PageSet& target) {
        for (size_t i = 0; i < words_.size(); i++) {
            target.words_[i] |= words_[i] & which.words_[i];
            words_[i] &= ~which.words_[i];
        }
    }

    /* The number behind that of the last page of the set; 0 where it is empty. */
    size_t end() const {
        for (size_t i = words_.size(); i > 0; i--) {
            if (words_[i - 1] != 0) {
                return i * kWordBits - static_cast<size_t>(std::countl_zero(words_[i - 1]));
            }
        }
        return 0;
    }

    size_t count() const {
        size_t pages = 0;
        for (const uint64_t word : words_) {
            pages += static_cast<size_t>(std::popcount(word));
        }
        return pages;
    }

    /* Of this set and another of the same size together. */
    size_t count_with(const PageSet& other) const {
        size_t pages = 0;
        for (size_t i = 0; i < words_.size(); i++) {
            pages += static_cast<size_t>(std::popcount(words_[i] | other.words_[i]));
        }
        return pages;
    }

    /*
     * Takes out the pages that are the same in two memories, of both of which this is a set, and
     * calls `visit(offset)` for each of the others: while the page is in the processor's caches.
     */
    template <typename Visit>
    void keep_different(const uint8_t* memory, const uint8_t* other, Visit visit) {
        keep_where(
            [&](size_t offset) {
                return std::memcmp(memory + offset, other + offset, HATCHERY_PAGE_BYTES) != 0;
            },
            visit);
    }

    /* The same; then the first memory has in all pages of this set what the second has. */
    void restore_different(uint8_t* memory, const uint8_t* other) {
        keep_different(memory, other, [&](size_t offset) {
            std::memcpy(memory + offset, other + offset, HATCHERY_PAGE_BYTES);
        });
    }

    /* Takes out the pages of a memory that have only zeroes; `visit(offset)` is called for each of
     * the others. */
    template <typename Visit>
    void keep_filled(const uint8_t* memory, Visit visit) {
        keep_where([&](size_t offset) { return !is_zero(memory + offset); }, visit);
    }

    void keep_filled(const uint8_t* memory) {
        keep_filled(memory, [](size_t) {});
    }

    /* The same; then the memory has zeroes in all pages of this set. */
    void clear_filled(uint8_t* memory) {
        keep_filled(memory,
                    [&](size_t offset) { std::memset(memory + offset, 0, HATCHERY_PAGE_BYTES); });
    }

    /* Calls `visit(first_page, pages)` for each run of consecutive pages within a word. It may take
     * out pages of its run. */
    template <typename Visit>
    void for_each_run(Visit visit) const {
        for (size_t i = 0; i < words_.size(); i++) {
            uint64_t word = words_[i];
            while (word != 0) {
                const int start = std::countr_zero(word);
                const int length = std::countr_one(word >> start);
                visit(i * kWordBits + static_cast<size_t>(start), static_cast<size_t>(length));
                if (start + length == static_cast<int>(kWordBits)) {
                    break;
                }
                word &= ~uint64_t{0} << (start + length);
            }
        }
    }

    void clear() { std::fill(words_.begin(), words_.end(), 0); }

    /* For KVM_GET_DIRTY_LOG, which overwrites all words. */
    void* words() { return words_.data(); }

  private:
    /* Takes out the pages for which `test(offset)` does not hold, and visits the others. */
    template <typename Test, typename Visit>
    void keep_where(Test test, Visit visit) {
        for_each_run([&](size_t page, size_t pages) {
            for (size_t at = page; at < page + pages; at++) {
                const size_t offset = at * HATCHERY_PAGE_BYTES;
                if (test(offset)) {
                    visit(offset);
                } else {
                    remove(at);
                }
            }
        });
    }

    static bool is_zero(const uint8_t* page) {
        return page[0] == 0 && std::memcmp(page, page + 1, HATCHERY_PAGE_BYTES - 1) == 0;
    }

    static constexpr size_t kWordBits = 64;
    std::vector<uint64_t> words_;
};

}  // namespace hatchery

#endif
