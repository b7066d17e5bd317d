// SPDX-License-Identifier: GPL-2.0
/* See regions.h. */
#include "regions.h"

static const unsigned int regions_instances[REGIONS_PEERS] = { 0, 1, 65535 };

static void regions_up(struct duct_region *r, unsigned int peer)
{
	struct regions_end *end = r->priv;

	if (end->in & BIT_ULL(peer) || !r->addr || !peer == !r->self)
		atomic_inc(&end->bad);
	end->r = r;	/* duct_region_attach() may not have returned yet */
	end->id = peer;
	WRITE_ONCE(end->in, end->in | BIT_ULL(peer));
	if (end->on_up)
		end->on_up(end);
	atomic_inc(&end->ups);
	wake_up_all(&end->all->kit->wait);
}

static void regions_down(struct duct_region *r, unsigned int peer, int why)
{
	struct regions_end *end = r->priv;

	if (end->in & BIT_ULL(peer)) {
		if (!r->addr)
			atomic_inc(&end->bad);
	} else {
		atomic_inc(&end->failed);
	}
	if (end->on_down)
		end->on_down(end);
	end->why = why;
	WRITE_ONCE(end->in, end->in & ~BIT_ULL(peer));
	atomic_inc(&end->downs);
	wake_up_all(&end->all->kit->wait);
}

const struct duct_region_ops regions_ops = {
	.up = regions_up,
	.down = regions_down,
};

void regions_put(struct regions_end *end)
{
	duct_region_put(end->r);
	end->r = NULL;
	end->dd = NULL;
	WRITE_ONCE(end->in, 0);
	KUNIT_EXPECT_EQ(end->all->kit->test, atomic_read(&end->bad), 0);
}

/* Also when a test fails: nothing else ends what it left. */
static void regions_remove(struct kit_driver *driver, struct duct_device *dd)
{
	struct regions *all = driver->priv;
	u32 i;

	for (i = 0; i < REGIONS_PEERS; i++)
		if (all->peer[i].r && all->peer[i].dd == dd)
			regions_put(&all->peer[i]);
	if (all->owner.r)
		duct_region_revoke(all->owner.r, dd);
	if (!--all->bound && all->owner.r)
		regions_put(&all->owner);
}

struct duct_device *regions_device(struct regions *all, bool owner, u32 i)
{
	return kit_device(all->driver, owner ? all->side : !all->side, DUCT_PEER,
			  regions_instances[i]);
}

struct regions *regions_start(struct kunit *test, unsigned int side, u64 size, bool keep)
{
	struct regions *all = kunit_kzalloc(test, sizeof(*all), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, all);
	all->kit = test->priv;
	all->side = side;
	all->owner.all = all;
	for (i = 0; i < REGIONS_PEERS; i++)
		all->peer[i].all = all;
	all->driver = kit_driver(all->kit, "kitm", DUCT_PEER);
	all->driver->drv.keep = keep;
	all->driver->priv = all;
	all->driver->on_remove = regions_remove;
	all->bound = 2 * REGIONS_PEERS;
	kit_register(all->driver);
	kit_wait(all->kit, kit_bound(all->driver) == 2 * REGIONS_PEERS);
	all->owner.r = duct_region_create(size, &regions_ops, &all->owner);
	KUNIT_ASSERT_FALSE(test, IS_ERR(all->owner.r));
	return all;
}

void regions_offer(struct regions *all, u32 i, bool writable)
{
	KUNIT_ASSERT_EQ(all->kit->test, duct_region_offer(all->owner.r,
							  regions_device(all, true, i),
							  REGIONS_ID, writable), 0);
}

void regions_attach(struct regions *all, u32 i)
{
	struct regions_end *end = &all->peer[i];
	struct duct_region *r;

	end->dd = regions_device(all, false, i);
	r = duct_region_attach(end->dd, REGIONS_ID, &regions_ops, end);
	KUNIT_ASSERT_FALSE(all->kit->test, IS_ERR(r));
	end->r = r;
}

void regions_join(struct regions *all, u32 i, bool writable)
{
	int ups = atomic_read(&all->owner.ups);

	regions_offer(all, i, writable);
	regions_attach(all, i);
	kit_wait(all->kit, regions_is_up(&all->peer[i]) && atomic_read(&all->owner.ups) > ups);
}
