// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fake.h"

struct result {
	long ret;
	int err;
	const void *out;
	size_t len;
};

#define MOST 8

struct asked asked[CALLS];
bool no_memory;
const char *const *directory;
static struct result results[CALLS][MOST];
static unsigned int queued[CALLS];
static const char *const nothing[] = { NULL };

int fake_reset(void **state)
{
	memset(asked, 0, sizeof(asked));
	memset(queued, 0, sizeof(queued));
	no_memory = false;
	directory = nothing;
	return 0;
}

void answer(int call, long ret, int err, const void *out, size_t len)
{
	if (queued[call] == MOST)
		abort();
	results[call][queued[call]++] = (struct result){ ret, err, out, len };
}

unsigned int all_calls(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < CALLS; i++)
		n += asked[i].calls;
	return n;
}

/* The queued answer, or @ret. */
static long take(int call, long ret, void *fill)
{
	struct result r = { .ret = ret };

	asked[call].calls++;
	if (queued[call]) {
		r = results[call][0];
		memmove(&results[call][0], &results[call][1], sizeof(r) * --queued[call]);
	}
	if (r.out && fill)
		memcpy(fill, r.out, r.len);
	if (r.err)
		errno = r.err;
	return r.ret;
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	static char copy[4096];

	strncpy(copy, path, sizeof(copy) - 1);
	asked[OPEN].path = copy;
	asked[OPEN].flags = flags;
	return (int)take(OPEN, FD, NULL);
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
	asked[CLOSE].fd = fd;
	errno = EIO;		/* nobody may care */
	return (int)take(CLOSE, 0, NULL);
}

/* What was asked about; what is received has 100 bytes, then 101, ... */
static void pieces(unsigned long request)
{
	uintptr_t at = (uintptr_t)asked[IOCTL].arg.many.pieces;
	struct duct_file_piece *piece;
	size_t i;

	if (request != DUCT_IOC_SEND_MANY && request != DUCT_IOC_RECV_MANY)
		return;
	memcpy(&piece, &at, sizeof(piece));
	memcpy(asked[IOCTL].piece, piece, asked[IOCTL].arg.many.count * sizeof(*piece));
	for (i = 0; request == DUCT_IOC_RECV_MANY && i < asked[IOCTL].arg.many.count; i++)
		piece[i].len = (__u32)(100 + i);
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *arg;
	va_list args;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	asked[IOCTL].fd = fd;
	asked[IOCTL].request = request;
	memset(&asked[IOCTL].arg, 0, sizeof(asked[IOCTL].arg));
	if (_IOC_DIR(request) & _IOC_WRITE)
		memcpy(&asked[IOCTL].arg, arg, _IOC_SIZE(request));
	pieces(request);
	return (int)take(IOCTL, 0, arg);
}

static void transfer(int call, int fd, const struct iovec *iov, int count, int64_t off, int flags)
{
	asked[call].fd = fd;
	asked[call].base = iov[0].iov_base;
	asked[call].len = iov[0].iov_len;
	asked[call].count = count;
	asked[call].off = off;
	asked[call].flags = flags;
}

ssize_t __wrap_preadv64v2(int fd, const struct iovec *iov, int count, int64_t off, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *iov, int count, int64_t off, int flags)
{
	transfer(READ, fd, iov, count, off, flags);
	return take(READ, 0, iov[0].iov_base);
}

ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int count, int64_t off, int flags);
ssize_t __wrap_pwritev64v2(int fd, const struct iovec *iov, int count, int64_t off, int flags)
{
	transfer(WRITE, fd, iov, count, off, flags);
	if (iov[0].iov_len >= sizeof(asked[WRITE].data))
		memcpy(&asked[WRITE].data, iov[0].iov_base, sizeof(asked[WRITE].data));
	return take(WRITE, (long)iov[0].iov_len, NULL);
}

ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	asked[WRITE].fd = fd;
	asked[WRITE].base = buf;
	asked[WRITE].len = len;
	return take(WRITE, (long)len, NULL);
}

int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *pfd, nfds_t count, int timeout)
{
	asked[POLL].fd = pfd->fd;
	asked[POLL].flags = pfd->events;
	asked[POLL].off = timeout;
	return (int)take(POLL, 0, &pfd->revents);
}

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, int64_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, int64_t off)
{
	asked[MMAP].fd = fd;
	asked[MMAP].base = addr;
	asked[MMAP].len = len;
	asked[MMAP].flags = prot;
	asked[MMAP].count = flags;
	asked[MMAP].off = off;
	return (void *)take(MMAP, 0x10000, NULL);
}

int __wrap_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len)
{
	asked[MUNMAP].base = addr;
	asked[MUNMAP].len = len;
	return (int)take(MUNMAP, 0, NULL);
}

/* A directory is where its next name is. */
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	asked[DIRECTORY].path = path;
	return take(DIRECTORY, 0, NULL) ? NULL : (DIR *)&directory;
}

/* "!" is an error. */
struct dirent *__wrap_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir)
{
	static struct dirent entry;

	if (!*directory)
		return NULL;
	if (**directory == '!') {
		errno = EBADF;
		return NULL;
	}
	strcpy(entry.d_name, *directory++);
	return &entry;
}

int __wrap_closedir(DIR *dir);
int __wrap_closedir(DIR *dir)
{
	return __wrap_close(FD);
}

int __wrap_dirfd(DIR *dir);
int __wrap_dirfd(DIR *dir)
{
	return FD;
}

int __wrap_fstatat64(int fd, const char *name, struct stat *st, int flags);
int __wrap_fstatat64(int fd, const char *name, struct stat *st, int flags)
{
	st->st_mode = *name == '-' ? S_IFREG : *name == '.' ? S_IFDIR : S_IFCHR;
	return 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	no_memory = false;
	errno = ENOMEM;
	return NULL;
}
