// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that breaks the protocol of the link: the link is down, sysfs says why,
 * and a new epoch is as if nothing had been.
 */
#include "hostile.h"

#define FROM_FRONT	1u
#define FROM_BACK	2u
#define FROM_BOTH	(FROM_FRONT | FROM_BACK)

/**
 * struct hostile_link_attack - what one end says on the control ring
 * @name: of the attack
 * @why: what sysfs says at the other end
 * @from: who may try it
 * @msg: what is said
 * @len: bytes of it; 0: as long as it should be
 * @twice: it is said again
 * @frame: type of the frame, if no message
 * @index: instead: the ring's index moves by this
 */
struct hostile_link_attack {
	const char *name;
	const char *why;
	u32 from;
	union duct_ctl msg;
	u32 len;
	bool twice;
	u8 frame;
	u32 index;
};

/* The message's slot and generation are those of a channel that is up. */
#define HOSTILE_SLOT U32_MAX

#define SERVICE(n, r) { .name = n, .role = r }
#define WISH { .tx_bytes = 1024, .rx_bytes = 1024, .max_msg = 64 }

static const struct hostile_link_attack hostile_link_attacks[] = {
	{ "index beyond", "indexes or frame of the control ring", FROM_BOTH,
	  .index = 2 * DUCT_CONTROL_BYTES },
	{ "index not aligned", "indexes or frame of the control ring", FROM_BOTH, .index = 8 },
	{ "index goes back", "indexes or frame of the control ring", FROM_BOTH, .index = -16 },
	{ "no frame type", "indexes or frame of the control ring", FROM_BOTH,
	  .msg.type = DUCT_CTL_GOODBYE, .frame = 77 },
	{ "a call", "no message on the control ring", FROM_BOTH,
	  .msg.type = DUCT_CTL_GOODBYE, .frame = DUCT_FRAME_CALL },
	{ "shorter than a type", "shorter than its type", FROM_BOTH,
	  .msg.type = DUCT_CTL_GOODBYE, .len = 3 },
	{ "type 0", "unknown type", FROM_BOTH, .msg.type = 0, .len = 8 },
	{ "type 18", "unknown type", FROM_BOTH, .msg.type = 18, .len = 8 },
	{ "type max", "unknown type", FROM_BOTH, .msg.type = U32_MAX, .len = 8 },
	{ "too short", "wrong length", FROM_BOTH, .msg.type = DUCT_CTL_HELLO, .len = 28 },
	{ "too long", "wrong length", FROM_BOTH, .msg.type = DUCT_CTL_HELLO, .len = 40 },
	{ "longer than any", "wrong length", FROM_BOTH, .msg.type = DUCT_CTL_CHUNK, .len = 200 },
	{ "hello again", "a second hello", FROM_BOTH, .msg.type = DUCT_CTL_HELLO },
	{ "announce again", "announced twice", FROM_BOTH,
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("kit", 4) } },
	{ "bad name", "not a service name", FROM_BOTH,
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("KIT", 4) } },
	{ "bad padding", "not a service name", FROM_BOTH,
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("kit\0x", 4) } },
	{ "reserved", "reserved bytes are not zero", FROM_BOTH,
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .reserved = 1,
			 .service = SERVICE("x", 4) } },
	{ "role", "a role that cannot send this", FROM_BOTH,
	  .msg.offer = { .type = DUCT_CTL_BIND, .service = SERVICE("kit", 2) } },
	{ "open from the frontend", "the wrong end sent it", FROM_FRONT,
	  .msg.open = { .type = DUCT_CTL_OPEN, .service = SERVICE("kit", 4), .wish = WISH } },
	{ "bound from the backend", "the wrong end sent it", FROM_BACK,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4) } },
	{ "chunk from the backend", "the wrong end sent it", FROM_BACK,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .pages = 1 } },
	{ "wish of a bad ring", "ring size is no power of two within the limits", FROM_BACK,
	  .msg.open = { .type = DUCT_CTL_OPEN, .service = SERVICE("kit", 4),
			.wish = { .tx_bytes = 1000, .rx_bytes = 1024, .max_msg = 64 } } },
	{ "closed, not asked", "an answer to a close that was not said", FROM_BOTH,
	  .msg.close = { .type = DUCT_CTL_CLOSED, .slot = HOSTILE_SLOT } },
	{ "close twice", "a channel closed twice", FROM_BOTH, .twice = true,
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = HOSTILE_SLOT } },
	{ "close of the control ring", "no such slot", FROM_BOTH,
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = 0 } },
	{ "close of slot 1024", "no such slot", FROM_BOTH,
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = 1024 } },
	{ "bound in a slot in use", "a channel bound to a slot or door that is not free",
	  FROM_FRONT,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .number = 9,
			 .slot = HOSTILE_SLOT, .max_msg = 64,
			 .to_back = { .bytes = 1024 }, .to_front = { .bytes = 1024 } } },
	{ "bound in no chunk", "a channel bound outside the arena", FROM_FRONT,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .number = 9,
			 .slot = 77, .max_msg = 64,
			 .to_back = { .chunk = 99, .bytes = 1024 },
			 .to_front = { .chunk = 99, .bytes = 1024 } } },
	{ "bound behind the chunk", "a channel bound outside the arena", FROM_FRONT,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .number = 9,
			 .slot = 77, .max_msg = 64, .to_back = { .bytes = 1024 },
			 .to_front = { .offset = 64 * 4096 - 1024, .bytes = 1024 } } },
	{ "bound not aligned", "start index is not aligned", FROM_FRONT,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .slot = 77,
			 .max_msg = 64, .to_back = { .bytes = 1024, .start = 8 },
			 .to_front = { .bytes = 1024 } } },
	{ "chunk out of order", "a chunk out of order", FROM_FRONT,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 5, .pages = 64, .first = 32 } },
	{ "chunk that is there", "a chunk out of order", FROM_FRONT,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 0, .pages = 64 } },
	{ "chunk begun twice", "a chunk out of order", FROM_FRONT, .twice = true,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 5, .pages = 64 } },
	{ "chunk of no pages", "pages of the chunk out of range", FROM_FRONT,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 5 } },
	{ "chunk done, not asked", "a chunk out of order", FROM_BACK,
	  .msg.done = { .type = DUCT_CTL_CHUNK_DONE, .id = 5 } },
	{ "chunk done again", "a chunk out of order", FROM_BACK,
	  .msg.done = { .type = DUCT_CTL_CHUNK_DONE, .id = 0 } },
	{ "bound behind no door", "a channel bound to a slot or door that is not free",
	  FROM_FRONT,
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = SERVICE("kit", 4), .number = 9,
			 .slot = 77, .door = 63, .max_msg = 64,
			 .to_back = { .bytes = 1024 },
			 .to_front = { .offset = 2048, .bytes = 1024 } } },
	{ "door done, not asked", "a door that nobody offered", FROM_BACK,
	  .msg.done = { .type = DUCT_CTL_DOOR_DONE, .id = 63 } },
	{ "door 0", "no such door", FROM_FRONT,
	  .msg.door = { .type = DUCT_CTL_DOOR } },
	{ "door in no chunk", "a door outside the arena", FROM_FRONT,
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 63, .chunk = 99 } },
	{ "door behind the chunk", "a door outside the arena", FROM_FRONT,
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 63, .offset = 64 * 4096 - 192 } },
	{ "door that is there", "a door that is there already", FROM_FRONT,
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 1, .port = 1 } },
	{ "staging beyond", "staging out of range", FROM_FRONT,
	  .msg.stage = { .type = DUCT_CTL_STAGE, .bytes = (1u << 20) + 128 } },
	{ "staging outside", "staging outside the arena", FROM_FRONT,
	  .msg.stage = { .type = DUCT_CTL_STAGE, .chunk = 9, .bytes = 128 } },
	{ "refused for no reason", "unknown reason", FROM_FRONT,
	  .msg.refused = { .type = DUCT_CTL_REFUSED, .service = SERVICE("kit", 4) } },
	{ "refused a thing", "unknown reason", FROM_FRONT,
	  .msg.refused = { .type = DUCT_CTL_REFUSED, .service = SERVICE("kit", 4),
			   .reason = 4 } },
};

static void hostile_link_describe(const struct hostile_link_attack *attack, char *desc)
{
	strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hostile_link, hostile_link_attacks, hostile_link_describe);

static struct duct_link *hostile_link_of(struct kit_end *end)
{
	return to_duct_link(end->ch->dd->dev.parent);
}

/* Fills in the slot of a channel that is up. */
static void hostile_link_aim(union duct_ctl *msg, struct kit_end *end)
{
	struct duct_slot *slot = hostile_slot(end);

	if (msg->type == DUCT_CTL_BOUND && msg->bound.slot == HOSTILE_SLOT) {
		msg->bound.slot = slot->index;
	} else if (msg->close.slot == HOSTILE_SLOT) {
		msg->close.slot = slot->index;
		msg->close.generation = slot->generation;
	}
}

static void hostile_link_run(const struct hostile_link_attack *attack, struct kit_end *a)
{
	u32 len = attack->len ?: hostile_control_len(attack->msg.type);
	struct duct_frame frame = {
		.len = len,
		.type = attack->frame ?: DUCT_FRAME_MSG,
	};
	struct duct_link *link = hostile_link_of(a);
	u8 bytes[256] = { };
	union duct_ctl msg = attack->msg;

	if (attack->index) {
		mutex_lock(&link->lock);
		duct_peer_release32(&link->control->tx.shared->prod,
				    link->control->tx.prod + attack->index);
		hostile_ring(link->control);
		mutex_unlock(&link->lock);
		return;
	}
	hostile_link_aim(&msg, a);
	memcpy(bytes, &msg, sizeof(msg));
	hostile_control_frame(link, &frame, bytes, len);
	if (attack->twice)
		hostile_control_frame(link, &frame, bytes, len);
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
	const struct hostile_link_attack *attack = test->param_value;
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);

	kit_connect(driver, a, side, NULL, b, NULL, 0);
	hostile_link_run(attack, a);
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
	const struct hostile_link_attack *attack = test->param_value;
	struct kit_driver *driver = kit_peers(test->priv, true);

	if (attack->from & FROM_FRONT)
		hostile_link_one(test, driver, KIT_FRONT);
	if (attack->from & FROM_BACK)
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
	union duct_ctl late = { .close = { .type = DUCT_CTL_CLOSE, .slot = HOSTILE_SLOT } };
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
	hostile_link_aim(&late, a);
	late.close.generation--;
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
		struct duct_link *link = hostile_link_of(b);
		u64 seen = READ_ONCE(link->stats.control_in);

		msg.offer.service.instance = i;
		hostile_control(hostile_link_of(a), &msg, sizeof(msg.offer));
		while (READ_ONCE(link->stats.control_in) == seen && !duct_link_fault(link))
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
