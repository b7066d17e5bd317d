/* SPDX-License-Identifier: GPL-2.0-only */
/* See main.c. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX	65536	/* longest piece */
#define BENCH_MANY	64	/* messages with a system call */
#define BENCH_BURST	32	/* messages before one comes back */

extern unsigned int bench_ring;	/* bytes each way, wherever it can be chosen */

/**
 * struct counts - what one end has cost, beside instructions
 * @notifies: times that it told the other end something: a hypercall each
 * @wakeups: times that it was told, and slept or could have slept
 */
struct counts {
	uint64_t notifies;
	uint64_t wakeups;
};

/**
 * struct wire - a way to the other end; one connection a process. What fails ends the process
 * @name: on the command line
 * @open: connects to @address, as the server or not
 * @send: all of it; where there are messages, one
 * @recv: exactly so much; where there are messages, one of that length
 * @some: a part of a stream, as much as is there
 * @counts: since it was opened; NULL if it cannot tell
 * @many: sends @count messages of @len bytes from @data, or as the server receives them,
 *	several with a system call; NULL: it cannot
 * @again: opens one more connection and closes it, with a byte there and back; NULL: none
 * @region: makes one of @size bytes, maps it at both ends and ends it; NULL: none
 * @poke: tells the other end, without data, and is told by it, @count times; NULL: it cannot
 * @touch: the same by a region
 */
struct wire {
	const char *name;
	void (*open)(const char *address, int server);
	void (*send)(const void *data, size_t len);
	void (*recv)(void *data, size_t len);
	size_t (*some)(void *data, size_t size);
	void (*counts)(struct counts *counts);
	void (*many)(int server, void *data, size_t len, uint32_t count);
	void (*again)(int server, unsigned int n);
	void (*region)(int server, size_t size, unsigned int n);
	void (*poke)(int server, uint32_t count);
	void (*touch)(int server, uint32_t count);
};

extern const struct wire wire_vchan, wire_duct, wire_duct_stream;
extern const struct wire wire_unix, wire_pipe, wire_tcp, wire_udp, wire_vsock;

/* share.c: of libduct; an event's counters are added to @counts, a region has none */
void share_region(const char *device, int server, size_t size, unsigned int n);
void share_event(const char *device, int server, uint32_t count, struct counts *counts);
void share_trigger(const char *device, int server, uint32_t count);

/* alone.c */
uint64_t bench_now(void);
int alone_memcpy(char **words);
int alone_disk(const char *device, char **words);
int alone_cpu(const char *domain);

/* trace.c */
int alone_trace(const char *path, const char *messages);

/* slab.c */
int alone_slab(const char *path, const char *channels);

#endif /* BENCH_H */
