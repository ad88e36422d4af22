/* The files that an image brings: how the tree is filled. For files.c and packed_files.c. */
#ifndef HATCHERY_FILES_PACKED_FILES_H
#define HATCHERY_FILES_PACKED_FILES_H

#include "files.h"

/*
 * A new file or directory with that name, at most FILE_NAME_MAX bytes, which the directory has not yet;
 * NULL where there is no memory.
 */
struct file *files_add(struct file *directory, const char *name, size_t name_bytes, int is_directory);

/* What has that name in the directory, or NULL. */
struct file *files_child(struct file *directory, const char *name, size_t name_bytes);

/* Adds all that the image brings, read-only, and the writable /tmp. */
void packed_files_unpack(struct file *root);

#endif
