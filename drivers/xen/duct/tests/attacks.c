// SPDX-License-Identifier: GPL-2.0
/* See attacks.h. */
#include "attacks.h"

#include <asm/sync_bitops.h>

/* The message's slot and generation are those of the channel. */
#define ATTACK_SLOT U32_MAX
/* No longer than the channels that are attacked may have messages. */
#define ATTACK_MSG 256u

#define SERVICE(n, r) { .name = n, .role = r }
#define OURS { .role = DUCT_ROLE_PEER }
#define WISH { .tx_bytes = 1024, .rx_bytes = 1024, .max_msg = 64 }
#define FRAME(n, b, ...) { n, ATTACK_BOTH, .bytes = b, .frame = { __VA_ARGS__ } }

const struct attack attacks[] = {
	{ "index beyond", ATTACK_BOTH, "indexes or frame of the control ring",
	  .prod = 2 * DUCT_CONTROL_BYTES },
	{ "index not aligned", ATTACK_BOTH, "indexes or frame of the control ring", .prod = 8 },
	{ "index goes back", ATTACK_BOTH, "indexes or frame of the control ring", .prod = -16 },
	{ "no frame type", ATTACK_BOTH, "indexes or frame of the control ring",
	  .msg.type = DUCT_CTL_GOODBYE, .frame.type = 77 },
	{ "a call", ATTACK_BOTH, "no message on the control ring",
	  .msg.type = DUCT_CTL_GOODBYE, .frame.type = DUCT_FRAME_CALL },
	{ "shorter than a type", ATTACK_BOTH, "shorter than its type",
	  .msg.type = DUCT_CTL_GOODBYE, .len = 3 },
	{ "type 0", ATTACK_BOTH, "unknown type", .msg.type = 0, .len = 8 },
	{ "type 18", ATTACK_BOTH, "unknown type", .msg.type = 18, .len = 8 },
	{ "type max", ATTACK_BOTH, "unknown type", .msg.type = U32_MAX, .len = 8 },
	{ "too short", ATTACK_BOTH, "wrong length", .msg.type = DUCT_CTL_HELLO, .len = 28 },
	{ "too long", ATTACK_BOTH, "wrong length", .msg.type = DUCT_CTL_HELLO, .len = 40 },
	{ "longer than any", ATTACK_BOTH, "wrong length", .msg.type = DUCT_CTL_CHUNK, .len = 200 },
	{ "hello again", ATTACK_BOTH, "a second hello", .msg.type = DUCT_CTL_HELLO },
	{ "announce again", ATTACK_BOTH, "announced twice",
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = OURS } },
	{ "bad name", ATTACK_BOTH, "not a service name",
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("KIT", 4) } },
	{ "bad padding", ATTACK_BOTH, "not a service name",
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("kit\0x", 4) } },
	{ "reserved", ATTACK_BOTH, "reserved bytes are not zero",
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .reserved = 1,
			 .service = SERVICE("x", 4) } },
	{ "role", ATTACK_BOTH, "a role that cannot send this",
	  .msg.offer = { .type = DUCT_CTL_BIND, .service = SERVICE("kit", 2) } },
	{ "open from the frontend", ATTACK_FRONT, "the wrong end sent it",
	  .msg.open = { .type = DUCT_CTL_OPEN, .service = OURS, .wish = WISH } },
	{ "bound from the backend", ATTACK_BACK, "the wrong end sent it",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS } },
	{ "chunk from the backend", ATTACK_BACK, "the wrong end sent it",
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .pages = 1 } },
	{ "wish of a bad ring", ATTACK_BACK, "ring size is no power of two within the limits",
	  .msg.open = { .type = DUCT_CTL_OPEN, .service = OURS,
			.wish = { .tx_bytes = 1000, .rx_bytes = 1024, .max_msg = 64 } } },
	{ "closed, not asked", ATTACK_BOTH, "an answer to a close that was not said",
	  .msg.close = { .type = DUCT_CTL_CLOSED, .slot = ATTACK_SLOT } },
	{ "close twice", ATTACK_BOTH, "a channel closed twice", .twice = true,
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = ATTACK_SLOT } },
	{ "close of the control ring", ATTACK_BOTH, "no such slot",
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = 0 } },
	{ "close of slot 1024", ATTACK_BOTH, "no such slot",
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = 1024 } },
	{ "bound in a slot in use", ATTACK_FRONT,
	  "a channel bound to a slot or door that is not free",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS, .number = 9,
			 .slot = ATTACK_SLOT, .max_msg = 64,
			 .to_back = { .bytes = 1024 }, .to_front = { .bytes = 1024 } } },
	{ "bound in no chunk", ATTACK_FRONT, "a channel bound outside the arena",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS, .number = 9,
			 .slot = 77, .max_msg = 64,
			 .to_back = { .chunk = 99, .bytes = 1024 },
			 .to_front = { .chunk = 99, .bytes = 1024 } } },
	{ "bound behind the chunk", ATTACK_FRONT, "a channel bound outside the arena",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS, .number = 9,
			 .slot = 77, .max_msg = 64, .to_back = { .bytes = 1024 },
			 .to_front = { .offset = 64 * 4096 - 1024, .bytes = 1024 } } },
	{ "bound not aligned", ATTACK_FRONT, "start index is not aligned",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS, .slot = 77,
			 .max_msg = 64, .to_back = { .bytes = 1024, .start = 8 },
			 .to_front = { .bytes = 1024 } } },
	{ "chunk out of order", ATTACK_FRONT, "a chunk out of order",
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 200, .pages = 64, .first = 32 } },
	{ "chunk that is there", ATTACK_FRONT, "a chunk out of order",
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 0, .pages = 64 } },
	{ "chunk begun twice", ATTACK_FRONT, "a chunk out of order", .twice = true,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 200, .pages = 64 } },
	{ "chunk of no pages", ATTACK_FRONT, "pages of the chunk out of range",
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 200 } },
	{ "chunk done, not asked", ATTACK_BACK, "a chunk out of order",
	  .msg.done = { .type = DUCT_CTL_CHUNK_DONE, .id = 200 } },
	{ "chunk done again", ATTACK_BACK, "a chunk out of order",
	  .msg.done = { .type = DUCT_CTL_CHUNK_DONE, .id = 0 } },
	{ "bound behind no door", ATTACK_FRONT,
	  "a channel bound to a slot or door that is not free",
	  .msg.bound = { .type = DUCT_CTL_BOUND, .service = OURS, .number = 9,
			 .slot = 77, .door = 63, .max_msg = 64,
			 .to_back = { .bytes = 1024 },
			 .to_front = { .offset = 2048, .bytes = 1024 } } },
	{ "door done, not asked", ATTACK_BACK, "a door that nobody offered",
	  .msg.done = { .type = DUCT_CTL_DOOR_DONE, .id = 63 } },
	{ "door 0", ATTACK_FRONT, "no such door",
	  .msg.door = { .type = DUCT_CTL_DOOR } },
	{ "door in no chunk", ATTACK_FRONT, "a door outside the arena",
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 63, .chunk = 99 } },
	{ "door behind the chunk", ATTACK_FRONT, "a door outside the arena",
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 63, .offset = 64 * 4096 - 192 } },
	{ "door that is there", ATTACK_FRONT, "a door that is there already",
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 1, .port = 1 } },
	{ "staging beyond", ATTACK_FRONT, "staging out of range",
	  .msg.stage = { .type = DUCT_CTL_STAGE, .bytes = (1u << 20) + 128 } },
	{ "staging outside", ATTACK_FRONT, "staging outside the arena",
	  .msg.stage = { .type = DUCT_CTL_STAGE, .chunk = 9, .bytes = 128 } },
	{ "refused for no reason", ATTACK_FRONT, "unknown reason",
	  .msg.refused = { .type = DUCT_CTL_REFUSED, .service = OURS } },
	{ "refused a thing", ATTACK_FRONT, "unknown reason",
	  .msg.refused = { .type = DUCT_CTL_REFUSED, .service = OURS,
			   .reason = 4 } },
	/* Nothing is broken by it at the other end. */
	{ "close of a slot that is none", ATTACK_BOTH, "",
	  .msg.close = { .type = DUCT_CTL_CLOSE, .slot = 500, .generation = 1 } },
	{ "withdraw of what was not offered", ATTACK_BOTH, "",
	  .msg.withdraw = { .type = DUCT_CTL_WITHDRAW, .service = SERVICE("secret", 4) } },
	{ "offer of what is not allowed", ATTACK_BOTH, "",
	  .msg.offer = { .type = DUCT_CTL_ANNOUNCE, .service = SERVICE("secret", 4) } },
	{ "cancel of what was not wished", ATTACK_BACK, "",
	  .msg.open = { .type = DUCT_CTL_CANCEL, .number = 99, .service = OURS } },
	{ "refusal of what was not wished", ATTACK_FRONT, "",
	  .msg.refused = { .type = DUCT_CTL_REFUSED, .number = 99, .service = OURS,
			   .reason = DUCT_REFUSED_MEMORY } },
	{ "chunk of pages that are not granted", ATTACK_FRONT, ATTACK_TURNED,
	  .msg.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 200, .pages = 2,
			 .refs = { 3000000, 3000001 } } },
	{ "door of a port that is none", ATTACK_FRONT, ATTACK_TURNED,
	  .msg.door = { .type = DUCT_CTL_DOOR, .door = 63, .port = 4000 } },
	{ "goodbye", ATTACK_BOTH, "", .msg.goodbye = { .type = DUCT_CTL_GOODBYE } },
	/* These break a channel. */
	{ "prod beyond the ring", ATTACK_BOTH, .prod = DUCT_ALIGN, .beyond = true },
	{ "prod far away", ATTACK_BOTH, .prod = 0x80000000u },
	{ "prod not aligned", ATTACK_BOTH, .prod = 8 },
	{ "prod goes back", ATTACK_BOTH, .prod = -DUCT_ALIGN },
	{ "cons beyond prod", ATTACK_BOTH, .cons = DUCT_ALIGN },
	{ "cons goes back", ATTACK_BOTH, .cons = -DUCT_ALIGN },
	FRAME("longer than shown", 16, .type = DUCT_FRAME_MSG, .len = 17),
	FRAME("longer than the ring", 16, .type = DUCT_FRAME_MSG, .len = U32_MAX),
	FRAME("length that wraps", 16, .type = DUCT_FRAME_MSG, .len = U32_MAX - 15),
	FRAME("longer than max_msg", ATTACK_MSG + 1, .type = DUCT_FRAME_MSG,
	      .len = ATTACK_MSG + 1),
	FRAME("call longer than max_msg", ATTACK_MSG + 1, .type = DUCT_FRAME_CALL,
	      .len = ATTACK_MSG + 1),
	FRAME("type 0", 0, .type = 0),
	FRAME("bulk without a list", 0, .type = DUCT_FRAME_BULK),
	FRAME("type 255", 0, .type = 255),
	FRAME("reserved byte", 0, .type = DUCT_FRAME_MSG, .reserved = 1),
	FRAME("status of a message", 0, .type = DUCT_FRAME_MSG, .status = 1),
	FRAME("status of a call", 0, .type = DUCT_FRAME_CALL, .status = 1),
	FRAME("slot of a message", 0, .type = DUCT_FRAME_MSG, .slot = 1),
	FRAME("generation of a message", 0, .type = DUCT_FRAME_MSG, .generation = 1),
	FRAME("bytes of a stream", 4, .type = DUCT_FRAME_STREAM, .len = 4),
	FRAME("empty stream", 0, .type = DUCT_FRAME_STREAM),
	FRAME("answer to no call", 0, .type = DUCT_FRAME_ANSWER, .generation = 1),
};

const u32 attacks_n = ARRAY_SIZE(attacks);

struct duct_slot *hostile_slot_of(struct duct_channel *ch)
{
	return rcu_dereference_check(to_duct_channel_core(ch)->slot, true);
}

void hostile_ring(struct duct_slot *slot)
{
	struct duct_link *link = slot->link;

	sync_set_bit(slot->index, (unsigned long __force *)link->door[slot->door].out->bits);
	link->ops->notify(link->wire, slot->door);
}

/* Not shown yet. */
static void hostile_put(struct duct_slot *slot, const struct duct_frame *frame,
			const void *payload, u32 bytes)
{
	struct duct_tx *tx = &slot->tx;
	u32 pos = tx->prod & (tx->size - 1), rest = tx->size - pos;

	/* Behind the ring's end it would be refused for that alone. */
	if (duct_frame_bytes(bytes) > rest) {
		const struct duct_frame pad = {
			.len = rest - sizeof(pad),
			.type = DUCT_FRAME_PAD,
		};

		duct_peer_copy_out(tx->data + pos, &pad, sizeof(pad));
		tx->prod += rest;
		pos = 0;
	}
	duct_peer_copy_out(tx->data + pos, frame, sizeof(*frame));
	duct_peer_copy_out(tx->data + pos + sizeof(*frame), payload, bytes);
	tx->prod += duct_frame_bytes(bytes);
}

static void hostile_show(struct duct_slot *slot)
{
	slot->tx.published = slot->tx.prod;
	duct_peer_release32(&slot->tx.shared->prod, slot->tx.prod);
	hostile_ring(slot);
}

void hostile_frame(struct duct_slot *slot, const struct duct_frame *frame, const void *payload,
		   u32 bytes)
{
	hostile_put(slot, frame, payload, bytes);
	hostile_show(slot);
}

/* @times in a row, which are shown at once: nothing can be answered in between. */
static void hostile_control_frames(struct duct_link *link, const struct duct_frame *frame,
				   const void *msg, u32 bytes, u32 times)
{
	mutex_lock(&link->lock);
	if (link->running) {
		while (times--)
			hostile_put(link->control, frame, msg, bytes);
		hostile_show(link->control);
	}
	mutex_unlock(&link->lock);
}

void hostile_control(struct duct_link *link, const void *msg, u32 bytes)
{
	const struct duct_frame frame = { .len = bytes, .type = DUCT_FRAME_MSG };

	hostile_control_frames(link, &frame, msg, bytes, 1);
}

u32 hostile_control_len(u32 type)
{
	static const u32 len[] = {
		[DUCT_CTL_HELLO] = sizeof(struct duct_ctl_hello),
		[DUCT_CTL_ANNOUNCE] = sizeof(struct duct_ctl_offer),
		[DUCT_CTL_WITHDRAW] = sizeof(struct duct_ctl_withdraw),
		[DUCT_CTL_BIND] = sizeof(struct duct_ctl_offer),
		[DUCT_CTL_UNBIND] = sizeof(struct duct_ctl_withdraw),
		[DUCT_CTL_OPEN] = sizeof(struct duct_ctl_open),
		[DUCT_CTL_CANCEL] = sizeof(struct duct_ctl_open),
		[DUCT_CTL_BOUND] = sizeof(struct duct_ctl_bound),
		[DUCT_CTL_REFUSED] = sizeof(struct duct_ctl_refused),
		[DUCT_CTL_CLOSE] = sizeof(struct duct_ctl_close),
		[DUCT_CTL_CLOSED] = sizeof(struct duct_ctl_close),
		[DUCT_CTL_CHUNK] = sizeof(struct duct_ctl_chunk),
		[DUCT_CTL_CHUNK_DONE] = sizeof(struct duct_ctl_done),
		[DUCT_CTL_DOOR] = sizeof(struct duct_ctl_door),
		[DUCT_CTL_DOOR_DONE] = sizeof(struct duct_ctl_done),
		[DUCT_CTL_GOODBYE] = sizeof(struct duct_ctl_goodbye),
		[DUCT_CTL_STAGE] = sizeof(struct duct_ctl_stage),
	};

	return type < ARRAY_SIZE(len) ? len[type] : 0;
}

static void attack_link(const struct attack *attack, struct duct_channel *ch)
{
	struct duct_link *link = to_duct_link(ch->dd->dev.parent);
	u32 len = attack->len ?: hostile_control_len(attack->msg.type);
	struct duct_frame frame = {
		.len = len,
		.type = attack->frame.type ?: DUCT_FRAME_MSG,
	};
	union duct_ctl msg = attack->msg;
	struct duct_slot *slot;
	u8 bytes[256] = { };

	rcu_read_lock();
	slot = hostile_slot_of(ch);
	if (slot && msg.type == DUCT_CTL_BOUND && msg.bound.slot == ATTACK_SLOT) {
		msg.bound.slot = slot->index;
	} else if (slot && msg.close.slot == ATTACK_SLOT) {
		msg.close.slot = slot->index;
		msg.close.generation = slot->generation;
	}
	rcu_read_unlock();
	if (msg.type >= DUCT_CTL_ANNOUNCE && msg.type <= DUCT_CTL_REFUSED && !*msg.offer.service.name)
		strscpy(msg.offer.service.name, ch->dd->service, sizeof(msg.offer.service.name));
	memcpy(bytes, &msg, sizeof(msg));
	hostile_control_frames(link, &frame, bytes, len, attack->twice ? 2 : 1);
}

/* An index moves, and the other end is told to look. */
static void attack_index(const struct attack *attack, struct duct_slot *slot)
{
	if (attack->prod)
		duct_peer_release32(&slot->tx.shared->prod, slot->tx.prod + attack->prod +
				    (attack->beyond ? slot->tx.size : 0));
	else
		duct_peer_release32(&slot->rx.shared->cons, slot->rx.cons + attack->cons);
	hostile_ring(slot);
}

static void attack_control_index(const struct attack *attack, struct duct_link *link)
{
	mutex_lock(&link->lock);
	if (link->running)
		attack_index(attack, link->control);
	mutex_unlock(&link->lock);
}

static void attack_channel(const struct attack *attack, struct duct_channel *ch, const void *data)
{
	struct duct_slot *slot;

	rcu_read_lock();
	slot = hostile_slot_of(ch);
	if (slot && (attack->prod || attack->cons))
		attack_index(attack, slot);
	else if (slot)
		hostile_frame(slot, &attack->frame, data, attack->bytes);
	rcu_read_unlock();
}

void attack_run(const struct attack *attack, struct duct_channel *ch, const void *data)
{
	if (!attack->why)
		attack_channel(attack, ch, data);
	else if (attack->prod)
		attack_control_index(attack, to_duct_link(ch->dd->dev.parent));
	else
		attack_link(attack, ch);
}
