// SPDX-License-Identifier: GPL-2.0-only
/*
 * duct-bench [-r BYTES] WIRE ADDRESS           serves; -r: rings, of 64 KiB each way
 * duct-bench [-r BYTES] WIRE ADDRESS WORKLOAD:SIZE:COUNT...   asks for them, one after the other
 * duct-bench WIRE - WORKLOAD:SIZE:COUNT...     both, where it makes both ends: pipe, unix
 * duct-bench memcpy SIZE:COUNT...
 * duct-bench disk DEVICE SIZE:COUNT...         reads, past the cache
 * duct-bench trace FILE MESSAGES               hypercalls in what xentrace wrote
 * duct-bench slab FILE CHANNELS                memory that is held in what ftrace wrote
 * duct-bench cpu DOMAIN                        processor time that it has had, ns
 *
 *   ping     there and back, one at a time
 *   rate     to the server, which receives each whole
 *   many     the same, several with a system call
 *   stream   bytes to the server, which takes what there is
 *   source   the same from the server
 *   burst    messages to the server, which says when it has some: none is to be lost
 *   salvo    the same from the server
 *   open     connections, one after the other, with a byte there and back
 *   region   regions, made, offered, attached, mapped at both ends, and ended
 *   event    a trigger of an event there and back
 *   touch    a trigger of a region there and back
 *
 * Prints a line for each: its name, messages, bytes and ns; notifies and wakeups of both
 * ends, where they are known. The same loops for every wire, so that what differs is the wire.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* The length of all that is not payload, so that messages are always as long as expected. */
struct order {
	char what[8];
	uint32_t size;
	uint32_t count;
};

static const struct wire *const wires[] = {
	&wire_vchan, &wire_duct, &wire_duct_stream, &wire_unix, &wire_pipe, &wire_tcp,
	&wire_udp, &wire_vsock,
};

unsigned int bench_ring = 65536;
static const struct wire *wire;
static char data[BENCH_MAX];

static struct counts counts(void)
{
	struct counts c = { 0 };

	if (wire->counts)
		wire->counts(&c);
	return c;
}

static struct counts since(struct counts before)
{
	struct counts c = counts();

	c.notifies -= before.notifies;
	c.wakeups -= before.wakeups;
	return c;
}

/* ---- what is asked for: both ends of it ---- */

static void give(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->send(data, order->size);
}

static void take_each(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->recv(data, order->size);
}

static void take_all(const struct order *order)
{
	uint64_t bytes = (uint64_t)order->size * order->count;

	while (bytes)
		bytes -= wire->some(data, bytes < sizeof(data) ? bytes : sizeof(data));
}

static void ping_serve(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++) {
		wire->recv(data, order->size);
		wire->send(data, order->size);
	}
}

static void ping_ask(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++) {
		wire->send(data, order->size);
		wire->recv(data, order->size);
	}
}

static void burst_give(const struct order *order)
{
	uint32_t i;

	for (i = 1; i <= order->count; i++) {
		wire->send(data, order->size);
		if (!(i % BENCH_BURST))
			wire->recv(data, order->size);
	}
}

static void burst_take(const struct order *order)
{
	uint32_t i;

	for (i = 1; i <= order->count; i++) {
		wire->recv(data, order->size);
		if (!(i % BENCH_BURST))
			wire->send(data, order->size);
	}
}

static void many_serve(const struct order *order)
{
	wire->many(1, data, order->size, order->count);
}

static void many_ask(const struct order *order)
{
	wire->many(0, data, order->size, order->count);
}

static void open_serve(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->again(1, i);
}

static void open_ask(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->again(0, i);
}

static void region_serve(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->region(1, order->size, i);
}

static void region_ask(const struct order *order)
{
	uint32_t i;

	for (i = 0; i < order->count; i++)
		wire->region(0, order->size, i);
}

static void event_serve(const struct order *order)
{
	wire->poke(1, order->count);
}

static void event_ask(const struct order *order)
{
	wire->poke(0, order->count);
}

static void touch_serve(const struct order *order)
{
	wire->touch(1, order->count);
}

static void touch_ask(const struct order *order)
{
	wire->touch(0, order->count);
}

static const struct workload {
	const char *name;
	void (*serve)(const struct order *order);
	void (*ask)(const struct order *order);
	int counted;		/* by the wire */
} workloads[] = {
	{ "ping", ping_serve, ping_ask, 1 },
	{ "rate", take_each, give, 1 },
	{ "many", many_serve, many_ask, 1 },
	{ "stream", take_all, give, 1 },
	{ "source", give, take_all, 1 },
	{ "burst", burst_take, burst_give, 1 },
	{ "salvo", burst_give, burst_take, 1 },
	{ "open", open_serve, open_ask, 1 },
	{ "region", region_serve, region_ask, 0 },
	{ "event", event_serve, event_ask, 1 },
	{ "touch", touch_serve, touch_ask, 0 },
};

/* Whether the wire has what is not there on each. */
static int possible(const struct order *order)
{
	if (!strcmp(order->what, "open"))
		return !!wire->again;
	if (!strcmp(order->what, "many"))
		return wire->many && order->size <= BENCH_MAX / BENCH_MANY;
	if (!strcmp(order->what, "region"))
		return !!wire->region;
	if (!strcmp(order->what, "event"))
		return !!wire->poke;
	return strcmp(order->what, "touch") || wire->touch;
}

/* Return: NULL: there is none, or this wire has none */
static const struct workload *workload(const struct order *order)
{
	size_t i;

	if (!order->size || order->size > BENCH_MAX || !order->count || !possible(order))
		return NULL;
	for (i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (!strcmp(order->what, workloads[i].name))
			return &workloads[i];
	return NULL;
}

/* ---- the server ---- */

static void serve(void)
{
	const struct workload *w;
	struct order order;

	for (;;) {
		struct counts before = counts(), cost;

		wire->recv(&order, sizeof(order));
		w = workload(&order);
		if (!w)
			return;
		w->serve(&order);
		cost = since(before);
		wire->send(&cost, sizeof(cost));
	}
}

/* ---- who asks ---- */

static void run(const struct workload *w, const struct order *order)
{
	struct counts before = counts(), here, there;
	uint64_t start = bench_now(), bytes = (uint64_t)order->size * order->count;

	wire->send(order, sizeof(*order));
	w->ask(order);
	wire->recv(&there, sizeof(there));
	start = bench_now() - start;
	here = since(before);
	printf("%s-%u messages %u bytes %llu ns %llu", order->what, order->size, order->count,
	       (unsigned long long)bytes, (unsigned long long)start);
	if (wire->counts && w->counted)
		printf(" notifies %llu peer_notifies %llu wakeups %llu peer_wakeups %llu",
		       (unsigned long long)here.notifies, (unsigned long long)there.notifies,
		       (unsigned long long)here.wakeups, (unsigned long long)there.wakeups);
	putchar('\n');
	fflush(stdout);
}

/* Ends the program at a word that is no order: main() asks before a wire is opened. */
static const struct workload *read_order(const char *word, struct order *order)
{
	const struct workload *w;

	memset(order, 0, sizeof(*order));
	w = sscanf(word, "%7[^:]:%u:%u", order->what, &order->size, &order->count) == 3 ?
	    workload(order) : NULL;
	if (!w)
		errx(2, "%s cannot be", word);
	return w;
}

/*
 * First of all it waits: a tenth of a second after it was opened a channel gets its directory in
 * sysfs, at both ends, and that takes as long as a hundred messages.
 */
static void ask(char **words)
{
	struct order order;

	usleep(300000);
	for (; *words; words++)
		run(read_order(*words, &order), &order);
	memset(&order, 0, sizeof(order));
	strcpy(order.what, "quit");
	wire->send(&order, sizeof(order));
}

int main(int argc, char **argv)
{
	struct order order;
	int word;
	size_t i;

	memset(data, 1, sizeof(data));	/* not the zero page */
	if (argc > 3 && !strcmp(argv[1], "-r")) {
		bench_ring = (unsigned int)strtoul(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc > 2 && !strcmp(argv[1], "memcpy"))
		return alone_memcpy(argv + 2);
	if (argc > 3 && !strcmp(argv[1], "disk"))
		return alone_disk(argv[2], argv + 3);
	if (argc == 4 && !strcmp(argv[1], "trace"))
		return alone_trace(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "slab"))
		return alone_slab(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "cpu"))
		return alone_cpu(argv[2]);
	for (i = 0; argc > 2 && i < sizeof(wires) / sizeof(*wires); i++)
		if (!strcmp(argv[1], wires[i]->name))
			wire = wires[i];
	if (!wire)
		errx(2, "usage: duct-bench WIRE ADDRESS [WORKLOAD:SIZE:COUNT...]");
	for (word = 3; word < argc; word++)
		read_order(argv[word], &order);
	wire->open(argv[2], argc == 3);
	if (argc == 3)
		serve();
	else
		ask(argv + 3);
	return 0;
}
