/* The tree, and what is in its files. Where it comes from is packed_files.c's. */
#include "files.h"

#include <string.h>

#include "../kernel/kernel.h"
#include "memory_pages.h"
#include "packed_files.h"

enum { TABLE_ENTRIES = MEMORY_PAGE_BYTES / sizeof(void *) };
static const uint64_t SIZE_MAX_BYTES = (uint64_t)TABLE_ENTRIES * TABLE_ENTRIES * MEMORY_PAGE_BYTES;

static struct file *root;
static struct file *free_files;
static uint64_t inodes;
static uint64_t positions;

static struct file *new_file(void) {
    if (free_files == NULL) {
        unsigned char *page = memory_page_take();
        if (page == NULL) {
            return NULL;
        }
        for (size_t at = 0; at + sizeof(struct file) <= MEMORY_PAGE_BYTES; at += sizeof(struct file)) {
            struct file *file = (struct file *)(page + at);
            file->next = free_files;
            free_files = file;
        }
    }
    struct file *file = free_files;
    free_files = file->next;
    memset(file, 0, sizeof *file);
    file->inode = ++inodes;
    file->accessed = file->modified = clock_wall();
    return file;
}

static void link_to(struct file *directory, struct file *file, const char *name, size_t name_bytes) {
    memcpy(file->name, name, name_bytes);
    file->name_bytes = (uint8_t)name_bytes;
    file->parent = directory;
    file->position = ++positions;
    /* In the order in which they were made: who reads the directory meanwhile misses none. */
    struct file **end = &directory->first_child;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    file->next = NULL;
    *end = file;
}

static void unlink_from_parent(struct file *file) {
    struct file **at = &file->parent->first_child;
    while (*at != file) {
        at = &(*at)->next;
    }
    *at = file->next;
    file->parent->modified = clock_wall();
    file->parent = NULL;
    file->next = NULL;
}

static void free_pages_from(struct file *file, uint64_t first) {
    if (file->pages == NULL) {
        return;
    }
    for (uint64_t table = first / TABLE_ENTRIES; table < TABLE_ENTRIES; table++) {
        if (file->pages[table] == NULL) {
            continue;
        }
        const uint64_t start = table == first / TABLE_ENTRIES ? first % TABLE_ENTRIES : 0;
        for (uint64_t entry = start; entry < TABLE_ENTRIES; entry++) {
            if (file->pages[table][entry] != NULL) {
                memory_page_give(file->pages[table][entry]);
                file->pages[table][entry] = NULL;
            }
        }
        if (start == 0) {
            memory_page_give(file->pages[table]);
            file->pages[table] = NULL;
        }
    }
    if (first == 0) {
        memory_page_give(file->pages);
        file->pages = NULL;
    }
}

static void drop_if_unused(struct file *file) {
    if (file->parent == NULL && file->opens == 0 && file != root) {
        free_pages_from(file, 0);
        file->next = free_files;
        free_files = file;
    }
}

struct file *files_add(struct file *directory, const char *name, size_t name_bytes, int is_directory) {
    struct file *file = new_file();
    if (file != NULL) {
        file->is_directory = is_directory != 0;
        link_to(directory, file, name, name_bytes);
        directory->modified = clock_wall();
    }
    return file;
}

struct file *files_root(void) {
    if (root == NULL) {
        root = new_file();
        if (root != NULL) {
            root->is_directory = 1;
            packed_files_unpack(root);
        }
        if (root == NULL || files_child(root, "tmp", 3) == NULL) {
            static const char text[] = "the instance's memory is too small for its files";
            panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
        }
    }
    return root;
}

struct file *files_child(struct file *directory, const char *name, size_t name_bytes) {
    for (struct file *child = directory->first_child; child != NULL; child = child->next) {
        if (child->name_bytes == name_bytes && memcmp(child->name, name, name_bytes) == 0) {
            return child;
        }
    }
    return NULL;
}

/* A path's last name, and the directory that it is or would be in. */
struct place {
    struct file *directory;
    const char *name; /* empty: the directory itself */
    size_t name_bytes;
    int is_directory; /* there is a slash behind it */
};

static enum files_error locate(struct file *start, const char *path, size_t path_bytes,
                               struct place *place) {
    if (path_bytes == 0) {
        return FILES_NOT_FOUND;
    }
    if (memchr(path, 0, path_bytes) != NULL) {
        return FILES_INVALID;
    }
    *place = (struct place){.directory = start, .name = path, .name_bytes = 0};
    for (size_t at = 0; at < path_bytes;) {
        const char *slash = memchr(path + at, '/', path_bytes - at);
        const size_t bytes = slash == NULL ? path_bytes - at : (size_t)(slash - (path + at));
        if (bytes > 0 && place->name_bytes > 0) {
            /* The name before is a directory that this one is in. */
            struct file *child = files_child(place->directory, place->name, place->name_bytes);
            if (child == NULL) {
                return FILES_NOT_FOUND;
            }
            if (!child->is_directory) {
                return FILES_NOT_A_DIRECTORY;
            }
            place->directory = child;
            place->name_bytes = 0;
        }
        if (bytes == 2 && memcmp(path + at, "..", 2) == 0) {
            if (place->directory == start || place->directory->parent == NULL) {
                return FILES_OUTSIDE;
            }
            place->directory = place->directory->parent;
        } else if (bytes > FILE_NAME_MAX) {
            return FILES_NAME_TOO_LONG;
        } else if (bytes > 0 && !(bytes == 1 && path[at] == '.')) {
            place->name = path + at;
            place->name_bytes = bytes;
        }
        place->is_directory = slash != NULL;
        at += bytes + 1;
    }
    return FILES_OK;
}

static enum files_error find_at(const struct place *place, struct file **found) {
    *found = place->name_bytes == 0
                 ? place->directory
                 : files_child(place->directory, place->name, place->name_bytes);
    if (*found == NULL) {
        return FILES_NOT_FOUND;
    }
    return place->is_directory && !(*found)->is_directory ? FILES_NOT_A_DIRECTORY : FILES_OK;
}

enum files_error files_find(struct file *directory, const char *path, size_t path_bytes,
                            struct file **found) {
    struct place place;
    const enum files_error error = locate(directory, path, path_bytes, &place);
    return error != FILES_OK ? error : find_at(&place, found);
}

enum files_error files_create(struct file *directory, const char *path, size_t path_bytes,
                              int is_directory, struct file **created) {
    struct place place;
    const enum files_error error = locate(directory, path, path_bytes, &place);
    if (error != FILES_OK) {
        return error;
    }
    if (place.name_bytes == 0 ||
        files_child(place.directory, place.name, place.name_bytes) != NULL) {
        return FILES_EXISTS;
    }
    if (place.is_directory && !is_directory) {
        return FILES_NOT_FOUND;
    }
    /* A directory that was removed while it is open takes nothing any more. */
    if (place.directory->parent == NULL && place.directory != root) {
        return FILES_NOT_FOUND;
    }
    if (place.directory->is_read_only) {
        return FILES_READ_ONLY;
    }
    *created = files_add(place.directory, place.name, place.name_bytes, is_directory);
    return *created == NULL ? FILES_NO_SPACE : FILES_OK;
}

/* Whether a name may be taken away: /tmp itself may not. */
static enum files_error removable(const struct file *file) {
    return file->parent == NULL || file->is_read_only || file->parent->is_read_only
               ? FILES_READ_ONLY
               : FILES_OK;
}

enum files_error files_unlink(struct file *directory, const char *path, size_t path_bytes) {
    struct file *file;
    enum files_error error = files_find(directory, path, path_bytes, &file);
    if (error == FILES_OK) {
        error = file->is_directory ? FILES_IS_A_DIRECTORY : removable(file);
    }
    if (error == FILES_OK) {
        unlink_from_parent(file);
        drop_if_unused(file);
    }
    return error;
}

enum files_error files_remove_directory(struct file *directory, const char *path,
                                        size_t path_bytes) {
    struct file *file;
    enum files_error error = files_find(directory, path, path_bytes, &file);
    if (error == FILES_OK) {
        error = file->is_directory ? removable(file) : FILES_NOT_A_DIRECTORY;
    }
    if (error == FILES_OK && file->first_child != NULL) {
        error = FILES_NOT_EMPTY;
    }
    if (error == FILES_OK) {
        unlink_from_parent(file);
        drop_if_unused(file);
    }
    return error;
}

static struct file *first_made(const struct file *directory) {
    struct file *child = directory->first_child;
    while (child != NULL && child->is_read_only) {
        child = child->next;
    }
    return child;
}

/* Not recursive: how deep directories are is the program's to say, and the stack is small. */
void files_clear_scratch(void) {
    struct file *directory = files_child(files_root(), "tmp", 3);
    struct file *at = directory;
    for (;;) {
        struct file *child = first_made(at);
        if (child != NULL) {
            at = child;
        } else if (at == directory) {
            return;
        } else {
            struct file *emptied = at;
            at = at->parent;
            unlink_from_parent(emptied);
            drop_if_unused(emptied);
        }
    }
}

static int is_in(const struct file *file, const struct file *directory) {
    while (file != NULL && file != directory) {
        file = file->parent;
    }
    return file != NULL;
}

static enum files_error replaceable(const struct file *target, const struct file *file) {
    if (target->is_directory != file->is_directory) {
        return target->is_directory ? FILES_IS_A_DIRECTORY : FILES_NOT_A_DIRECTORY;
    }
    return target->first_child != NULL ? FILES_NOT_EMPTY : removable(target);
}

enum files_error files_rename(struct file *from_directory, const char *from, size_t from_bytes,
                              struct file *to_directory, const char *to, size_t to_bytes) {
    struct file *file;
    struct place place;
    enum files_error error = files_find(from_directory, from, from_bytes, &file);
    if (error == FILES_OK) {
        error = removable(file);
    }
    if (error == FILES_OK) {
        error = locate(to_directory, to, to_bytes, &place);
    }
    if (error != FILES_OK) {
        return error;
    }
    if (place.name_bytes == 0 || is_in(place.directory, file)) {
        return FILES_INVALID;
    }
    if (place.is_directory && !file->is_directory) {
        return FILES_NOT_A_DIRECTORY;
    }
    if (place.directory->is_read_only) {
        return FILES_READ_ONLY;
    }
    if (place.directory->parent == NULL && place.directory != root) {
        return FILES_NOT_FOUND;
    }
    struct file *target = files_child(place.directory, place.name, place.name_bytes);
    if (target == file) {
        return FILES_OK;
    }
    if (target != NULL) {
        error = replaceable(target, file);
        if (error != FILES_OK) {
            return error;
        }
        unlink_from_parent(target);
        drop_if_unused(target);
    }
    unlink_from_parent(file);
    link_to(place.directory, file, place.name, place.name_bytes);
    place.directory->modified = clock_wall();
    return FILES_OK;
}

void files_open(struct file *file) {
    file->opens++;
}

void files_close(struct file *file) {
    file->opens--;
    drop_if_unused(file);
}

static unsigned char *page_at(const struct file *file, uint64_t page) {
    void **table = file->pages == NULL ? NULL : file->pages[page / TABLE_ENTRIES];
    return table == NULL ? NULL : table[page % TABLE_ENTRIES];
}

static unsigned char *page_made_at(struct file *file, uint64_t page) {
    if (file->pages == NULL && (file->pages = memory_page_take()) == NULL) {
        return NULL;
    }
    void ***table = &file->pages[page / TABLE_ENTRIES];
    if (*table == NULL && (*table = memory_page_take()) == NULL) {
        return NULL;
    }
    void **entry = &(*table)[page % TABLE_ENTRIES];
    if (*entry == NULL) {
        *entry = memory_page_take();
    }
    return *entry;
}

size_t files_read(struct file *file, uint64_t offset, void *buffer, size_t count) {
    if (offset >= file->size) {
        return 0;
    }
    const uint64_t left = file->size - offset;
    count = count < left ? count : (size_t)left;
    if (file->packed != NULL) {
        memcpy(buffer, file->packed + offset, count);
        return count;
    }
    for (size_t done = 0; done < count;) {
        const size_t within = (offset + done) % MEMORY_PAGE_BYTES;
        size_t part = MEMORY_PAGE_BYTES - within;
        part = part < count - done ? part : count - done;
        const unsigned char *page = page_at(file, (offset + done) / MEMORY_PAGE_BYTES);
        if (page == NULL) {
            memset((unsigned char *)buffer + done, 0, part);
        } else {
            memcpy((unsigned char *)buffer + done, page + within, part);
        }
        done += part;
    }
    file->accessed = clock_wall();
    return count;
}

enum files_error files_write(struct file *file, uint64_t offset, const void *buffer, size_t count) {
    if (file->is_read_only) {
        return FILES_READ_ONLY;
    }
    if (offset > SIZE_MAX_BYTES || count > SIZE_MAX_BYTES - offset) {
        return FILES_TOO_LARGE;
    }
    /* All pages first, so that no part of it is written where there is not room for the rest. */
    for (uint64_t page = offset / MEMORY_PAGE_BYTES;
         count > 0 && page <= (offset + count - 1) / MEMORY_PAGE_BYTES; page++) {
        if (page_made_at(file, page) == NULL) {
            return FILES_NO_SPACE;
        }
    }
    for (size_t done = 0; done < count;) {
        const size_t within = (offset + done) % MEMORY_PAGE_BYTES;
        size_t part = MEMORY_PAGE_BYTES - within;
        part = part < count - done ? part : count - done;
        memcpy(page_at(file, (offset + done) / MEMORY_PAGE_BYTES) + within,
               (const unsigned char *)buffer + done, part);
        done += part;
    }
    if (count > 0 && offset + count > file->size) {
        file->size = offset + count;
    }
    file->modified = clock_wall();
    return FILES_OK;
}

enum files_error files_set_size(struct file *file, uint64_t size) {
    if (file->is_directory) {
        return FILES_IS_A_DIRECTORY;
    }
    if (file->is_read_only) {
        return FILES_READ_ONLY;
    }
    if (size > SIZE_MAX_BYTES) {
        return FILES_TOO_LARGE;
    }
    if (size < file->size) {
        free_pages_from(file, (size + MEMORY_PAGE_BYTES - 1) / MEMORY_PAGE_BYTES);
        unsigned char *last =
            size % MEMORY_PAGE_BYTES == 0 ? NULL : page_at(file, size / MEMORY_PAGE_BYTES);
        if (last != NULL) {
            memset(last + size % MEMORY_PAGE_BYTES, 0, MEMORY_PAGE_BYTES - size % MEMORY_PAGE_BYTES);
        }
    }
    file->size = size;
    file->modified = clock_wall();
    return FILES_OK;
}

enum files_error files_set_times(struct file *file, uint64_t accessed, uint64_t modified) {
    if (file->is_read_only) {
        return FILES_READ_ONLY;
    }
    file->accessed = accessed;
    file->modified = modified;
    return FILES_OK;
}
