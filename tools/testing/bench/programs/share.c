// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions and events of libduct. The server has the region, who asks attaches it; the
 * channel says when both may go on.
 */
#include <err.h>
#include <sys/mman.h>

#include <libduct.h>

#include "bench.h"

enum { SHARE_EVENT = 1, SHARE_TRIGGER = 1, SHARE_FIRST = 16 };

/* A byte on the channel, from the server or to it. */
static void share_says(int server)
{
	char byte = 1;

	if (server)
		wire_duct.send(&byte, 1);
	else
		wire_duct.recv(&byte, 1);
}

/* ---- regions ---- */

static struct libduct_region *share_make(const char *device, int server, uint32_t id, size_t size)
{
	struct libduct_region *rg = server ?
		libduct_region_create(device, id, size, LIBDUCT_WRITABLE) :
		libduct_region_attach(device, id, 0);

	if (!rg)
		err(1, "%s, region %u", device, id);
	return rg;
}

static void share_news(struct libduct_region *rg, uint32_t type)
{
	struct libduct_news news;

	do {
		if (libduct_region_news(rg, &news, 1, 0) != 1)
			err(1, "news of a region");
		if (news.type == LIBDUCT_NEWS_DOWN)
			errx(1, "a region ended: %d", news.error);
	} while (news.type != type);
}

void share_region(const char *device, int server, size_t size, unsigned int n)
{
	struct libduct_region *rg = share_make(device, server, SHARE_FIRST + n, size);
	volatile char *at;

	if (!server)
		share_news(rg, LIBDUCT_NEWS_UP);
	at = libduct_region_map(rg, 0, size, PROT_READ | PROT_WRITE);
	if (!at)
		err(1, "mapping a region");
	at[server ? 0 : size - 1] = 1;
	if (libduct_region_unmap((void *)at, size))
		err(1, "unmapping a region");
	/* Who has attached lets go first. */
	if (server)
		share_says(0);
	libduct_region_close(rg);
	if (!server)
		share_says(1);
}

void share_trigger(const char *device, int server, uint32_t count)
{
	struct libduct_region *rg = share_make(device, server, SHARE_TRIGGER, 4096);
	uint32_t i;

	share_news(rg, LIBDUCT_NEWS_UP);
	if (libduct_region_watch(rg, 0, 1))
		err(1, "watching a region");
	/* Before that a trigger would tell nobody. */
	share_says(server);
	for (i = 0; i < count; i++) {
		if (server)
			share_news(rg, LIBDUCT_NEWS_TRIGGERED);
		if (libduct_region_trigger(rg, 0))
			err(1, "triggering a region");
		if (!server)
			share_news(rg, LIBDUCT_NEWS_TRIGGERED);
	}
	if (server)
		share_says(0);
	libduct_region_close(rg);
	if (!server)
		share_says(1);
}

/* ---- events ---- */

static void share_take(struct libduct_event *ev)
{
	uint64_t sum;

	if (libduct_event_take(ev, &sum, 0))
		err(1, "taking triggers");
}

/* Triggers wait until the other end is there. */
void share_event(const char *device, int server, uint32_t count, struct counts *counts)
{
	struct libduct_event *ev = libduct_event_open(device, SHARE_EVENT, 0);
	struct libduct_info info = { .size = sizeof(info) };
	uint32_t i;

	if (!ev)
		err(1, "%s, event", device);
	for (i = 0; i < count; i++) {
		if (server)
			share_take(ev);
		if (libduct_event_trigger(ev, 1))
			err(1, "triggering");
		if (!server)
			share_take(ev);
	}
	if (libduct_event_info(ev, &info))
		err(1, "counters of an event");
	counts->notifies += info.out_events;
	counts->wakeups += info.wakeups;
	if (server)
		share_says(0);
	libduct_event_close(ev);
	if (!server)
		share_says(1);
}
