// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that breaks the protocol of the link: the link is down, sysfs says why,
 * and a new epoch is as if nothing had been.
 */
#include <linux/fs.h>
#include <linux/pm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

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

/* A frontend that shares more pages than the backend's budget has. */
static void hostile_link_pages(struct kunit *test)
{
	struct duct_channel_config large = { .tx_bytes = 1u << 20, .rx_bytes = 1u << 20 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, true);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct kit_end *c = kit_end(kit), *d = kit_end(kit);
	struct duct_link *back;
	u32 pages;

	kit_connect(driver, a, KIT_FRONT, NULL, b, NULL, 0);
	back = hostile_link_of(b);
	mutex_lock(&back->lock);
	pages = back->pages;
	KUNIT_EXPECT_EQ(test, duct_policy_budget(back->policy, DUCT_POLICY_CHANNELS, pages), 0);
	mutex_unlock(&back->lock);
	KUNIT_ASSERT_EQ(test, kit_open(c, kit_peer(driver, KIT_FRONT), 1, &large), 0);
	KUNIT_ASSERT_EQ(test, kit_open(d, kit_peer(driver, KIT_BACK), 1, &large), 0);
	kit_wait(kit, duct_error(c->ch) == -ENOMEM && duct_error(d->ch) == -ENOMEM);
	KUNIT_EXPECT_EQ(test, READ_ONCE(back->pages), pages);
	kit_exchange(a, b);
	/* An epoch has a policy of its own. */
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&c->ups) == 1);
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

/* A message that breaks it, and no room for goodbye, which an index that cannot be says. */
static void hostile_link_once(struct kunit *test)
{
	static const union duct_ctl msg = { .type = 18 };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_link *link;
	struct duct_tx *tx;
	s64 faults;

	kit_connect(kit_peers(kit, true), a, kit_param_side(test), NULL, b, NULL, 0);
	link = hostile_link_of(b);
	faults = atomic64_read(&link->stats.faults);
	mutex_lock(&link->lock);
	tx = &link->control->tx;
	tx->cons = tx->published - tx->size;
	duct_peer_write32(&tx->shared->cons, tx->published + DUCT_ALIGN);
	mutex_unlock(&link->lock);
	hostile_control(hostile_link_of(a), &msg, 8);
	kit_wait(kit, duct_link_fault(link) && atomic_read(&b->downs) == 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&link->stats.faults) - faults, 1ll);
	hostile_link_expect_fault(b, "unknown type");
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
}

/* ---- what is shown of a channel that was closed before it had rings ---- */

/* What kernel_read() cannot: seq_file has no read_iter(). Return: the file's text, or NULL */
static char *hostile_link_dump_of(struct kunit *test, struct duct_link *link)
{
	struct seq_file *m;
	struct file *file;
	char path[64], *text;

	snprintf(path, sizeof(path), "/sys/kernel/debug/duct/%s/dump", dev_name(&link->dev));
	file = filp_open(path, O_RDONLY, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	m = file->private_data;
	/* Freed with the file. */
	m->size = 1u << 16;
	m->buf = kvzalloc(m->size, GFP_KERNEL);
	text = m->buf && !m->op->show(m, NULL) ? kunit_kzalloc(test, m->size, GFP_KERNEL) : NULL;
	if (text)
		memcpy(text, m->buf, m->count);
	filp_close(file, NULL);
	return text;
}

/* The frontend binds what nobody wished, and never says CLOSED. */
static void hostile_link_dump(struct kunit *test)
{
	static const union duct_ctl msg = {
		.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .number = 9,
			   .slot = 77, .max_msg = 64, .to_back = { .bytes = 1024 },
			   .to_front = { .offset = 2048, .bytes = 1024 } },
	};
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	unsigned long until = jiffies + KIT_WAIT;
	struct duct_link *link;
	char *text;

	kit_connect(kit_peers(kit, true), a, KIT_FRONT, NULL, b, NULL, 0);
	link = hostile_link_of(b);
	hostile_control(hostile_link_of(a), &msg, sizeof(msg.bound));
	while (!rcu_access_pointer(link->slots[77]) && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	text = hostile_link_dump_of(test, link);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "slot 77 "));
	kit_exchange(a, b);
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
}

/* ---- a domain that was restored ---- */

/* What the peer wrote is not what was last seen: all has ended, and nobody looks at it. */
static void hostile_link_restore(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_link *link, *peer;

	kit_connect(kit_peers(kit, true), a, kit_param_side(test), NULL, b, NULL, 0);
	link = hostile_link_of(a);
	peer = hostile_link_of(b);
	KUNIT_EXPECT_EQ(test, link->dev.type->pm->restore(&link->dev), 0);
	kit_wait(kit, atomic_read(&a->downs) == 1);
	KUNIT_EXPECT_EQ(test, a->why, -ECONNRESET);
	mutex_lock(&peer->lock);
	duct_peer_release32(&peer->control->tx.shared->prod, peer->control->tx.prod + 8);
	hostile_ring(peer->control);
	mutex_unlock(&peer->lock);
	schedule_timeout_uninterruptible(HZ / 10);
	flush_work(&link->work);
	KUNIT_EXPECT_NULL(test, (void *)duct_link_fault(link));
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
	kit_exchange(a, b);
}

/* ---- ends whose lives and policies the test makes ---- */

struct hostile_wire {
	struct duct_link *link[DUCT_SIDES];
	struct page *page;
};

/* Instead of the loopback's epoch. Its links are there as long as it is loaded. */
static void hostile_wire_begin(struct kit *kit, struct hostile_wire *w, struct kit_driver *driver)
{
	u32 side;

	for (side = 0; side < DUCT_SIDES; side++)
		w->link[side] = to_duct_link(kit_peer(driver, side)->dev.parent);
	kit_loop_run(kit, false);
	w->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(kit->test, w->page);
}

/* From here to hostile_wire_end() nothing gives a test up. */
static void hostile_wire_start(struct kit *kit, struct hostile_wire *w, u32 side, u64 incarnation,
			       u64 peer, const char *service)
{
	struct duct_policy *policy = duct_policy_new();
	int err = policy ? duct_policy_allow(policy, "kitm.0") : -ENOMEM;

	if (!err && service)
		err = duct_policy_allow(policy, service);
	if (!err)
		err = duct_link_start(w->link[side], page_address(w->page), policy, incarnation,
				      peer);
	KUNIT_EXPECT_EQ(kit->test, err, 0);
	duct_policy_put(policy);
}

static void hostile_wire_end(struct kit *kit, struct hostile_wire *w)
{
	duct_link_stop(w->link[KIT_BACK]);
	duct_link_stop(w->link[KIT_FRONT]);
	duct_link_release(w->link[KIT_BACK]);
	duct_link_release(w->link[KIT_FRONT]);
	__free_page(w->page);
	kit_loop_run(kit, true);
}

/* Stale, or broken. */
static bool hostile_wire_heard(const struct duct_link *link, u64 stale)
{
	return READ_ONCE(link->stats.stale) != stale || READ_ONCE(link->fault) ||
	       READ_ONCE(link->greeted);
}

/* A hello that is not of this pair of lives, 2 and 1: from another one, or to another one. */
static void hostile_link_hello(struct kunit *test)
{
	static const struct {
		u64 from;
		u64 to;
		const char *why;
	} hellos[] = {
		{ .from = 3, .to = 1 },
		{ .from = 2, .to = 4, .why = "hello for another incarnation" },
	};
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, true);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hellos); i++) {
		unsigned long until = jiffies + KIT_WAIT;
		struct hostile_wire w;
		u64 stale;

		hostile_wire_begin(kit, &w, driver);
		stale = w.link[KIT_BACK]->stats.stale;
		hostile_wire_start(kit, &w, KIT_BACK, 1, 2, NULL);
		hostile_wire_start(kit, &w, KIT_FRONT, hellos[i].from, hellos[i].to, NULL);
		while (!hostile_wire_heard(w.link[KIT_BACK], stale) && time_before(jiffies, until))
			schedule_timeout_uninterruptible(1);
		KUNIT_EXPECT_FALSE(test, w.link[KIT_BACK]->greeted);
		KUNIT_EXPECT_STREQ(test, duct_link_fault(w.link[KIT_BACK]) ?: "",
				   hellos[i].why ?: "");
		KUNIT_EXPECT_EQ(test, w.link[KIT_BACK]->stats.stale - stale,
				hellos[i].why ? 0ull : 1ull);
		hostile_wire_end(kit, &w);
		kit_wait(kit, kit_peer(driver, KIT_FRONT) && kit_peer(driver, KIT_BACK));
	}
}

static bool hostile_link_offered(struct duct_link *link, const char *name)
{
	struct duct_service *service;
	bool offered = false;

	mutex_lock(&link->lock);
	list_for_each_entry(service, &link->services, node)
		offered |= service->offered && !strcmp(service->name, name);
	mutex_unlock(&link->lock);
	return offered;
}

/* What an epoch's policy does not allow any more is not offered, whoever would take it. */
static void hostile_link_policy(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, true);
	struct kit_driver *server = kit_driver(kit, "kits", DUCT_SERVE);
	struct kit_driver *other = kit_driver(kit, "kitm", DUCT_PEER);
	struct duct_link *back = to_duct_link(kit_peer(driver, KIT_BACK)->dev.parent);
	struct hostile_wire w;

	kit_register(server);
	kit_register(other);
	kit_wait(kit, kit_bound(other) == 6);
	KUNIT_EXPECT_TRUE(test, hostile_link_offered(back, "kits"));
	hostile_wire_begin(kit, &w, driver);
	kit_wait(kit, kit_bound(other) == 0);
	hostile_wire_start(kit, &w, KIT_BACK, 1, 2, "kits.0");
	hostile_wire_start(kit, &w, KIT_FRONT, 2, 1, NULL);
	/* This is said with, or after, all the others. */
	KUNIT_EXPECT_GT(test, wait_event_timeout(kit->wait, kit_bound(other) == 2, KIT_WAIT), 0l);
	KUNIT_EXPECT_FALSE(test, hostile_link_offered(back, "kits"));
	hostile_wire_end(kit, &w);
	kit_wait(kit, kit_bound(other) == 6);
}

static struct kunit_case hostile_link_cases[] = {
	KUNIT_CASE_PARAM(hostile_link, hostile_link_gen_params),
	KUNIT_CASE_PARAM(hostile_link_stale, kit_sides),
	KUNIT_CASE(hostile_link_wishes),
	KUNIT_CASE(hostile_link_pages),
	KUNIT_CASE_PARAM(hostile_link_noise, kit_sides),
	KUNIT_CASE_PARAM(hostile_link_once, kit_sides),
	KUNIT_CASE(hostile_link_dump),
	KUNIT_CASE_PARAM(hostile_link_restore, kit_sides),
	KUNIT_CASE(hostile_link_hello),
	KUNIT_CASE(hostile_link_policy),
	{}
};

struct kunit_suite duct_hostile_link_suite = {
	.name = "duct_hostile_link",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = hostile_link_cases,
};
