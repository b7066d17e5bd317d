// SPDX-License-Identifier: GPL-2.0-only
/*
 * libduct: channel 1 of the device that the address names, of messages or a stream. The
 * rings are as long as libxenvchan's: the longest message is a quarter of one.
 */
#include <err.h>
#include <stdlib.h>

#include <libduct.h>

#include "bench.h"

enum { DUCT_NUMBER = 1, DUCT_STREAM_NUMBER = 2, DUCT_FIRST = 16 };

static struct libduct_channel *duct;
static const char *duct_device;
static uint32_t duct_flags;
static struct counts duct_ended;	/* of channels that were closed */

static struct libduct_channel *duct_make(uint32_t number, uint32_t flags, uint32_t max_msg)
{
	const struct libduct_channel_config config = {
		.size = sizeof(config),
		.number = number,
		.flags = flags,
		.tx_bytes = bench_ring,
		.rx_bytes = bench_ring,
		.max_msg = max_msg,
	};
	struct libduct_channel *ch = libduct_channel_open(duct_device, &config);

	if (!ch)
		err(1, "%s, channel %u", duct_device, number);
	return ch;
}

/* Both ends are equal. */
static void duct_begin(const char *address, uint32_t number, uint32_t flags)
{
	duct_device = address;
	duct_flags = flags;
	duct = duct_make(number, flags, bench_ring / 4);
}

static void duct_open(const char *address, int server)
{
	(void)server;
	duct_begin(address, DUCT_NUMBER, 0);
}

static void duct_open_stream(const char *address, int server)
{
	(void)server;
	duct_begin(address, DUCT_STREAM_NUMBER, LIBDUCT_STREAM);
}

static void duct_send(const void *data, size_t len)
{
	if (libduct_channel_send_all(duct, data, len, NULL))
		err(1, "duct: sending %zu bytes", len);
}

static void duct_recv(void *data, size_t len)
{
	ssize_t n;

	if (duct_flags & LIBDUCT_STREAM)
		n = libduct_channel_recv_all(duct, data, len, NULL) ? -1 : (ssize_t)len;
	else
		n = libduct_channel_recv(duct, data, len, 0);
	if (n != (ssize_t)len)
		err(1, "duct: receiving %zu bytes: %zd", len, n);
}

static size_t duct_some(void *data, size_t size)
{
	ssize_t n = libduct_channel_recv(duct, data, size, 0);

	if (n <= 0)
		err(1, "duct: receiving");
	return (size_t)n;
}

static void duct_add(struct counts *counts, const struct libduct_channel *ch)
{
	struct libduct_info info = { .size = sizeof(info) };

	if (libduct_channel_info(ch, &info))
		err(1, "duct: counters");
	counts->notifies += info.out_events;
	counts->wakeups += info.wakeups;
}

static void duct_counts(struct counts *counts)
{
	*counts = duct_ended;
	duct_add(counts, duct);
}

/* Sent from one place, received in as many as they would be in a program. */
static void duct_many(int server, void *data, size_t len, uint32_t count)
{
	struct iovec messages[BENCH_MANY];
	size_t want, i;
	ssize_t n;

	for (; count; count -= n) {
		want = count < BENCH_MANY ? count : BENCH_MANY;
		for (i = 0; i < want; i++)
			messages[i] = (struct iovec){ server ? (char *)data + i * len : data, len };
		n = server ? libduct_channel_recv_many(duct, messages, want, 0) :
			     libduct_channel_send_many(duct, messages, want, 0);
		if (n <= 0)
			err(1, "duct: %u messages of %zu bytes", count, len);
	}
}

/* Nobody has to wait to open: sending does. */
static void duct_again(int server, unsigned int n)
{
	struct libduct_channel *ch = duct_make(DUCT_FIRST + n, 0, 4096);
	char byte = 1;

	if (server) {
		if (libduct_channel_recv(ch, &byte, 1, 0) != 1 ||
		    libduct_channel_send(ch, &byte, 1, 0) != 1)
			err(1, "duct: channel %u: serving", DUCT_FIRST + n);
	} else if (libduct_channel_send(ch, &byte, 1, 0) != 1 ||
		   libduct_channel_recv(ch, &byte, 1, 0) != 1) {
		err(1, "duct: channel %u: asking", DUCT_FIRST + n);
	}
	duct_add(&duct_ended, ch);
	libduct_channel_close(ch);
}

static void duct_region(int server, size_t size, unsigned int n)
{
	share_region(duct_device, server, size, n);
}

static void duct_poke(int server, uint32_t count)
{
	share_event(duct_device, server, count, &duct_ended);
}

static void duct_touch(int server, uint32_t count)
{
	share_trigger(duct_device, server, count);
}

const struct wire wire_duct = {
	.name = "duct",
	.open = duct_open,
	.send = duct_send,
	.recv = duct_recv,
	.some = duct_some,
	.counts = duct_counts,
	.many = duct_many,
	.again = duct_again,
	.region = duct_region,
	.poke = duct_poke,
	.touch = duct_touch,
};

const struct wire wire_duct_stream = {
	.name = "duct-stream",
	.open = duct_open_stream,
	.send = duct_send,
	.recv = duct_recv,
	.some = duct_some,
	.counts = duct_counts,
};
