/*
 * The file system of a guest: a tree that the image brings, read-only, and /tmp, a scratch folder in
 * memory that is there as long as the instance. There are regular files and directories, no links.
 *
 * Every function that returns enum files_error changes nothing where that is not FILES_OK.
 */
#ifndef HATCHERY_FILES_FILES_H
#define HATCHERY_FILES_FILES_H

#include <stddef.h>
#include <stdint.h>

enum files_error {
    FILES_OK,
    FILES_NOT_FOUND,
    FILES_EXISTS,
    FILES_NOT_A_DIRECTORY,
    FILES_IS_A_DIRECTORY,
    FILES_READ_ONLY,
    FILES_NO_SPACE,
    FILES_NOT_EMPTY,
    FILES_NAME_TOO_LONG,
    FILES_INVALID,
    FILES_TOO_LARGE,
    FILES_OUTSIDE /* `..` above the directory that the path starts from */
};

enum { FILE_NAME_MAX = 255 };

/* A regular file or a directory. Its fields are read-only to all but files.c. */
struct file {
    struct file *parent; /* NULL for the root, and for what was unlinked and is still open */
    struct file *first_child, *next;
    uint64_t inode;
    uint64_t position; /* in its directory, which grows with each name that is made there */
    uint64_t size; /* of a regular file, in bytes */
    uint64_t accessed, modified; /* nanoseconds since 1970-01-01 UTC */
    uint32_t opens;
    uint8_t is_directory;
    uint8_t is_read_only;
    uint8_t name_bytes;
    char name[FILE_NAME_MAX];
    const unsigned char *packed; /* the content of a file that the image brought */
    void ***pages;               /* of any other: a table of tables of pages; holes are NULL */
};

/* The root; makes the tree on its first call. */
struct file *files_root(void);

/*
 * Finds what a path names, from a directory. `path` need not end with a NUL. A path with a slash at its
 * end names a directory. What is absolute starts from `directory` as well.
 */
enum files_error files_find(struct file *directory, const char *path, size_t path_bytes,
                            struct file **found);

/* Makes an empty regular file or a directory where nothing is yet. */
enum files_error files_create(struct file *directory, const char *path, size_t path_bytes,
                              int is_directory, struct file **created);

/* Takes a name away. A file that is open is there until it is closed. */
enum files_error files_unlink(struct file *directory, const char *path, size_t path_bytes);
enum files_error files_remove_directory(struct file *directory, const char *path,
                                        size_t path_bytes);

/* Empties /tmp, but for what the image brought. What is open is there until it is closed. */
void files_clear_scratch(void);

/* As rename(2): a regular file may replace another one, a directory an empty one. */
enum files_error files_rename(struct file *from_directory, const char *from, size_t from_bytes,
                              struct file *to_directory, const char *to, size_t to_bytes);

/* Counts users of a file, so that it outlives its name. */
void files_open(struct file *file);
void files_close(struct file *file);

/* Copies up to `count` bytes from `offset` on; returns how many there were. */
size_t files_read(struct file *file, uint64_t offset, void *buffer, size_t count);

/* Writes all of it. What is between the file's end and `offset` reads as zeroes. */
enum files_error files_write(struct file *file, uint64_t offset, const void *buffer, size_t count);

enum files_error files_set_size(struct file *file, uint64_t size);

/* Nanoseconds since 1970-01-01 UTC. */
enum files_error files_set_times(struct file *file, uint64_t accessed, uint64_t modified);

#endif
