// SPDX-License-Identifier: GPL-2.0-only
/* Channels that are streams. */
#define _GNU_SOURCE
#include "kit.h"

#define TOTAL (3u << 20)

static void *write_all(void *arg)
{
	unsigned char buf[100000];
	unsigned int at = 0, seed = 1, len, i;

	while (at < TOTAL) {
		len = 1 + (seed = seed * 1103515245 + 12345) / 7 % sizeof(buf);
		if (len > TOTAL - at)
			len = TOTAL - at;
		for (i = 0; i < len; i++)
			buf[i] = pattern(1, at + i);
		/* What waits takes all. */
		if (write((intptr_t)arg, buf, len) != (ssize_t)len)
			return (void *)1;
		at += len;
	}
	return NULL;
}

static void expect_all(int fd)
{
	static unsigned char buf[70000];
	unsigned int at = 0, seed = 2, i;
	ssize_t n;

	while (at < TOTAL) {
		seed = seed * 1103515245 + 12345;
		n = read(fd, buf, 1 + seed / 7 % sizeof(buf));
		OK(n > 0);
		for (i = 0; i < (unsigned int)n; i++)
			if (buf[i] != pattern(1, at + i))
				IS(at + i, -1);
		at += n;
	}
}

static void test_bytes(void)
{
	int left = end_channel(LEFT, 9, DUCT_FILE_STREAM);
	int right = end_channel(RIGHT, 9, DUCT_FILE_STREAM);
	char buf[16] = "";

	IS(info_of(left).flags, DUCT_FILE_STREAM);
	say(left, "abc");
	say(left, "defg");
	IS(read(right, buf, 2), 2);
	IS(read(right, buf + 2, 10), 5);
	IS(strcmp(buf, "abcdefg"), 0);
	close(left);
	IS(read(right, buf, 1), 0);
	ERR(read(right, buf, 1), EPIPE);
}

static void test_all(void)
{
	int left = end_channel(LEFT, 9, DUCT_FILE_STREAM);
	int right = end_channel(RIGHT, 9, DUCT_FILE_STREAM);
	pthread_t there, back;

	/* Both ways at once: nobody waits for the other direction. */
	start(&there, write_all, left);
	start(&back, write_all, right);
	expect_all(right);
	expect_all(left);
	IS(joined(there), 0);
	IS(joined(back), 0);
}

static void test_nonblock(void)
{
	int left = end_channel(LEFT, 9, DUCT_FILE_STREAM);
	int right = end_channel(RIGHT, 9, DUCT_FILE_STREAM);
	static char buf[1 << 20];
	ssize_t sent, got = 0, n;

	until_up(left);
	until_up(right);
	IS(fcntl(left, F_SETFL, O_NONBLOCK), 0);
	IS(fcntl(right, F_SETFL, O_NONBLOCK), 0);
	sent = write(left, buf, sizeof(buf));
	OK(sent > 0 && sent < (ssize_t)sizeof(buf));
	IS(polled(left, POLLOUT), 0);
	while ((n = read(right, buf, sizeof(buf))) > 0)
		got += n;
	IS(errno, EAGAIN);
	IS(got, sent);
	OK(polls(left, POLLOUT, 10000));
}

static void test_late_reader(void)
{
	int left = end_channel(LEFT, 9, DUCT_FILE_STREAM);
	int right = end_channel(RIGHT, 9, DUCT_FILE_STREAM);
	unsigned char buf[60000], in[60000];
	size_t got = 0;
	ssize_t n;

	fill(buf, sizeof(buf), 3);
	IS(write(left, buf, sizeof(buf)), sizeof(buf));
	IS(read(right, in, 100), 100);
	got = 100;
	close(left);
	sleep(3);
	while ((n = read(right, in + got, sizeof(in) - got)) > 0)
		got += n;
	IS(got, sizeof(buf));
	IS(memcmp(buf, in, sizeof(buf)), 0);
}

static void test_splice(void)
{
	int left = end_channel(LEFT, 9, DUCT_FILE_STREAM);
	int right = end_channel(RIGHT, 9, DUCT_FILE_STREAM);
	unsigned char buf[30000], in[30000];
	int there[2], back[2];
	size_t done;
	ssize_t n;

	IS(pipe(there), 0);
	IS(pipe(back), 0);
	fill(buf, sizeof(buf), 4);
	IS(write(there[1], buf, sizeof(buf)), sizeof(buf));
	for (done = 0; done < sizeof(buf); done += n) {
		n = splice(there[0], NULL, left, NULL, sizeof(buf) - done, 0);
		OK(n > 0);
	}
	for (done = 0; done < sizeof(buf); done += n) {
		n = splice(right, NULL, back[1], NULL, sizeof(buf) - done, 0);
		OK(n > 0);
		IS(read(back[0], in + done, n), n);
	}
	IS(memcmp(buf, in, sizeof(buf)), 0);
	close(left);
	IS(splice(right, NULL, back[1], NULL, 1, 0), 0);
}

static void test_splice_messages(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	int fds[2];
	char buf[16];

	IS(pipe(fds), 0);
	say(left, "a message");
	IS(splice(right, NULL, fds[1], NULL, 4096, 0), 9);
	IS(read(fds[0], buf, sizeof(buf)), 9);
	IS(memcmp(buf, "a message", 9), 0);
	IS(write(fds[1], "x", 1), 1);
	ERR(splice(fds[0], NULL, left, NULL, 1, 0), EINVAL);
}

const struct test stream_tests[] = {
	{ "a stream: bytes, the end", test_bytes },
	{ "a stream: 3 MiB each way at once", test_all },
	{ "a stream: O_NONBLOCK sends and reads a part", test_nonblock },
	{ "a stream: a reader that comes late loses nothing", test_late_reader },
	{ "a stream: splice both ways", test_splice },
	{ "messages: spliced out, not in", test_splice_messages },
	{ NULL, NULL }
};
