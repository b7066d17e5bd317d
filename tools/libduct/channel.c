// SPDX-License-Identifier: MIT
/* Channels: messages and streams. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

enum { PIECES = 64 };		/* messages of a system call */

static_assert(LIBDUCT_NOWAIT == DUCT_FILE_NOWAIT, "flag");
static_assert(LIBDUCT_CUT == DUCT_FILE_CUT, "flag");
static_assert(LIBDUCT_WAS_CUT == DUCT_FILE_WAS_CUT, "flag");
static_assert(LIBDUCT_EOF == DUCT_FILE_EOF, "flag");

/* ---- opening ---- */

/* Channel 0: the first write() of a file makes that of it, and no bytes send nothing. */
static struct libduct_channel *open_default(const char *device)
{
	struct libduct_channel *ch = file_handle(file_open(device, 0));

	if (ch && write(ch->fd, "", 0)) {
		file_close(ch);
		ch = NULL;
	}
	return ch;
}

EXPORT struct libduct_channel *libduct_channel_open(const char *device,
						    const struct libduct_channel_config *config)
{
	struct libduct_channel_config c;
	struct duct_file_channel arg;

	if (!config)
		return open_default(device);
	if (sized_get(&c, config, sizeof(c)))
		return NULL;
	if (c.flags & ~(LIBDUCT_STREAM | LIBDUCT_RESUMABLE | LIBDUCT_NONBLOCK)) {
		errno = EINVAL;
		return NULL;
	}
	arg = (struct duct_file_channel){
		.number = c.number, .flags = c.flags & (LIBDUCT_STREAM | LIBDUCT_RESUMABLE),
		.tx_bytes = c.tx_bytes, .rx_bytes = c.rx_bytes, .max_msg = c.max_msg,
		.max_calls = c.max_calls, .max_answer = c.max_answer,
	};
	return file_handle(file_become(device, c.flags, DUCT_IOC_CHANNEL, &arg));
}

EXPORT struct libduct_channel *libduct_channel_fdopen(int fd)
{
	return file_adopt(fd, LIBDUCT_CHANNEL, LIBDUCT_CHANNEL);
}

EXPORT void libduct_channel_close(struct libduct_channel *ch)
{
	file_close(ch);
}

/* ---- how it is ---- */

EXPORT int libduct_channel_fd(const struct libduct_channel *ch)
{
	return ch->fd;
}

EXPORT int libduct_channel_info(const struct libduct_channel *ch, struct libduct_info *info)
{
	return file_info(ch->fd, info);
}

EXPORT int libduct_channel_is_open(const struct libduct_channel *ch)
{
	struct libduct_info info = { .size = sizeof(info) };

	if (file_info(ch->fd, &info))
		return -1;
	if (info.error == ENOTCONN)
		return 2;
	return !info.error;
}

EXPORT int libduct_channel_wait(const struct libduct_channel *ch, int events, int timeout_ms)
{
	struct pollfd pfd = { .fd = ch->fd, .events = (short)events };

	if (events & ~(POLLIN | POLLOUT | POLLPRI))
		return file_fail(EINVAL);
	return poll(&pfd, 1, timeout_ms) < 0 ? -1 : pfd.revents;
}

/* ---- sending ---- */

EXPORT ssize_t libduct_channel_send(struct libduct_channel *ch, const void *buf, size_t len,
				    unsigned int flags)
{
	struct duct_file_send arg = {
		.buf = address(buf), .len = (__u32)len, .flags = flags,
	};

	if (!fits32(len))
		return file_fail(EMSGSIZE);
	return ioctl(ch->fd, DUCT_IOC_SEND, &arg) ? -1 : (ssize_t)arg.len;
}

EXPORT ssize_t libduct_channel_sendv(struct libduct_channel *ch, const struct iovec *iov,
				     int count, unsigned int flags)
{
	return file_write(ch->fd, iov, count, flags);
}

EXPORT int libduct_channel_send_all(struct libduct_channel *ch, const void *buf, size_t len,
				    size_t *done)
{
	const char *bytes = buf;
	size_t sent = 0;
	ssize_t n;

	do {
		n = libduct_channel_send(ch, bytes + sent, len - sent, 0);
		if (n > 0)
			sent += (size_t)n;
	} while ((n > 0 && sent < len) || (n < 0 && errno == EINTR));
	if (done)
		*done = sent;
	return n < 0 ? -1 : 0;
}

/*
 * With as many of @messages as an array on the stack has room for. Return: how many were
 * sent or received, or -1; @pieces: their lengths
 */
static ssize_t some(struct libduct_channel *ch, unsigned long request,
		    const struct iovec *messages, size_t count, unsigned int flags,
		    struct duct_file_piece pieces[PIECES])
{
	struct duct_file_many arg = { .pieces = address(pieces), .flags = flags };

	while (arg.count < PIECES && arg.count < count) {
		const struct iovec *message = &messages[arg.count];

		pieces[arg.count++] = (struct duct_file_piece){
			.buf = address(message->iov_base),
			/* Longer than any message may be. */
			.len = room32(message->iov_len),
		};
	}
	return ioctl(ch->fd, request, &arg) ? -1 : (ssize_t)arg.count;
}

EXPORT ssize_t libduct_channel_send_many(struct libduct_channel *ch,
					 const struct iovec *messages, size_t count,
					 unsigned int flags)
{
	struct duct_file_piece pieces[PIECES];
	size_t sent = 0;
	ssize_t n;

	do {
		n = some(ch, DUCT_IOC_SEND_MANY, messages + sent, count - sent, flags, pieces);
		if (n > 0)
			sent += (size_t)n;
		flags |= LIBDUCT_NOWAIT;
	} while (n == PIECES && sent < count);
	return n < 0 && !sent ? -1 : (ssize_t)sent;
}

/* ---- receiving ---- */

EXPORT ssize_t libduct_channel_recv(struct libduct_channel *ch, void *buf, size_t size,
				    unsigned int flags)
{
	const struct iovec iov = { .iov_base = buf, .iov_len = size };

	return file_read(ch->fd, &iov, 1, flags);
}

EXPORT ssize_t libduct_channel_recvv(struct libduct_channel *ch, const struct iovec *iov,
				     int count, unsigned int flags)
{
	return file_read(ch->fd, iov, count, flags);
}

EXPORT int libduct_channel_recv_all(struct libduct_channel *ch, void *buf, size_t size,
				    size_t *done)
{
	char *bytes = buf;
	size_t got = 0;
	ssize_t n = 0;

	/* The end is 0 once; the next time it is the reason. */
	while (got < size) {
		n = libduct_channel_recv(ch, bytes + got, size - got, 0);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			got += (size_t)n;
	}
	if (done)
		*done = got;
	return n < 0 ? -1 : 0;
}

EXPORT ssize_t libduct_channel_recv_many(struct libduct_channel *ch, struct iovec *messages,
					 size_t count, unsigned int flags)
{
	struct duct_file_piece pieces[PIECES];
	size_t got = 0;
	ssize_t n, i;

	do {
		n = some(ch, DUCT_IOC_RECV_MANY, messages + got, count - got, flags, pieces);
		for (i = 0; i < n; i++)
			messages[got++].iov_len = pieces[i].len;
		flags |= LIBDUCT_NOWAIT;
	} while (n == PIECES && got < count);
	if (n < 0 && !got && errno == EMSGSIZE)
		messages->iov_len = pieces->len;
	return n < 0 && !got ? -1 : (ssize_t)got;
}

EXPORT int libduct_channel_next(struct libduct_channel *ch, struct libduct_message *msg,
				void *buf, size_t room, unsigned int flags)
{
	struct duct_file_recv arg = {
		.buf = address(buf), .len = room32(room), .flags = flags,
	};
	struct libduct_message told;
	int err = 0;

	if (sized_check(msg))
		return -1;
	if (ioctl(ch->fd, DUCT_IOC_RECV, &arg))
		err = errno;
	if (err && err != EMSGSIZE)
		return -1;
	told = (struct libduct_message){
		.flags = err ? 0 : arg.flags, .len = arg.len, .tag = err ? 0 : arg.tag,
	};
	sized_put(msg, &told, sizeof(told));
	return err ? file_fail(err) : 0;
}
