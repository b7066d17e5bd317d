// SPDX-License-Identifier: GPL-2.0
/*
 * The clients: a region that one end owns and the other has attached. The first page is the
 * owner's, who has written it before anybody sees it; the second the other's, if it may write.
 */
#include "client.h"

#define REGION_BYTES	(2 * PAGE_SIZE)
#define REGION_AT	(PAGE_SIZE + 64)

/**
 * struct client_region - one end
 * @c: the channel's place in the plan
 * @region: NULL while it is not there
 * @watch: of what the other end triggers
 * @seen: of @watch
 * @up: it was told so
 */
struct client_region {
	struct client_channel *c;
	struct duct_region *region;
	struct duct_watch watch;
	u64 seen;
	bool up;
};

static bool region_owned(const struct client_channel *c)
{
	return (c->number & 1) == c->client->side;
}

static u8 region_byte(u32 at)
{
	return (at * 13 + at / 256) | 1;
}

static void region_fill(struct duct_region *r)
{
	u8 *at = r->addr;
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		at[i] = region_byte(i);
}

static void region_check(struct client_channel *c, struct duct_region *r)
{
	const u8 *at = r->addr;
	u32 i;

	if (r->size != REGION_BYTES)
		sim_fail("region %u: %llu bytes", c->number, r->size);
	for (i = 0; i < PAGE_SIZE; i++)
		if (at[i] != region_byte(i))
			sim_fail("region %u: byte %u is %u", c->number, i, at[i]);
}

static void region_told(struct client_region *own, bool up)
{
	if (up != own->up)
		sim_region_told(own->c->number, own->c->client->side, up);
	own->up = up;
	client_tell(own->c);
}

static void region_up(struct duct_region *r, unsigned int peer)
{
	struct client_region *own = r->priv;

	if (!region_owned(own->c)) {
		region_check(own->c, r);
		if (!own->c->plan->readonly)
			WRITE_ONCE(*(u64 *)((u8 *)r->addr + REGION_AT), sim_word(own->c->number, 0, 0));
	}
	region_told(own, true);
}

/* The memory is there until this returns. */
static void region_down(struct duct_region *r, unsigned int peer, int why)
{
	struct client_region *own = r->priv;

	if (!region_owned(own->c) && r->addr)
		region_check(own->c, r);
	region_told(own, false);
}

static const struct duct_region_ops region_ops = {
	.up = region_up,
	.down = region_down,
};

static void region_rung(struct duct_watch *w)
{
	struct client_region *own = container_of(w, struct client_region, watch);
	u64 total = READ_ONCE(w->total);

	if (total < own->seen)
		sim_fail("region %u: told of fewer triggers than before", own->c->number);
	sim_event_got(own->c->number, !own->c->client->side, total - own->seen);
	own->seen = total;
}

/* Triggers until its goal; who watches may not be there yet. */
void client_region_task(void *arg)
{
	struct client_channel *c = arg;
	u32 side = c->client->side;

	if (!client_flow_begin(c))
		return;
	while (!client_ends(c) && sim_flow_next(c->number, side) < c->plan->goal[side]) {
		sim_event_sent(c->number, side, 1);
		sim_flow_sent(c->number, side, 1, 0, 0, 0);
		duct_region_trigger(c->region->region, REGION_AT);
		if (sim_chance(3))
			sim_sleep(sim_rnd(HZ / 10));
	}
	client_flow_end(c);
}

static int region_begin(struct client_region *own)
{
	struct client_channel *c = own->c;
	int err = 0;

	if (region_owned(c))
		own->region = duct_region_create(REGION_BYTES, &region_ops, own);
	else
		own->region = duct_region_attach(c->client->dd, c->number, &region_ops, own);
	if (IS_ERR(own->region))
		return PTR_ERR(own->region);
	if (region_owned(c)) {
		region_fill(own->region);
		err = duct_region_offer(own->region, c->client->dd, c->number,
					!c->plan->readonly);
	}
	own->watch.fn = region_rung;
	own->watch.off = REGION_AT;
	if (!err)
		err = duct_region_watch(own->region, &own->watch);
	if (err)
		duct_region_put(own->region);
	return err;
}

int client_region_open(struct client_channel *c)
{
	struct client_region *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int err;

	if (!own)
		return -ENOMEM;
	own->c = c;
	err = region_begin(own);
	if (err)
		kfree(own);
	else
		c->region = own;
	return err;
}

void client_region_close(struct client_channel *c)
{
	duct_region_put(c->region->region);
	region_told(c->region, false);
	kfree(c->region);
	c->region = NULL;
}
