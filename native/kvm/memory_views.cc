#include "memory_views.h"

#include <algorithm>
#include <cstring>

#include "large_pages.h"

namespace hatchery {

namespace {

/* A file in which `content` stands so often. */
Result<MemoryFile> repeat(size_t times, size_t size, const uint8_t* content,
                          const PageSet& filled) {
    auto file = MemoryFile::create(times * size);
    if (!file.ok()) {
        return file;
    }
    Status failed;
    for (size_t i = 0; i < times && !failed; i++) {
        failed = file.value().write_pages(i * size, content, filled);
    }
    if (!failed) {
        failed = file.value().seal();
    }
    if (failed) {
        return *failed;
    }
    return file;
}

/* Memory that begins with a large page: the file up to `large_from`, and zeroes behind that. */
Result<Mapping> map_with_large_pages(const MemoryFile& file, size_t size, size_t large_from) {
    auto mapping = map_for_large_pages(size);
    if (!mapping.ok()) {
        return mapping;
    }
    uint8_t* bytes = mapping.value().bytes();
    if (Status failed = file.map_copy_on_write_at(bytes, large_from)) {
        return *failed;
    }
    ask_for_large_pages(bytes + large_from, size - large_from);
    return mapping;
}

}  // namespace

/* A mapping that holds several views, side by side. */
struct MemoryViews::Row {
    Mapping mapping;
    std::vector<uint8_t*> unused; /* as they were mapped */
    size_t used = 0;
};

MemoryViews::MemoryViews(size_t size) : size_(size) {}

MemoryViews::~MemoryViews() = default;

MemoryViews::View& MemoryViews::View::operator=(View&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(bytes_, other.bytes_);
    std::swap(large_from_, other.large_from_);
    std::swap(alone_, other.alone_);
    std::swap(row_, other.row_);
    return *this;
}

MemoryViews::View::~View() {
    if (owner_ != nullptr) {
        owner_->give_back(*this);
    }
}

Result<MemoryViews::View> MemoryViews::take(const MemoryFile& file, const uint8_t* content,
                                            const PageSet& filled, size_t large_from) {
    const std::lock_guard lock(mutex_);
    const size_t filled_bytes = std::max<size_t>(filled.count(), 1) * HATCHERY_PAGE_BYTES;
    const size_t views_in_row = std::min(kMostInRow, kMostRowBytes / filled_bytes);
    if (alone_ >= kAlone && views_in_row > 1) {
        return take_from_row(views_in_row, content, filled);
    }
    return take_alone(file, large_from);
}

Result<MemoryViews::View> MemoryViews::take_alone(const MemoryFile& file, size_t large_from) {
    auto mapping = large_from < size_ ? map_with_large_pages(file, size_, large_from)
                                      : file.map_copy_on_write();
    if (!mapping.ok()) {
        return mapping.failure();
    }
    View view(this, mapping.value().bytes(), large_from);
    view.alone_ = std::move(mapping.value());
    alone_++;
    return view;
}

Result<MemoryViews::View> MemoryViews::take_from_row(size_t views, const uint8_t* content,
                                                     const PageSet& filled) {
    auto row = std::find_if(rows_.begin(), rows_.end(),
                            [](const auto& one) { return !one->unused.empty(); });
    if (row == rows_.end()) {
        if (Status failed = add_row(views, content, filled)) {
            return *failed;
        }
        row = rows_.end() - 1;
    }
    View view(this, (*row)->unused.back(), size_);
    view.row_ = row->get();
    (*row)->unused.pop_back();
    (*row)->used++;
    return view;
}

Status MemoryViews::add_row(size_t views, const uint8_t* content, const PageSet& filled) {
    if (!repeated_.exists()) {
        auto file = repeat(views, size_, content, filled);
        if (!file.ok()) {
            return file.failure();
        }
        repeated_ = std::move(file.value());
    }
    auto mapping = repeated_.map_copy_on_write();
    if (!mapping.ok()) {
        return mapping.failure();
    }
    auto row = std::make_unique<Row>();
    row->mapping = std::move(mapping.value());
    for (size_t view = 0; view < views; view++) {
        row->unused.push_back(row->mapping.bytes() + view * size_);
    }
    rows_.push_back(std::move(row));
    return kSuccess;
}

void MemoryViews::give_back(View& view) {
    /* Where it fails (a process that has locked its memory), nobody else may have this view. */
    const bool clean = view.row_ != nullptr && attempt("madvise(MADV_DONTNEED)", [&] {
                           return madvise(view.bytes_, size_, MADV_DONTNEED);
                       }) == 0;
    std::unique_ptr<Row> unmapped;
    MemoryFile closed;
    const std::lock_guard lock(mutex_);
    if (view.row_ == nullptr) {
        alone_--;
    } else {
        if (clean) {
            view.row_->unused.push_back(view.bytes_);
        }
        if (--view.row_->used == 0) {
            const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const auto& one) {
                return one.get() == view.row_;
            });
            unmapped = std::move(*row);
            rows_.erase(row);
        }
    }
    /* Not at once: there may soon be one machine more again. */
    if (rows_.empty() && alone_ <= kAlone / 2) {
        closed = std::move(repeated_);
    }
}

}  // namespace hatchery
