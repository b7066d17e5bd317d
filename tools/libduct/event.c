// SPDX-License-Identifier: MIT
/* Events: triggers that are counted. */
#include <errno.h>
#include <sys/ioctl.h>

#include "private.h"

EXPORT struct libduct_event *libduct_event_open(const char *device, uint32_t id,
						unsigned int flags)
{
	struct duct_file_event arg = { .id = id };

	if (flags & ~LIBDUCT_NONBLOCK) {
		errno = EINVAL;
		return NULL;
	}
	return file_handle(file_become(device, flags, DUCT_IOC_EVENT, &arg));
}

EXPORT struct libduct_event *libduct_event_fdopen(int fd)
{
	return file_adopt(fd, LIBDUCT_EVENT, LIBDUCT_EVENT);
}

EXPORT void libduct_event_close(struct libduct_event *ev)
{
	file_close(ev);
}

EXPORT int libduct_event_fd(const struct libduct_event *ev)
{
	return ev->fd;
}

EXPORT int libduct_event_info(const struct libduct_event *ev, struct libduct_info *info)
{
	return file_info(ev->fd, info);
}

EXPORT int libduct_event_trigger(struct libduct_event *ev, uint32_t count)
{
	__u64 n = count;
	const struct iovec iov = { .iov_base = &n, .iov_len = sizeof(n) };

	return file_write(ev->fd, &iov, 1, 0) < 0 ? -1 : 0;
}

EXPORT int libduct_event_take(struct libduct_event *ev, uint64_t *sum, unsigned int flags)
{
	__u64 n;
	const struct iovec iov = { .iov_base = &n, .iov_len = sizeof(n) };

	if (file_read(ev->fd, &iov, 1, flags) < 0)
		return -1;
	*sum = n;
	return 0;
}

EXPORT int libduct_event_watch(struct libduct_event *ev, uint32_t after)
{
	struct duct_file_event_watch arg = { .after = after };

	return ioctl(ev->fd, DUCT_IOC_EVENT_WATCH, &arg);
}
