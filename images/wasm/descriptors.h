/* What a module's descriptors stand for. */
#ifndef HATCHERY_WASM_DESCRIPTORS_H
#define HATCHERY_WASM_DESCRIPTORS_H

#include "../files/files.h"
#include "wasi.h"

enum descriptor_kind { DESCRIPTOR_CLOSED, DESCRIPTOR_INPUT, DESCRIPTOR_OUTPUT, DESCRIPTOR_ERROR, DESCRIPTOR_FILE };

struct descriptor {
    enum descriptor_kind kind;
    uint16_t flags; /* WASI_FDFLAGS_ */
    uint64_t rights_base, rights_inheriting;
    struct file *file; /* DESCRIPTOR_FILE: a regular file or a directory */
    uint64_t offset;
    int is_preopened;
};

/* The name of the one directory that is open from the start. */
#define PREOPENED_NAME "/"

/* Closes all but those that a program starts with: the standard streams, and the root as 3. */
void descriptors_begin(void);

/*
 * The descriptor of that number. WASI_BADF where there is none, WASI_NOTCAPABLE where it lacks any of the
 * rights, given as bits.
 */
u32 descriptor_get(u32 number, uint64_t rights, struct descriptor **found);

/* The same, where it must be a directory (WASI_NOTDIR). */
u32 descriptor_get_directory(u32 number, uint64_t rights, struct descriptor **found);

/* Opens a file under the lowest free number; a directory gets no rights to what only a file's content has. */
u32 descriptor_open(struct file *file, uint16_t flags, uint64_t rights_base,
                    uint64_t rights_inheriting, u32 *number);
void descriptor_close(struct descriptor *descriptor);

enum wasi_filetype descriptor_filetype(const struct descriptor *descriptor);
enum wasi_filetype file_filetype(const struct file *file);

u32 wasi_errno_of(enum files_error error);

/* What stat(2) tells of a file. */
struct wasi_filestat filestat_of(const struct file *file);

/* Sets the times that the WASI_FSTFLAGS_ name. */
u32 set_times(struct file *file, u64 accessed, u64 modified, u32 flags);

#endif
