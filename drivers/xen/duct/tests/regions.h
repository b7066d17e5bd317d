/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions of the tests: an owner on one side of the loopback's link, and up to three
 * others on the other side, each by a device of its own, as if they were domains.
 */
#ifndef _DUCT_TESTS_REGIONS_H
#define _DUCT_TESTS_REGIONS_H

#include "kit.h"

#define REGIONS_PEERS	3u
#define REGIONS_ID	5u

struct regions;

/**
 * struct regions_end - a region as one domain sees it
 * @all: the test's
 * @r: while it is there
 * @dd: attached: by which device
 * @ups: calls of up()
 * @downs: calls of down()
 * @failed: of those, without up()
 * @why: of the last down()
 * @in: peers that are up, by bit
 * @id: peer of the last up()
 * @bad: callbacks that must not be
 * @on_up: optional: the rest of up()
 * @on_down: optional: the rest of down()
 */
struct regions_end {
	struct regions *all;
	struct duct_region *r;
	struct duct_device *dd;
	atomic_t ups;
	atomic_t downs;
	atomic_t failed;
	int why;
	u64 in;
	unsigned int id;
	atomic_t bad;
	void (*on_up)(struct regions_end *end);
	void (*on_down)(struct regions_end *end);
};

/**
 * struct regions - one test
 * @kit: the kit's
 * @driver: the devices
 * @side: the owner's
 * @owner: it
 * @peer: the others
 * @bound: devices that are left
 * @priv: the test's
 */
struct regions {
	struct kit *kit;
	struct kit_driver *driver;
	unsigned int side;
	struct regions_end owner;
	struct regions_end peer[REGIONS_PEERS];
	unsigned int bound;
	void *priv;
};

/* Devices are there, and a region of @size bytes. */
struct regions *regions_start(struct kunit *test, unsigned int side, u64 size, bool keep);
extern const struct duct_region_ops regions_ops;

struct duct_device *regions_device(struct regions *all, bool owner, u32 i);
void regions_offer(struct regions *all, u32 i, bool writable);
void regions_attach(struct regions *all, u32 i);
/* Both, and waits until it is there. */
void regions_join(struct regions *all, u32 i, bool writable);
void regions_put(struct regions_end *end);

static inline bool regions_is_up(const struct regions_end *end)
{
	return READ_ONCE(end->in);
}

#endif /* _DUCT_TESTS_REGIONS_H */
