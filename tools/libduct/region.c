// SPDX-License-Identifier: MIT
/* Regions: memory that several domains have mapped. */
#include <assert.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"

static_assert(LIBDUCT_WRITABLE == DUCT_FILE_WRITABLE, "flag");
static_assert(LIBDUCT_NEWS_UP == DUCT_NEWS_UP, "news");
static_assert(LIBDUCT_NEWS_DOWN == DUCT_NEWS_DOWN, "news");
static_assert(LIBDUCT_NEWS_TRIGGERED == DUCT_NEWS_TRIGGERED, "news");
/* The kernel writes right into the program's. */
static_assert(sizeof(struct libduct_news) == sizeof(struct duct_file_news), "news");
static_assert(offsetof(struct libduct_news, type) == offsetof(struct duct_file_news, type), "");
static_assert(offsetof(struct libduct_news, peer) == offsetof(struct duct_file_news, peer), "");
static_assert(offsetof(struct libduct_news, error) == offsetof(struct duct_file_news, why), "");
static_assert(offsetof(struct libduct_news, off) == offsetof(struct duct_file_news, off), "");
static_assert(offsetof(struct libduct_news, total) == offsetof(struct duct_file_news, total), "");

#define NEWS_MOST 1024u	/* at once */

/* ---- opening ---- */

static struct libduct_region *open_region(const char *device, unsigned long request,
					  uint32_t id, uint64_t bytes, unsigned int flags,
					  unsigned int known)
{
	struct duct_file_region arg = {
		.size = bytes, .id = id, .flags = flags & LIBDUCT_WRITABLE,
	};

	if (flags & ~known) {
		errno = EINVAL;
		return NULL;
	}
	return file_handle(file_become(device, flags, request, &arg));
}

EXPORT struct libduct_region *libduct_region_create(const char *device, uint32_t id,
						    uint64_t bytes, unsigned int flags)
{
	return open_region(device, DUCT_IOC_REGION_CREATE, id, bytes, flags,
			   LIBDUCT_WRITABLE | LIBDUCT_NONBLOCK);
}

EXPORT struct libduct_region *libduct_region_attach(const char *device, uint32_t id,
						    unsigned int flags)
{
	return open_region(device, DUCT_IOC_REGION_ATTACH, id, 0, flags, LIBDUCT_NONBLOCK);
}

EXPORT struct libduct_region *libduct_region_fdopen(int fd)
{
	return file_adopt(fd, LIBDUCT_OWNER, LIBDUCT_ATTACHED);
}

EXPORT void libduct_region_close(struct libduct_region *rg)
{
	file_close(rg);
}

EXPORT int libduct_region_fd(const struct libduct_region *rg)
{
	return rg->fd;
}

EXPORT int libduct_region_info(const struct libduct_region *rg, struct libduct_info *info)
{
	return file_info(rg->fd, info);
}

/* ---- mapping ---- */

/* All of it from @off on. Return: 0 with errno set: nothing */
static size_t rest(const struct libduct_region *rg, uint64_t off)
{
	struct libduct_info info = { .size = sizeof(info) };

	if (file_info(rg->fd, &info))
		return 0;
	if (info.error)
		errno = (int)info.error;
	else if (off >= info.bytes || info.bytes - off > SIZE_MAX)
		errno = EINVAL;
	else
		return (size_t)(info.bytes - off);
	return 0;
}

EXPORT void *libduct_region_map(struct libduct_region *rg, uint64_t off, size_t bytes, int prot)
{
	void *addr;

	if (!bytes)
		bytes = rest(rg, off);
	if (!bytes)
		return NULL;
	addr = mmap(NULL, bytes, prot, MAP_SHARED, rg->fd, (off_t)off);
	return addr == MAP_FAILED ? NULL : addr;
}

EXPORT int libduct_region_unmap(void *addr, size_t bytes)
{
	return munmap(addr, bytes);
}

/* ---- other domains ---- */

/* @device: NULL: the region's own */
static int offer(struct libduct_region *rg, const char *device, unsigned long request,
		 struct duct_file_offer *arg)
{
	int ret, err;

	arg->fd = -1;
	if (!device)
		return ioctl(rg->fd, request, arg);
	arg->fd = file_open(device, 0);
	if (arg->fd < 0)
		return -1;
	ret = ioctl(rg->fd, request, arg);
	err = errno;
	close(arg->fd);
	errno = err;
	return ret;
}

EXPORT int libduct_region_offer(struct libduct_region *rg, const char *device, uint32_t id,
				unsigned int flags)
{
	struct duct_file_offer arg = { .id = id, .flags = flags };

	return offer(rg, device, DUCT_IOC_REGION_OFFER, &arg);
}

EXPORT int libduct_region_revoke(struct libduct_region *rg, const char *device)
{
	struct duct_file_offer arg = { .id = 0 };

	return offer(rg, device, DUCT_IOC_REGION_REVOKE, &arg);
}

/* ---- watching ---- */

EXPORT int libduct_region_watch(struct libduct_region *rg, uint64_t off, uint32_t count)
{
	struct duct_file_watch arg = { .off = off, .count = count };

	return ioctl(rg->fd, DUCT_IOC_REGION_WATCH, &arg);
}

EXPORT int libduct_region_unwatch(struct libduct_region *rg, uint64_t off)
{
	struct duct_file_watch arg = { .off = off };

	return ioctl(rg->fd, DUCT_IOC_REGION_UNWATCH, &arg);
}

EXPORT int libduct_region_trigger(struct libduct_region *rg, uint64_t off)
{
	struct duct_file_watch arg = { .off = off };

	return ioctl(rg->fd, DUCT_IOC_REGION_TRIGGER, &arg);
}

EXPORT int libduct_region_news(struct libduct_region *rg, struct libduct_news *news,
			       unsigned int count, unsigned int flags)
{
	struct iovec iov = { .iov_base = news };
	unsigned int i, told;
	ssize_t n;

	/* No more than a read() gives, and an int takes. */
	if (count > NEWS_MOST)
		count = NEWS_MOST;
	iov.iov_len = count * sizeof(*news);
	n = file_read(rg->fd, &iov, 1, flags);
	if (n < 0)
		return -1;
	told = (unsigned int)((size_t)n / sizeof(*news));
	for (i = 0; i < told; i++)
		news[i].error = -news[i].error;
	return (int)told;
}
