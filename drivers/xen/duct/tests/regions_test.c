// SPDX-License-Identifier: GPL-2.0
/* Regions: who has them when, and what it costs when somebody does not play along. */
#include <linux/pgtable.h>

#include "hostile.h"
#include "regions.h"

#include "../region_msg.h"

#define REGIONS_SIZE	(70 * PAGE_SIZE + 5)	/* more than one message of pages */

static void regions_write(struct duct_region *r, u8 seed)
{
	u8 *data = r->addr;
	u64 i;

	for (i = 0; i < r->size; i += 97)
		WRITE_ONCE(data[i], (u8)(seed + i));
	WRITE_ONCE(data[r->size - 1], seed);
}

static u32 regions_differ(struct duct_region *r, u8 seed)
{
	u8 *data = r->addr;
	u32 bad = 0;
	u64 i;

	for (i = 0; i < r->size; i += 97)
		bad += i != r->size - 1 && READ_ONCE(data[i]) != (u8)(seed + i);
	return bad + (READ_ONCE(data[r->size - 1]) != seed);
}

static bool regions_page_writable(void *addr)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)addr, &level);

	return pte && pte_present(*pte) && pte_write(*pte);
}

static u32 regions_link_value(struct regions *all, bool owner, const char *what)
{
	struct duct_device *dd = regions_device(all, owner, 0);
	char file[40], text[24];
	u32 value = 0;

	snprintf(file, sizeof(file), "../%s", what);
	KUNIT_EXPECT_EQ(all->kit->test, kit_read_device(dd, file, text, sizeof(text)), 0);
	KUNIT_EXPECT_EQ(all->kit->test, kstrtou32(strim(text), 10, &value), 0);
	return value;
}

/* ---- what works ---- */

/* Offered first, then attached; and the other way round. */
static void regions_share(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), REGIONS_SIZE, false);
	struct regions_end *peer = &all->peer[0];

	regions_write(all->owner.r, 1);
	regions_offer(all, 0, true);
	regions_attach(all, 0);
	kit_wait(all->kit, regions_is_up(peer) && regions_is_up(&all->owner));
	KUNIT_EXPECT_EQ(test, peer->r->size, REGIONS_SIZE);
	KUNIT_EXPECT_EQ(test, peer->r->self, 1u);
	KUNIT_EXPECT_EQ(test, all->owner.id, 1u);
	KUNIT_EXPECT_EQ(test, regions_differ(peer->r, 1), 0u);
	regions_write(peer->r, 2);
	KUNIT_EXPECT_EQ(test, regions_differ(all->owner.r, 2), 0u);
	KUNIT_EXPECT_EQ(test, regions_link_value(all, true, "region_pages"), 71u);
	KUNIT_EXPECT_EQ(test, regions_link_value(all, false, "region_pages"), 71u);
	regions_put(peer);
	kit_wait(all->kit, atomic_read(&all->owner.downs) == 1);
	KUNIT_EXPECT_EQ(test, all->owner.why, 0);
	KUNIT_EXPECT_EQ(test, regions_link_value(all, true, "region_pages"), 0u);
	KUNIT_EXPECT_EQ(test, regions_link_value(all, false, "region_pages"), 0u);
	/* It is still offered. */
	regions_attach(all, 0);
	kit_wait(all->kit, regions_is_up(peer) && regions_is_up(&all->owner));
	KUNIT_EXPECT_EQ(test, regions_differ(peer->r, 2), 0u);
	regions_put(peer);
	KUNIT_EXPECT_EQ(test, duct_region_revoke(all->owner.r, regions_device(all, true, 0)), 0);
	regions_attach(all, 0);
	regions_offer(all, 0, true);
	kit_wait(all->kit, regions_is_up(peer));
	KUNIT_EXPECT_EQ(test, regions_differ(peer->r, 2), 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&all->owner.failed), 0);
}

/* The page tables say who may write. */
static void regions_read_only(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), 2 * PAGE_SIZE, false);

	regions_join(all, 0, false);
	regions_join(all, 1, true);
	KUNIT_EXPECT_TRUE(test, regions_page_writable(all->owner.r->addr));
	KUNIT_EXPECT_FALSE(test, regions_page_writable(all->peer[0].r->addr));
	KUNIT_EXPECT_FALSE(test, regions_page_writable(all->peer[0].r->addr + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, regions_page_writable(all->peer[1].r->addr));
	regions_write(all->peer[1].r, 9);
	KUNIT_EXPECT_EQ(test, regions_differ(all->peer[0].r, 9), 0u);
}

/* The owner takes it back: the peer is told first, and then the owner. */
static void regions_revoke(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), REGIONS_SIZE, false);
	struct duct_device *dd = regions_device(all, true, 0);
	u32 i;

	regions_join(all, 0, true);
	regions_join(all, 1, true);
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, duct_region_revoke(all->owner.r, dd), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&all->peer[0].downs), i);
		KUNIT_EXPECT_EQ(test, all->peer[0].why, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&all->owner.downs), i);
		KUNIT_EXPECT_EQ(test, all->owner.why, 0);
		KUNIT_EXPECT_EQ(test, all->owner.in, BIT_ULL(2));
		KUNIT_EXPECT_PTR_EQ(test, all->peer[0].r->addr, NULL);
		KUNIT_EXPECT_EQ(test, duct_region_revoke(all->owner.r, dd), -ENOENT);
		regions_write(all->peer[1].r, i);
		/* The same attachment gets it again. */
		regions_offer(all, 0, true);
		kit_wait(all->kit, regions_is_up(&all->peer[0]) && all->owner.in == 6);
		KUNIT_EXPECT_EQ(test, regions_differ(all->peer[0].r, i), 0u);
	}
	/* The owner's end takes it from all. */
	regions_put(&all->owner);
	KUNIT_EXPECT_FALSE(test, regions_is_up(&all->peer[0]));
	KUNIT_EXPECT_FALSE(test, regions_is_up(&all->peer[1]));
	KUNIT_EXPECT_EQ(test, all->peer[1].why, 0);
}

/* Ids are the lowest free, and free only when the owner was told. */
static void regions_ids(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), PAGE_SIZE, false);
	u32 i;

	for (i = 0; i < REGIONS_PEERS; i++) {
		regions_join(all, i, true);
		KUNIT_EXPECT_EQ(test, all->peer[i].r->self, i + 1);
	}
	for (i = 0; i < REGIONS_PEERS; i++) {
		regions_put(&all->peer[i]);
		kit_wait(all->kit, !(READ_ONCE(all->owner.in) & BIT_ULL(i + 1)));
		regions_attach(all, i);
		kit_wait(all->kit, regions_is_up(&all->peer[i]));
		KUNIT_EXPECT_EQ(test, all->peer[i].r->self, i + 1);
	}
	regions_put(&all->peer[2]);
	regions_put(&all->peer[0]);
	kit_wait(all->kit, READ_ONCE(all->owner.in) == BIT_ULL(2));
	regions_attach(all, 2);
	kit_wait(all->kit, regions_is_up(&all->peer[2]));
	KUNIT_EXPECT_EQ(test, all->peer[2].r->self, 1u);
}

/* A new epoch: everybody is told, and has it again; the owner's bytes are there. */
static void regions_epoch(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), REGIONS_SIZE, true);
	u32 i;

	regions_join(all, 0, true);
	regions_join(all, 1, false);
	for (i = 1; i <= 5; i++) {
		regions_write(all->owner.r, i);
		kit_loop_run(all->kit, i & 1);
		kit_loop_run(all->kit, true);
		kit_wait(all->kit, atomic_read(&all->peer[0].downs) >= i &&
			 atomic_read(&all->peer[1].downs) >= i &&
			 atomic_read(&all->owner.downs) >= 2 * i);
		kit_wait(all->kit, regions_is_up(&all->peer[0]) && regions_is_up(&all->peer[1]) &&
			 READ_ONCE(all->owner.in) == 6);
		KUNIT_EXPECT_EQ(test, all->peer[0].why, -ECONNRESET);
		KUNIT_EXPECT_EQ(test, regions_differ(all->peer[0].r, i), 0u);
		KUNIT_EXPECT_EQ(test, regions_differ(all->peer[1].r, i), 0u);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&all->owner.failed), 0);
}

/* The link goes, and what is attached, offered and revoked meanwhile. */
static void regions_away(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), PAGE_SIZE, true);

	regions_join(all, 0, true);
	kit_loop_run(all->kit, false);
	kit_wait(all->kit, !regions_is_up(&all->peer[0]) && !regions_is_up(&all->owner));
	KUNIT_EXPECT_EQ(test, duct_region_revoke(all->owner.r, regions_device(all, true, 0)), 0);
	regions_offer(all, 1, true);
	regions_attach(all, 1);
	kit_loop_run(all->kit, true);
	kit_wait(all->kit, regions_is_up(&all->peer[1]));
	KUNIT_EXPECT_EQ(test, all->peer[1].r->self, 1u);
	KUNIT_EXPECT_FALSE(test, regions_is_up(&all->peer[0]));
	kit_loop_run(all->kit, false);
	regions_put(&all->peer[0]);
	regions_put(&all->peer[1]);
	regions_put(&all->owner);
	kit_loop_run(all->kit, true);
}

/* ---- what does not ---- */

static void regions_hold(struct regions_end *end)
{
	/* Longer than an owner waits. */
	schedule_timeout_uninterruptible(3 * HZ);
}

/* A peer that does not let go: the owner is told in time, and the memory stays until it does. */
static void regions_silent(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), REGIONS_SIZE, false);
	unsigned long before;

	regions_join(all, 0, true);
	all->peer[0].on_down = regions_hold;
	before = jiffies;
	KUNIT_EXPECT_EQ(test, duct_region_revoke(all->owner.r, regions_device(all, true, 0)),
			-ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, before + 2 * HZ));
	KUNIT_EXPECT_EQ(test, all->owner.why, -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, regions_is_up(&all->peer[0]));
	regions_put(&all->owner);
	/* The rest of the link lives; the pages are the peer's alone now. */
	regions_write(all->peer[0].r, 3);
	kit_wait(all->kit, !regions_is_up(&all->peer[0]));
	KUNIT_EXPECT_EQ(test, all->peer[0].why, 0);
}

/* More pages than the link's budget has. */
static void regions_budget(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), 2048 * PAGE_SIZE, false);
	struct duct_region *small;

	regions_offer(all, 0, true);
	regions_attach(all, 0);
	kit_wait(all->kit, atomic_read(&all->owner.failed) == 1);
	KUNIT_EXPECT_EQ(test, all->owner.why, -EDQUOT);
	KUNIT_EXPECT_EQ(test, regions_link_value(all, true, "region_pages"), 0u);
	regions_put(&all->owner);
	small = duct_region_create(64 * PAGE_SIZE, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(small));
	all->owner.r = small;
	regions_offer(all, 0, true);
	kit_wait(all->kit, regions_is_up(&all->peer[0]));
}

/* What a region takes of that is not there for rings. */
static void regions_budget_rings(struct kunit *test)
{
	struct duct_channel_config large = { .tx_bytes = 1u << 20, .rx_bytes = 1u << 20 };
	struct regions *all = regions_start(test, kit_param_side(test), 1900 * PAGE_SIZE, false);
	struct kit_end *a = kit_end(all->kit), *b = kit_end(all->kit);

	regions_join(all, 0, true);
	KUNIT_ASSERT_EQ(test, kit_open(a, regions_device(all, true, 0), 9, &large), 0);
	KUNIT_ASSERT_EQ(test, kit_open(b, regions_device(all, false, 0), 9, &large), 0);
	kit_wait(all->kit, duct_error(a->ch) == -EDQUOT && duct_error(b->ch) == -EDQUOT);
}

static void regions_bad_input(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), PAGE_SIZE, false);
	struct duct_device *own = regions_device(all, true, 0);
	struct duct_device *other = regions_device(all, false, 0);
	struct duct_region *r = all->owner.r, *back;

	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_region_create(0, NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_region_create((64ull << 20) + 1, NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_region_create(U64_MAX, NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_region_offer(r, own, 1u << 29, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_region_offer(r, own, U32_MAX, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_region_attach(other, 1u << 29, NULL, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_region_revoke(r, own), -ENOENT);
	/* What nobody offers to this device does not come. */
	back = duct_region_attach(other, REGIONS_ID + 1, NULL, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(back));
	regions_join(all, 0, true);
	KUNIT_EXPECT_PTR_EQ(test, back->addr, NULL);
	KUNIT_EXPECT_EQ(test, duct_region_trigger(back, 0), -ENOTCONN);
	duct_region_put(back);
	KUNIT_EXPECT_EQ(test, duct_region_offer(r, own, REGIONS_ID, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, duct_region_offer(r, own, 6, true), -EEXIST);
	/* Each end has numbers of its own. */
	back = duct_region_attach(own, REGIONS_ID, NULL, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(back));
	duct_region_put(back);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_region_attach(other, REGIONS_ID, NULL, NULL)), -EEXIST);
	KUNIT_EXPECT_EQ(test, duct_region_offer(all->peer[0].r, other, 6, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_region_revoke(all->peer[0].r, other), -ENOENT);
	duct_region_put(NULL);
	duct_region_put(ERR_PTR(-ENOMEM));
}

static void regions_deadlock_up(struct regions_end *end)
{
	if (duct_region_revoke(end->r, regions_device(end->all, true, 0)) != -EDEADLK)
		atomic_inc(&end->bad);
}

static void regions_deadlock(struct kunit *test)
{
	struct regions *all = regions_start(test, kit_param_side(test), PAGE_SIZE, false);

	all->owner.on_up = regions_deadlock_up;
	regions_join(all, 0, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&all->owner.bad), 0);
}

/* ---- a peer that breaks the rules ---- */

struct regions_attack {
	const char *name;
	bool owner;	/* who attacks */
	u32 len;	/* 0: the right one */
	union duct_region_msg msg;
};

static const struct regions_attack regions_attacks[] = {
	{ "an unknown type", true, 16, { .state = { .type = 99 } } },
	{ "type 0", false, 16, { .state = { .type = 0 } } },
	{ "nothing", true, 0xffff },
	{ "cut", false, 12, { .point = { .type = DUCT_REGION_TRIGGER, .value = 1 } } },
	{ "an offer by the peer", false, 0,
	  { .offer = { .type = DUCT_REGION_OFFER, .offer = 1, .peer = 1, .size = 1 } } },
	{ "a second offer", true, 0,
	  { .offer = { .type = DUCT_REGION_OFFER, .offer = 1, .peer = 1, .size = 1 } } },
	{ "an offer to the owner's id", true, 0,
	  { .offer = { .type = DUCT_REGION_OFFER, .offer = 2, .size = 1 } } },
	{ "an offer of nothing", true, 0,
	  { .offer = { .type = DUCT_REGION_OFFER, .offer = 2, .peer = 1 } } },
	{ "an offer of all", true, 0,
	  { .offer = { .type = DUCT_REGION_OFFER, .offer = 2, .peer = 1, .size = U64_MAX } } },
	{ "pages out of order", true, 0,
	  { .refs = { .type = DUCT_REGION_REFS, .offer = 1, .first = 60, .n = 1 } } },
	{ "pages behind the last", true, 0,
	  { .refs = { .type = DUCT_REGION_REFS, .offer = 1, .n = 1, .refs = { 1, 2 } } } },
	{ "attached twice", false, 0,
	  { .state = { .type = DUCT_REGION_ATTACHED, .offer = 1 } } },
	{ "attached and an unknown word", false, 0,
	  { .state = { .type = DUCT_REGION_ATTACHED, .offer = 1, .status = 9 } } },
	{ "released without a revoke", false, 0,
	  { .state = { .type = DUCT_REGION_RELEASED, .offer = 1 } } },
	{ "revoked by the peer", false, 0,
	  { .state = { .type = DUCT_REGION_REVOKE, .offer = 1 } } },
	{ "a trigger outside", false, 0,
	  { .point = { .type = DUCT_REGION_TRIGGER, .value = 1, .off = PAGE_SIZE } } },
	{ "no triggers", true, 0,
	  { .point = { .type = DUCT_REGION_TRIGGER } } },
	{ "a watch outside", false, 0,
	  { .point = { .type = DUCT_REGION_WATCH, .off = U64_MAX } } },
	{ "a watch by the owner", true, 0,
	  { .point = { .type = DUCT_REGION_WATCH, .off = 0 } } },
};

static void regions_attack_name(const struct regions_attack *attack, char *desc)
{
	strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(regions_attack, regions_attacks, regions_attack_name);

static struct duct_slot *regions_slot(struct duct_device *dd)
{
	struct duct_link *link = to_duct_device_core(dd)->service->link;
	struct duct_slot *found = NULL;
	u32 i;

	mutex_lock(&link->lock);
	for (i = 1; i < DUCT_SLOTS; i++) {
		struct duct_slot *slot = rcu_dereference_protected(link->slots[i], true);

		if (slot && slot->ch && slot->ch->pub.dd == dd &&
		    slot->ch->pub.number == (DUCT_NUMBER_REGION | DUCT_NUMBER_FRONT | REGIONS_ID))
			found = slot;
	}
	mutex_unlock(&link->lock);
	return found;
}

static u32 regions_attack_len(const struct regions_attack *attack)
{
	if (attack->len)
		return attack->len == 0xffff ? 0 : attack->len;
	switch (attack->msg.type) {
	case DUCT_REGION_OFFER:
		return sizeof(struct duct_region_offer);
	case DUCT_REGION_REFS:
		return sizeof(struct duct_region_refs);
	default:
		return sizeof(struct duct_region_state);
	}
}

/* It loses the region, at both ends, until the next epoch; others do not notice. */
static void regions_hostile(struct kunit *test)
{
	const struct regions_attack *attack = test->param_value;
	struct regions *all = regions_start(test, KIT_FRONT, PAGE_SIZE, true);
	const struct duct_frame frame = {
		.len = regions_attack_len(attack),
		.type = DUCT_FRAME_MSG,
	};
	struct duct_slot *slot;

	regions_join(all, 0, true);
	regions_join(all, 1, true);
	slot = regions_slot(regions_device(all, attack->owner, 0));
	KUNIT_ASSERT_NOT_NULL(test, slot);
	hostile_frame(slot, &frame, &attack->msg, frame.len);
	kit_wait(all->kit, !regions_is_up(&all->peer[0]) && READ_ONCE(all->owner.in) == BIT_ULL(2));
	KUNIT_EXPECT_EQ(test, attack->owner ? all->peer[0].why : all->owner.why, -EPROTO);
	regions_write(all->peer[1].r, 7);
	KUNIT_EXPECT_EQ(test, regions_differ(all->owner.r, 7), 0u);
	kit_loop_run(all->kit, true);
	kit_wait(all->kit, regions_is_up(&all->peer[0]) && READ_ONCE(all->owner.in) == 6);
}

static struct kunit_case regions_cases[] = {
	KUNIT_CASE_PARAM(regions_share, kit_sides),
	KUNIT_CASE_PARAM(regions_read_only, kit_sides),
	KUNIT_CASE_PARAM(regions_revoke, kit_sides),
	KUNIT_CASE_PARAM(regions_ids, kit_sides),
	KUNIT_CASE_PARAM(regions_epoch, kit_sides),
	KUNIT_CASE_PARAM(regions_away, kit_sides),
	KUNIT_CASE_PARAM(regions_silent, kit_sides),
	KUNIT_CASE_PARAM(regions_budget, kit_sides),
	KUNIT_CASE_PARAM(regions_budget_rings, kit_sides),
	KUNIT_CASE_PARAM(regions_bad_input, kit_sides),
	KUNIT_CASE_PARAM(regions_deadlock, kit_sides),
	KUNIT_CASE_PARAM(regions_hostile, regions_attack_gen_params),
	{}
};

struct kunit_suite duct_regions_suite = {
	.name = "duct_regions",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = regions_cases,
};
