// SPDX-License-Identifier: MIT
#include <sys/uio.h>

#include "fake.h"

#define BIG ((size_t)UINT32_MAX + 1)

static struct libduct_channel channel = { FD }, *const ch = &channel;
static char buf[16];

static void open_as_told(void **state)
{
	struct libduct_channel_config c = {
		.size = sizeof(c), .number = 1, .flags = LIBDUCT_STREAM | LIBDUCT_NONBLOCK,
		.tx_bytes = 2, .rx_bytes = 3, .max_msg = 4, .max_calls = 5, .max_answer = 6,
	};
	const struct duct_file_channel wanted = {
		.number = 1, .flags = DUCT_FILE_STREAM, .tx_bytes = 2, .rx_bytes = 3,
		.max_msg = 4, .max_calls = 5, .max_answer = 6,
	};
	struct libduct_channel *got = libduct_channel_open(DEVICE, &c);

	assert_non_null(got);
	assert_int_equal(libduct_channel_fd(got), FD);
	assert_true(asked[OPEN].flags & O_NONBLOCK);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_CHANNEL);
	assert_memory_equal(&asked[IOCTL].arg, &wanted, sizeof(wanted));
	libduct_channel_close(got);
	c.flags = LIBDUCT_WRITABLE;
	assert_null_with(libduct_channel_open(DEVICE, &c), EINVAL);
	c.flags = 0;
	c.size = 2;
	assert_null_with(libduct_channel_open(DEVICE, &c), EINVAL);
	assert_int_equal(asked[OPEN].calls, 1);
}

static void open_as_the_toolstack_says(void **state)
{
	struct libduct_channel *got = libduct_channel_open(DEVICE, NULL);

	assert_non_null(got);
	assert_int_equal(asked[IOCTL].calls, 0);
	assert_int_equal(asked[WRITE].calls, 1);
	assert_int_equal(asked[WRITE].fd, FD);
	assert_int_equal(asked[WRITE].len, 0);
	libduct_channel_close(got);
	fails(WRITE, EBUSY);
	assert_null_with(libduct_channel_open(DEVICE, NULL), EBUSY);
	assert_int_equal(asked[CLOSE].calls, 2);
	fails(OPEN, ENOENT);
	assert_null_with(libduct_channel_open(DEVICE, NULL), ENOENT);
	no_memory = true;
	assert_null_with(libduct_channel_open(DEVICE, NULL), ENOMEM);
	assert_int_equal(asked[CLOSE].calls, 3);
}

static void is_open(void **state)
{
	static const struct { int error, is; } all[] = {
		{ 0, 1 }, { -ENOTCONN, 2 }, { -EPIPE, 0 }, { -ECONNRESET, 0 }, { -ENODEV, 0 },
	};
	struct duct_file_info info = { .kind = DUCT_FILE_CHANNEL };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		info.error = all[i].error;
		fills(IOCTL, 0, info);
		assert_int_equal(libduct_channel_is_open(ch), all[i].is);
	}
	fails(IOCTL, EINTR);
	assert_fails(libduct_channel_is_open(ch), EINTR);
}

static void wait_for_it(void **state)
{
	const short there = POLLIN | POLLHUP;

	fills(POLL, 1, there);
	assert_int_equal(libduct_channel_wait(ch, POLLIN | POLLOUT | POLLPRI, -1), there);
	assert_int_equal(asked[POLL].fd, FD);
	assert_int_equal(asked[POLL].flags, POLLIN | POLLOUT | POLLPRI);
	assert_int_equal(asked[POLL].off, -1);
	assert_int_equal(libduct_channel_wait(ch, POLLOUT, 20), 0);
	assert_int_equal(asked[POLL].off, 20);
	fails(POLL, EINTR);
	assert_fails(libduct_channel_wait(ch, POLLIN, 0), EINTR);
	assert_fails(libduct_channel_wait(ch, POLLIN | POLLHUP, 0), EINVAL);
	assert_int_equal(asked[POLL].calls, 3);
}

/* ---- sending ---- */

static void send_it(void **state)
{
	const struct duct_file_send part = { .len = 3 };

	assert_int_equal(libduct_channel_send(ch, buf, 5, LIBDUCT_NOWAIT), 5);
	assert_int_equal(asked[IOCTL].fd, FD);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_SEND);
	assert_int_equal(asked[IOCTL].arg.send.buf, address(buf));
	assert_int_equal(asked[IOCTL].arg.send.len, 5);
	assert_int_equal(asked[IOCTL].arg.send.flags, DUCT_FILE_NOWAIT);
	fills(IOCTL, 0, part);
	assert_int_equal(libduct_channel_send(ch, buf, 5, 0), 3);
	assert_int_equal(libduct_channel_send(ch, NULL, 0, 0), 0);
	fails(IOCTL, EPIPE);
	assert_fails(libduct_channel_send(ch, buf, 5, 0), EPIPE);
	assert_fails(libduct_channel_send(ch, buf, BIG, 0), EMSGSIZE);
	assert_int_equal(asked[IOCTL].calls, 4);
}

static void send_pieces(void **state)
{
	const struct iovec iov[] = { { buf, 4 }, { buf + 8, 2 } };

	gives(WRITE, 6);
	assert_int_equal(libduct_channel_sendv(ch, iov, 2, 0), 6);
	assert_int_equal(asked[WRITE].fd, FD);
	assert_int_equal(asked[WRITE].count, 2);
	assert_int_equal(asked[WRITE].off, -1);
	assert_int_equal(asked[WRITE].flags, 0);
	fails(WRITE, EAGAIN);
	assert_fails(libduct_channel_sendv(ch, iov, 2, LIBDUCT_NOWAIT), EAGAIN);
	assert_int_equal(asked[WRITE].flags, RWF_NOWAIT);
	assert_fails(libduct_channel_sendv(ch, iov, 2, LIBDUCT_CUT), EINVAL);
	assert_int_equal(asked[WRITE].calls, 2);
}

static void send_all(void **state)
{
	const struct duct_file_send two = { .len = 2 };
	size_t done = 99;

	fills(IOCTL, 0, two);
	fails(IOCTL, EINTR);
	fills(IOCTL, 0, two);
	assert_int_equal(libduct_channel_send_all(ch, buf, 5, &done), 0);
	assert_int_equal(done, 5);
	assert_int_equal(asked[IOCTL].calls, 4);
	assert_int_equal(asked[IOCTL].arg.send.buf, address(buf + 4));
	assert_int_equal(asked[IOCTL].arg.send.len, 1);
	fills(IOCTL, 0, two);
	fails(IOCTL, ECONNRESET);
	assert_fails(libduct_channel_send_all(ch, buf, 5, &done), ECONNRESET);
	assert_int_equal(done, 2);
	/* An empty message is sent, once. */
	assert_int_equal(libduct_channel_send_all(ch, buf, 0, NULL), 0);
	assert_int_equal(asked[IOCTL].calls, 7);
}

static void send_many(void **state)
{
	const struct duct_file_many three = { .count = 3 };
	struct iovec iov[70];
	size_t i;

	for (i = 0; i < 70; i++)
		iov[i] = (struct iovec){ buf + i % 7, i };
	assert_int_equal(libduct_channel_send_many(ch, iov, 70, 0), 70);
	assert_int_equal(asked[IOCTL].calls, 2);
	assert_int_equal(asked[IOCTL].fd, FD);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_SEND_MANY);
	assert_int_equal(asked[IOCTL].arg.many.count, 6);
	/* It waits for the very first only. */
	assert_int_equal(asked[IOCTL].arg.many.flags, DUCT_FILE_NOWAIT);
	assert_int_equal(asked[IOCTL].piece[5].buf, address(buf + 69 % 7));
	assert_int_equal(asked[IOCTL].piece[5].len, 69);
	assert_int_equal(asked[IOCTL].piece[5].reserved, 0);
	fills(IOCTL, 0, three);
	iov[4].iov_len = BIG;
	assert_int_equal(libduct_channel_send_many(ch, iov, 70, 0), 3);
	assert_int_equal(asked[IOCTL].arg.many.flags, 0);
	assert_int_equal(asked[IOCTL].piece[4].len, UINT32_MAX);
	assert_int_equal(asked[IOCTL].calls, 3);
}

static void send_many_fails(void **state)
{
	const struct duct_file_many full = { .count = 64 };
	struct iovec iov[65] = { { NULL, 0 } };

	fails(IOCTL, EPIPE);
	assert_fails(libduct_channel_send_many(ch, iov, 65, LIBDUCT_NOWAIT), EPIPE);
	assert_int_equal(asked[IOCTL].arg.many.flags, DUCT_FILE_NOWAIT);
	/* What went before is not forgotten. */
	fills(IOCTL, 0, full);
	fails(IOCTL, EAGAIN);
	assert_int_equal(libduct_channel_send_many(ch, iov, 65, 0), 64);
	fails(IOCTL, EINVAL);
	assert_fails(libduct_channel_send_many(ch, iov, 0, 0), EINVAL);
	assert_int_equal(asked[IOCTL].arg.many.count, 0);
}

/* ---- receiving ---- */

static void recv_it(void **state)
{
	gives(READ, 3);
	assert_int_equal(libduct_channel_recv(ch, buf, sizeof(buf), 0), 3);
	assert_int_equal(asked[READ].fd, FD);
	assert_ptr_equal(asked[READ].base, buf);
	assert_int_equal(asked[READ].len, sizeof(buf));
	assert_int_equal(asked[READ].count, 1);
	assert_int_equal(asked[READ].off, -1);
	assert_int_equal(asked[READ].flags, 0);
	fails(READ, EAGAIN);
	assert_fails(libduct_channel_recv(ch, buf, sizeof(buf), LIBDUCT_NOWAIT), EAGAIN);
	assert_int_equal(asked[READ].flags, RWF_NOWAIT);
	assert_fails(libduct_channel_recv(ch, buf, sizeof(buf), LIBDUCT_CUT), EINVAL);
	assert_int_equal(asked[READ].calls, 2);
}

static void recv_pieces(void **state)
{
	const struct iovec iov[] = { { buf, 4 }, { buf + 8, 2 } };

	gives(READ, 6);
	assert_int_equal(libduct_channel_recvv(ch, iov, 2, LIBDUCT_NOWAIT), 6);
	assert_int_equal(asked[READ].count, 2);
	assert_ptr_equal(asked[READ].base, buf);
	assert_int_equal(asked[READ].flags, RWF_NOWAIT);
}

static void recv_all(void **state)
{
	size_t done = 99;

	gives(READ, 4);
	fails(READ, EINTR);
	gives(READ, 6);
	assert_int_equal(libduct_channel_recv_all(ch, buf, 10, &done), 0);
	assert_int_equal(done, 10);
	assert_ptr_equal(asked[READ].base, buf + 4);
	assert_int_equal(asked[READ].len, 6);
	/* The end is 0, then why. */
	gives(READ, 4);
	gives(READ, 0);
	fails(READ, ECONNRESET);
	assert_fails(libduct_channel_recv_all(ch, buf, 10, &done), ECONNRESET);
	assert_int_equal(done, 4);
	assert_int_equal(asked[READ].calls, 6);
	assert_int_equal(libduct_channel_recv_all(ch, buf, 0, NULL), 0);
	assert_int_equal(asked[READ].calls, 6);
}

static void recv_many(void **state)
{
	const struct duct_file_many two = { .count = 2 }, none = { .count = 0 };
	struct iovec iov[66];
	size_t i;

	for (i = 0; i < 66; i++)
		iov[i] = (struct iovec){ buf, 7 };
	assert_int_equal(libduct_channel_recv_many(ch, iov, 66, 0), 66);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_RECV_MANY);
	assert_int_equal(asked[IOCTL].piece[1].buf, address(buf));
	assert_int_equal(asked[IOCTL].piece[1].len, 7);
	assert_int_equal(iov[63].iov_len, 163);
	assert_int_equal(iov[65].iov_len, 101);
	iov[2].iov_len = 7;
	fills(IOCTL, 0, two);
	assert_int_equal(libduct_channel_recv_many(ch, iov, 3, 0), 2);
	assert_int_equal(iov[1].iov_len, 101);
	assert_int_equal(iov[2].iov_len, 7);
	fills(IOCTL, 0, none);
	assert_int_equal(libduct_channel_recv_many(ch, iov, 3, 0), 0);
	assert_int_equal(asked[IOCTL].calls, 4);
}

static void recv_many_fails(void **state)
{
	struct iovec iov[2] = { { buf, 7 }, { buf, 7 } };

	fails(IOCTL, EAGAIN);
	assert_fails(libduct_channel_recv_many(ch, iov, 2, LIBDUCT_NOWAIT), EAGAIN);
	assert_int_equal(iov[0].iov_len, 7);
	fails(IOCTL, EMSGSIZE);
	assert_fails(libduct_channel_recv_many(ch, iov, 2, 0), EMSGSIZE);
	assert_int_equal(iov[0].iov_len, 100);
	assert_int_equal(iov[1].iov_len, 7);
}

static void next(void **state)
{
	struct duct_file_recv got = {
		.len = 20, .flags = DUCT_FILE_WAS_CUT, .tag = 7,
	};
	struct libduct_message msg = { .size = sizeof(msg) };

	fills(IOCTL, 0, got);
	assert_int_equal(libduct_channel_next(ch, &msg, buf, 10, LIBDUCT_CUT | LIBDUCT_NOWAIT), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_RECV);
	assert_int_equal(asked[IOCTL].arg.recv.buf, address(buf));
	assert_int_equal(asked[IOCTL].arg.recv.len, 10);
	assert_int_equal(asked[IOCTL].arg.recv.flags, DUCT_FILE_CUT | DUCT_FILE_NOWAIT);
	assert_int_equal(asked[IOCTL].arg.recv.tag, 0);
	assert_int_equal(msg.len, 20);
	assert_int_equal(msg.flags, LIBDUCT_WAS_CUT);
	assert_int_equal(msg.tag, 7);
	/* More room than the kernel can be told of. */
	libduct_channel_next(ch, &msg, buf, BIG, 0);
	assert_int_equal(asked[IOCTL].arg.recv.len, UINT32_MAX);
}

static void next_fails(void **state)
{
	const struct duct_file_recv got = { .len = 20, .flags = DUCT_FILE_NOWAIT };
	struct libduct_message msg = { .size = sizeof(msg) };

	answer(IOCTL, -1, EMSGSIZE, &got, sizeof(got));
	assert_fails(libduct_channel_next(ch, &msg, buf, 10, 0), EMSGSIZE);
	assert_int_equal(msg.len, 20);
	assert_int_equal(msg.flags, 0);
	msg.len = 3;
	fails(IOCTL, EAGAIN);
	assert_fails(libduct_channel_next(ch, &msg, buf, 10, 0), EAGAIN);
	assert_int_equal(msg.len, 3);
	/* Before a message is lost. */
	msg.size = 0;
	assert_fails(libduct_channel_next(ch, &msg, buf, 10, 0), EINVAL);
	assert_int_equal(asked[IOCTL].calls, 2);
}

int test_channel(void)
{
	const struct CMUnitTest channels[] = {
		test(open_as_told), test(open_as_the_toolstack_says), test(is_open),
		test(wait_for_it), test(send_it), test(send_pieces), test(send_all),
		test(send_many), test(send_many_fails), test(recv_it), test(recv_pieces),
		test(recv_all), test(recv_many), test(recv_many_fails), test(next), test(next_fails),
	};

	return run(channels);
}
