// SPDX-License-Identifier: MIT
/* Files of /dev/duct: what all handles have in common. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

static_assert(LIBDUCT_NOTHING == DUCT_FILE_NOTHING, "kind");
static_assert(LIBDUCT_CHANNEL == DUCT_FILE_CHANNEL, "kind");
static_assert(LIBDUCT_OWNER == DUCT_FILE_OWNER, "kind");
static_assert(LIBDUCT_ATTACHED == DUCT_FILE_ATTACHED, "kind");
static_assert(LIBDUCT_EVENT == DUCT_FILE_EVENT, "kind");
static_assert(LIBDUCT_STREAM == DUCT_FILE_STREAM, "flag");
static_assert(LIBDUCT_RESUMABLE == DUCT_FILE_RESUMABLE, "flag");

int file_fail(int err)
{
	errno = err;
	return -1;
}

/* Keeps errno: it says what went wrong before. */
static void close_quietly(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

/* ---- opening ---- */

int file_open(const char *device, unsigned int flags)
{
	int mode = O_RDWR | O_CLOEXEC | (flags & LIBDUCT_NONBLOCK ? O_NONBLOCK : 0);
	char path[PATH_MAX];
	int len;

	if (!device || !*device)
		return file_fail(EINVAL);
	if (strchr(device, '/'))
		return open(device, mode);
	len = snprintf(path, sizeof(path), DEVICES "/%s", device);
	if (len < 0 || (size_t)len >= sizeof(path))
		return file_fail(ENAMETOOLONG);
	return open(path, mode);
}

int file_become(const char *device, unsigned int flags, unsigned long request, void *arg)
{
	int fd = file_open(device, flags);

	if (fd < 0 || !ioctl(fd, request, arg))
		return fd;
	close_quietly(fd);
	return -1;
}

void *file_handle(int fd)
{
	int *handle;

	if (fd < 0)
		return NULL;
	handle = malloc(sizeof(*handle));
	if (handle)
		*handle = fd;
	else
		close_quietly(fd);
	return handle;
}

void *file_adopt(int fd, unsigned int a, unsigned int b)
{
	struct duct_file_info info;
	int *handle;

	if (ioctl(fd, DUCT_IOC_INFO, &info))
		return NULL;
	if (info.kind != a && info.kind != b) {
		errno = EINVAL;
		return NULL;
	}
	handle = malloc(sizeof(*handle));
	if (handle)
		*handle = fd;
	return handle;
}

void file_close(void *handle)
{
	if (!handle)
		return;
	close_quietly(*(int *)handle);
	free(handle);
}

/* ---- structures that grow ---- */

#define SIZED_MOST 4096u	/* more is no size, but what was not set */

int sized_check(const void *to)
{
	const uint32_t *size = to;

	if (*size < sizeof(*size))
		return file_fail(EINVAL);
	return *size > SIZED_MOST ? file_fail(E2BIG) : 0;
}

int sized_get(void *to, const void *from, size_t known)
{
	const uint32_t *size = from;
	const char *byte = from;
	size_t i;

	if (sized_check(from))
		return -1;
	for (i = known; i < *size; i++)
		if (byte[i])
			return file_fail(E2BIG);
	memset(to, 0, known);
	memcpy(to, from, *size < known ? *size : known);
	return 0;
}

void sized_put(void *to, const void *from, size_t known)
{
	const uint32_t size = *(uint32_t *)to;

	memset(to, 0, size);
	memcpy(to, from, size < known ? size : known);
	memcpy(to, &size, sizeof(size));
}

/* ---- what it is, and moving bytes ---- */

int file_info(int fd, struct libduct_info *info)
{
	struct duct_file_info i;
	struct libduct_info told;

	if (sized_check(info) || ioctl(fd, DUCT_IOC_INFO, &i))
		return -1;
	told = (struct libduct_info){
		.kind = i.kind, .error = (uint32_t)-i.error, .peer = i.peer,
		.epoch = i.epoch, .instance = i.instance, .number = i.number,
		.flags = i.flags, .max_msg = i.max_msg, .tx_bytes = i.tx_bytes,
		.rx_bytes = i.rx_bytes, .self = i.self, .bytes = i.size,
		.out_messages = i.out_messages, .out_bytes = i.out_bytes,
		.out_events = i.out_events, .in_messages = i.in_messages,
		.in_bytes = i.in_bytes, .wakeups = i.wakeups,
	};
	sized_put(info, &told, sizeof(told));
	return 0;
}

ssize_t file_read(int fd, const struct iovec *iov, int count, unsigned int flags)
{
	if (flags & ~LIBDUCT_NOWAIT)
		return file_fail(EINVAL);
	return preadv2(fd, iov, count, -1, flags ? RWF_NOWAIT : 0);
}

ssize_t file_write(int fd, const struct iovec *iov, int count, unsigned int flags)
{
	if (flags & ~LIBDUCT_NOWAIT)
		return file_fail(EINVAL);
	return pwritev2(fd, iov, count, -1, flags ? RWF_NOWAIT : 0);
}
