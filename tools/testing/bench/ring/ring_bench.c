// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_bench duct|vchan BATCH COUNT
 *
 * Sends COUNT messages of 64 bytes through a ring of 64 KiB, BATCH at a time, and takes them
 * out again: one end after the other, in one thread, so that a tool can count. Neither end
 * sleeps, or is told anything: what would notify is counted, and must be 0. duct is ring.c of
 * the modules; vchan is libxenvchan.a of the distribution, with no event channel behind it.
 *
 * Which end acts is stored in ring_bench_end, at each turn; the shared memory and that word
 * are printed as "shared ADDRESS BYTES" and "end ADDRESS".
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxenvchan.h>

#include "ring.h"

#define RING	65536u
#define SIZE	64u

static volatile uint32_t ring_bench_end;
static unsigned long notified;
static char *shared;		/* a page of indexes, and behind it the ring; another for vchan */
static char from[SIZE], to[SIZE];

static int get_ready(void)
{
	shared = aligned_alloc(4096, 4096 + 2 * RING);
	if (!shared)
		return -1;
	memset(shared, 0, 4096 + 2 * RING);
	printf("shared %" PRIuPTR " %u\nend %" PRIuPTR "\n", (uintptr_t)shared, 4096 + 2 * RING,
	       (uintptr_t)&ring_bench_end);
	fflush(stdout);
	return 0;
}

/* ---- ours ---- */

static struct duct_tx tx;
static struct duct_rx rx;

static void duct_start(void)
{
	struct duct_shared_ring *indexes = (void *)shared;

	/* As at the end of a turn: neither asks to be told. */
	indexes->want_data = 0x80000000u;
	indexes->want_space = 0x80000000u;
	duct_tx_init(&tx, indexes, (u8 *)shared + 4096, RING, 0);
	duct_rx_init(&rx, indexes, (u8 *)shared + 4096, RING, 0);
}

static void duct_send_batch(unsigned int n)
{
	const struct duct_frame frame = { .len = SIZE, .type = DUCT_FRAME_MSG };
	u32 at;

	while (n--) {
		if (duct_tx_reserve(&tx, SIZE, 0, &at))
			errx(1, "duct: no room");
		duct_peer_copy_out(duct_tx_payload(&tx, at), from, SIZE);
		duct_tx_commit(&tx, at, &frame);
	}
	notified += duct_tx_publish(&tx);
}

static void duct_take_batch(unsigned int n)
{
	struct duct_frame frame;

	while (n--) {
		if (duct_rx_peek(&rx, &frame) || frame.len != SIZE)
			errx(1, "duct: no message");
		duct_peer_copy_in(to, duct_rx_payload(&rx), SIZE);
		duct_rx_take(&rx, &frame);
	}
	/* As the core does: space is given back when it is a good part of the ring. */
	if (duct_rx_owed(&rx) >= RING / 4)
		notified += duct_rx_return(&rx);
}

/* ---- theirs ---- */

static struct libxenvchan server, client;

int __wrap_xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port);
int __wrap_xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	notified++;
	return 0;
}

static void vchan_start(void)
{
	struct vchan_interface *page = (void *)shared;

	page->left_order = 16;
	page->right_order = 16;
	page->cli_live = 1;
	page->srv_live = 1;
	server.ring = page;
	server.is_server = 1;
	client.ring = page;
	server.read = (struct libxenvchan_ring) { &page->left, shared + 4096, 16 };
	client.write = server.read;
	server.write = (struct libxenvchan_ring) { &page->right, shared + 4096 + RING, 16 };
	client.read = server.write;
}

static void vchan_send_batch(unsigned int n)
{
	while (n--)
		if (libxenvchan_send(&client, from, SIZE) != (int)SIZE)
			errx(1, "vchan: no room");
}

static void vchan_take_batch(unsigned int n)
{
	while (n--)
		if (libxenvchan_recv(&server, to, SIZE) != (int)SIZE)
			errx(1, "vchan: no message");
}

/* ---- ---- */

static const struct {
	const char *name;
	void (*start)(void);
	void (*send)(unsigned int n);
	void (*take)(unsigned int n);
} rings[] = {
	{ "duct", duct_start, duct_send_batch, duct_take_batch },
	{ "vchan", vchan_start, vchan_send_batch, vchan_take_batch },
};

int main(int argc, char **argv)
{
	unsigned int batch, count, i, ring = 0;

	while (argc == 4 && ring < 2 && strcmp(argv[1], rings[ring].name))
		ring++;
	if (argc != 4 || ring == 2)
		errx(2, "usage: ring_bench duct|vchan BATCH COUNT");
	batch = (unsigned int)atoi(argv[2]);
	count = (unsigned int)atoi(argv[3]);
	if (!batch || batch * (SIZE + 16) > RING / 2 || count % batch)
		errx(2, "%s messages, %s at a time, cannot be", argv[3], argv[2]);
	if (get_ready())
		err(1, "memory");
	rings[ring].start();
	for (i = 0; i < count; i += batch) {
		ring_bench_end = 1;
		rings[ring].send(batch);
		ring_bench_end = 2;
		rings[ring].take(batch);
	}
	ring_bench_end = 0;
	printf("notified %lu\n", notified);
	return 0;
}
