/* SPDX-License-Identifier: MIT */
/* What the files of the library share. */
#ifndef LIBDUCT_PRIVATE_H
#define LIBDUCT_PRIVATE_H

#include <stdbool.h>
#include <xen/duct.h>		/* the one of include/uapi */

#include "libduct.h"

#define DEVICES "/dev/duct"

/* All else is hidden; libduct.map gives it a version. */
#define EXPORT __attribute__((visibility("default")))

/* A handle is a descriptor, and never changes: that is what its threads rely on. */
struct libduct_channel {
	int fd;
};

struct libduct_region {
	int fd;
};

struct libduct_event {
	int fd;
};

/* Return: -1, with errno set */
int file_fail(int err);

/* Of @device. Return: the descriptor, or -1; @flags: LIBDUCT_NONBLOCK, others are ignored */
int file_open(const char *device, unsigned int flags);

/* The same, made into something by an ioctl */
int file_become(const char *device, unsigned int flags, unsigned long request, void *arg);

/* A handle, which is an int, of @fd. Return: NULL: @fd is -1, or was closed for ENOMEM */
void *file_handle(int fd);

/* A handle of a descriptor of the program's, of kind @a or @b; it is not closed for errors */
void *file_adopt(int fd, unsigned int a, unsigned int b);

/* Closes and frees it; NULL is fine */
void file_close(void *handle);

int file_info(int fd, struct libduct_info *info);

/* preadv2() and pwritev2() with LIBDUCT_NOWAIT or 0 */
ssize_t file_read(int fd, const struct iovec *iov, int count, unsigned int flags);
ssize_t file_write(int fd, const struct iovec *iov, int count, unsigned int flags);

/*
 * Structures that grow: the size first. What the program gave, 0 where it gave none.
 * Return: 0, or -1 with EINVAL, E2BIG
 */
int sized_get(void *to, const void *from, size_t known);

/* Whether one can be filled: to be asked before anything happens. Return: 0, or -1 */
int sized_check(const void *to);

/* Fills as much as the program has room for; its size stays */
void sized_put(void *to, const void *from, size_t known);

/* Addresses, and lengths that fit, as the kernel wants them */
static inline __u64 address(const void *p)
{
	return (__u64)(uintptr_t)p;
}

static inline bool fits32(size_t len)
{
	return len <= UINT32_MAX;
}

static inline __u32 room32(size_t room)
{
	return room < UINT32_MAX ? (__u32)room : UINT32_MAX;
}

#endif /* LIBDUCT_PRIVATE_H */
