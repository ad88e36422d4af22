/* Copy-on-write views of a snapshot's memory: what its machines have as their own. */
#ifndef HATCHERY_KVM_MEMORY_VIEWS_H
#define HATCHERY_KVM_MEMORY_VIEWS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../machine/page_set.h"
#include "../machine/memory_file.h"

namespace hatchery {

/*
 * Of one machine, a view is the file, copy-on-write, and behind that zeroes in large pages: see
 * LARGE PAGES in kvm_snapshot.h.
 *
 * Each mapping of a process makes KVM_CREATE_VM slower (see run_mapping.h), those of memory that
 * was written most. So where a snapshot has many machines, one mapping holds the memory of several,
 * side by side in a row: it is of a file in which the snapshot's content stands as often.
 *
 * Any thread.
 */
class MemoryViews {
    struct Row;

  public:
    /* So many machines at a time have a mapping each: these need no second copy of the content. */
    static constexpr size_t kAlone = 16;
    /* Bounds of a row: how often the content stands in it, and what all of that may take. */
    static constexpr size_t kMostInRow = 16;
    static constexpr size_t kMostRowBytes = 32u << 20;

    /* One machine's memory: the snapshot's until it is written to. Given back with its owner. */
    class View {
      public:
        View() = default;
        View(View&& other) noexcept { *this = std::move(other); }
        View& operator=(View&& other) noexcept;
        View(const View&) = delete;
        View& operator=(const View&) = delete;
        ~View();

        uint8_t* bytes() const { return bytes_; }
        size_t size() const { return owner_ == nullptr ? 0 : owner_->size_; }
        /* Where large pages begin; its size where it has none, as in a row. */
        size_t large_from() const { return large_from_; }

      private:
        friend class MemoryViews;
        View(MemoryViews* owner, uint8_t* bytes, size_t large_from)
            : owner_(owner), bytes_(bytes), large_from_(large_from) {}
        MemoryViews* owner_ = nullptr;
        uint8_t* bytes_ = nullptr;
        size_t large_from_ = 0;
        Mapping alone_;
        Row* row_ = nullptr;
    };

    /* Of memory of that size, in bytes. */
    explicit MemoryViews(size_t size);
    /* No view is left then. */
    ~MemoryViews();
    MemoryViews(const MemoryViews&) = delete;
    MemoryViews& operator=(const MemoryViews&) = delete;

    /*
     * `file` is sealed, and outlives this; `content` is its memory, of which `filled` is not zero.
     * From `large_from` on, a large page's boundary or the size, the view may have large pages.
     */
    Result<View> take(const MemoryFile& file, const uint8_t* content, const PageSet& filled,
                      size_t large_from);

  private:
    Result<View> take_alone(const MemoryFile& file, size_t large_from);
    Result<View> take_from_row(size_t views, const uint8_t* content, const PageSet& filled);
    Status add_row(size_t views, const uint8_t* content, const PageSet& filled);
    void give_back(View& view);

    const size_t size_;
    std::mutex mutex_;
    size_t alone_ = 0;
    std::vector<std::unique_ptr<Row>> rows_;
    MemoryFile repeated_; /* what rows are mapped of */
};

}  // namespace hatchery

#endif
