// SPDX-License-Identifier: MIT
/* duct-cat: stdin and stdout over a channel. The smallest example of libduct. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libduct.h"

static struct libduct_channel *ch;
static bool sends = true, receives = true;
static char *in, *out;		/* a message each */
static size_t max, in_len, in_sent;

static void fail(const char *what)
{
	fprintf(stderr, "duct-cat: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void fill(void)
{
	ssize_t n = read(STDIN_FILENO, in, max);

	if (n < 0)
		fail("stdin");
	in_len = (size_t)n;
	in_sent = 0;
	sends = n > 0;
}

/* There is room, or the other end has gone, which sending a byte says, too. */
static void drain(void)
{
	size_t left = in_len - in_sent;
	ssize_t n = libduct_channel_send(ch, in + in_sent, left ? left : 1, LIBDUCT_NOWAIT);

	if (n >= 0)
		in_sent += (size_t)n;
	else if (errno != EAGAIN)
		fail("sending");
}

/* What there is, to stdout. Return: it was the end, and a good one */
static bool take(void)
{
	struct libduct_message msg = { .size = sizeof(msg) };

	if (libduct_channel_next(ch, &msg, out, max, LIBDUCT_NOWAIT)) {
		if (errno != EAGAIN)
			fail("receiving");
		return false;
	}
	if (fwrite(out, 1, msg.len, stdout) < msg.len || fflush(stdout))
		fail("stdout");
	if (!(msg.flags & LIBDUCT_EOF))
		return false;
	if (libduct_channel_recv(ch, out, max, 0) >= 0 || errno != EPIPE)
		fail("receiving");
	return true;
}

/* Until the other end closes, or, if it is for sending alone, all is sent. */
static void copy(void)
{
	bool full = false, end = false;

	while (!end && (receives || sends || full)) {
		struct pollfd pfd[] = {
			{ .fd = sends && !full ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = libduct_channel_fd(ch),
			  .events = (short)((receives ? POLLIN : 0) | (full ? POLLOUT : 0)) },
		};

		if (poll(pfd, 2, -1) < 0)
			fail("poll");
		if (pfd[0].revents)
			fill();
		if (pfd[1].revents & POLLIN)
			end = take();
		else if (pfd[1].revents)
			drain();
		full = in_sent < in_len;
	}
	errno = EPIPE;
	if (full)
		fail("sending");
}

int main(int argc, char **argv)
{
	struct libduct_info info = { .size = sizeof(info) };
	int option;

	while ((option = getopt(argc, argv, "rs")) != -1) {
		sends &= option == 's';
		receives &= option == 'r';
	}
	if (optind != argc - 1 || (!sends && !receives)) {
		fprintf(stderr, "usage: duct-cat [-r|-s] DEVICE\n");
		return 2;
	}
	ch = libduct_channel_open(argv[optind], NULL);
	/* max_msg is known when both ends are there. */
	if (!ch || libduct_channel_wait(ch, POLLIN | POLLOUT, -1) < 0 ||
	    libduct_channel_info(ch, &info))
		fail(argv[optind]);
	max = info.max_msg;
	in = malloc(max);
	out = malloc(max);
	if (!in || !out)
		fail("memory");
	copy();
	libduct_channel_close(ch);
	return 0;
}
