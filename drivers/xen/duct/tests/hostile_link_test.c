// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that breaks the protocol of the link: the link is down, sysfs says why,
 * and a new epoch is as if nothing had been.
 */
#include "hostile.h"

#define SERVICE(n, r) { .name = n, .role = r }
#define WISH { .tx_bytes = 1024, .rx_bytes = 1024, .max_msg = 64 }

static const void *hostile_link_gen_params(const void *last, char *desc)
{
	const struct attack *attack = last ? last : attacks - 1;

	while (++attack < attacks + attacks_n) {
		if (!attack->why || !*attack->why || !strcmp(attack->why, ATTACK_TURNED))
			continue;
		strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
		return attack;
	}
	return NULL;
}

static struct duct_link *hostile_link_of(struct kit_end *end)
{
	return to_duct_link(end->ch->dd->dev.parent);
}

static void hostile_link_expect_fault(struct kit_end *end, const char *why)
{
	char text[80];

	KUNIT_EXPECT_EQ(end->kit->test,
			kit_read_device(end->ch->dd, "../fault", text, sizeof(text)), 0);
	if (*text)
		text[strlen(text) - 1] = 0;
	KUNIT_EXPECT_STREQ(end->kit->test, text, why);
}

static void hostile_link_one(struct kunit *test, struct kit_driver *driver, unsigned int side)
{
	const struct attack *attack = test->param_value;
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);

	kit_connect(driver, a, side, NULL, b, NULL, 0);
	attack_run(attack, a->ch, kit->pattern);
	kit_wait(kit, duct_link_fault(hostile_link_of(b)) && atomic_read(&b->downs) == 1 &&
		 atomic_read(&a->downs) == 1);
	hostile_link_expect_fault(b, attack->why);
	/* Unless the first of two has closed the channel already. */
	KUNIT_EXPECT_TRUE(test, b->why == -EPROTO || (attack->twice && b->why == -EPIPE));
	KUNIT_EXPECT_TRUE(test, a->why == -ECONNRESET || attack->twice);
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
	hostile_link_expect_fault(b, "");
	kit_exchange(a, b);
	kit_close(a);
	kit_close(b);
}

static void hostile_link(struct kunit *test)
{
	const struct attack *attack = test->param_value;
	struct kit_driver *driver = kit_peers(test->priv, true);

	if (attack->from & ATTACK_FRONT)
		hostile_link_one(test, driver, KIT_FRONT);
	if (attack->from & ATTACK_BACK)
		hostile_link_one(test, driver, KIT_BACK);
}

/* What may have crossed with something of ours is counted, and no more. */
static void hostile_link_stale(struct kunit *test)
{
	static const union duct_ctl both[] = {
		{ .close = { .type = DUCT_CTL_CLOSE, .slot = 500, .generation = 1 } },
		{ .close = { .type = DUCT_CTL_CLOSED, .slot = 500, .generation = 1 } },
		{ .close = { .type = DUCT_CTL_CLOSE, .slot = 1, .generation = 12345678 } },
		{ .withdraw = { .type = DUCT_CTL_WITHDRAW, .service = SERVICE("kitm", 4) } },
		{ .withdraw = { .type = DUCT_CTL_UNBIND, .service = SERVICE("kits", 1) } },
		{ .offer = { .type = DUCT_CTL_BIND, .service = SERVICE("kits", 1) } },
		{ .offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("secret", 4) } },
	};
	static const union duct_ctl front[] = {
		{ .refused = { .type = DUCT_CTL_REFUSED, .service = SERVICE("kit", 4),
			       .number = 8, .reason = 1 } },
	};
	static const union duct_ctl back[] = {
		{ .open = { .type = DUCT_CTL_CANCEL, .service = SERVICE("kitm", 4) } },
		{ .open = { .type = DUCT_CTL_OPEN, .service = SERVICE("kitm", 4), .wish = WISH } },
	};
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	union duct_ctl late = { .close = { .type = DUCT_CTL_CLOSE } };
	u32 i, n = side == KIT_FRONT ? ARRAY_SIZE(front) : ARRAY_SIZE(back);
	u64 stale;

	kit_connect(kit_peers(kit, true), a, side, NULL, b, NULL, 0);
	stale = READ_ONCE(hostile_link_of(b)->stats.stale);
	for (i = 0; i < ARRAY_SIZE(both); i++)
		hostile_control(hostile_link_of(a), &both[i], hostile_control_len(both[i].type));
	for (i = 0; i < n; i++) {
		const union duct_ctl *msg = side == KIT_FRONT ? &front[i] : &back[i];

		hostile_control(hostile_link_of(a), msg, hostile_control_len(msg->type));
	}
	/* Of the slot's last use: this one's goes on. */
	late.close.slot = hostile_slot(a)->index;
	late.close.generation = hostile_slot(a)->generation - 1;
	hostile_control(hostile_link_of(a), &late, sizeof(late.close));
	/* A channel more: then all that has arrived. */
	kit_connect(list_first_entry(&kit->drivers, struct kit_driver, node), kit_end(kit), side,
		    NULL, kit_end(kit), NULL, 1);
	kit_exchange(a, b);
	KUNIT_EXPECT_GE(test, READ_ONCE(hostile_link_of(b)->stats.stale) - stale,
			(u64)ARRAY_SIZE(both) + n);
	hostile_link_expect_fault(b, "");
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
}

/* A backend that wishes for ever holds no more memory than the budget. */
static void hostile_link_wishes(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	union duct_ctl msg = {
		.open = { .type = DUCT_CTL_OPEN, .service = SERVICE("kit", 4), .wish = WISH },
	};
	struct duct_service *service;
	u32 i, most = 0;

	kit_connect(kit_peers(kit, true), a, KIT_BACK, NULL, b, NULL, 0);
	for (i = 0; i < 1000 && !duct_link_fault(hostile_link_of(b)); i++) {
		struct duct_link *link = hostile_link_of(b);
		u64 seen = READ_ONCE(link->stats.control_in);

		msg.open.number = 1000 + i;
		hostile_control(hostile_link_of(a), &msg, sizeof(msg.open));
		while (READ_ONCE(link->stats.control_in) == seen && !duct_link_fault(link))
			cond_resched();
		mutex_lock(&link->lock);
		list_for_each_entry(service, &link->services, node)
			most = max(most, service->wishes_len);
		mutex_unlock(&link->lock);
	}
	KUNIT_EXPECT_LE(test, most, (u32)DUCT_POLICY_CHANNELS);
	kit_loop_run(kit, true);
	kit_wait(kit, a->is_up && b->is_up && !duct_send(a->ch, "", 0, 0));
}

/* The space of all that @link has said is back: hostile_control() does not look for it. */
static bool hostile_link_heard(struct duct_link *link)
{
	bool heard = true;

	mutex_lock(&link->lock);
	if (link->running)
		heard = duct_peer_acquire32(&link->control->tx.shared->cons) ==
			link->control->tx.prod;
	mutex_unlock(&link->lock);
	return heard;
}

/* Both ends; nothing of it is allowed. How much of it is in the log is for the scenario to see. */
static void hostile_link_noise(struct kunit *test)
{
	union duct_ctl msg = {
		.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("noise", 4) },
	};
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u64 stale;
	u32 i;

	kit_connect(kit_peers(kit, true), a, side, NULL, b, NULL, 0);
	stale = READ_ONCE(hostile_link_of(b)->stats.stale);
	for (i = 0; i < 100; i++) {
		msg.offer.service.instance = i;
		hostile_control(hostile_link_of(a), &msg, sizeof(msg.offer));
		while (!hostile_link_heard(hostile_link_of(a)) &&
		       !duct_link_fault(hostile_link_of(b)))
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, READ_ONCE(hostile_link_of(b)->stats.stale) - stale, 100ULL);
	hostile_link_expect_fault(b, "");
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
}

static struct kunit_case hostile_link_cases[] = {
	KUNIT_CASE_PARAM(hostile_link, hostile_link_gen_params),
	KUNIT_CASE_PARAM(hostile_link_stale, kit_sides),
	KUNIT_CASE(hostile_link_wishes),
	KUNIT_CASE_PARAM(hostile_link_noise, kit_sides),
	{}
};

struct kunit_suite duct_hostile_link_suite = {
	.name = "duct_hostile_link",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = hostile_link_cases,
};
