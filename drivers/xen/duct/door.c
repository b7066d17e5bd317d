// SPDX-License-Identifier: GPL-2.0
/*
 * Doors: one event channel, and a bitmap of the channels that have something.
 *
 * The protocol, and why no wake-up is lost, is in Documentation/protocol.rst;
 * the other half of each pair of fences is in ring.c.
 */
#include "chunk.h"
#include "core.h"

#include <asm/sync_bitops.h>

#include "trace.h"

/* Takes a word of our table; reading first keeps idle words shared. */
static u64 duct_door_take(u64 __peer *word)
{
	if (!duct_peer_read64(word))
		return 0;
	return xchg((u64 __force *)word, 0);
}

/*
 * An end that begins to listen drops the bits that came before, or the peer would
 * raise no event for them again; who looks once after this loses nothing.
 */
static void duct_door_drop(struct duct_door_table __peer *in, u32 word, u32 end)
{
	/*
	 * What makes an event look at these words before the words: pairs with the peer, which
	 * sets a bit and then raises the event that finds it.
	 */
	virt_mb();
	for (; word < end; word++)
		duct_door_take(&in->bits[word]);
}

/* An event from here on finds the table. [sleep] */
static void duct_door_listen(struct duct_door *door, struct duct_door_table __peer *in)
{
	WRITE_ONCE(door->in, in);
	duct_door_drop(in, 0, DUCT_SLOTS / 64);
}

/* An event from here on finds the slot's bit; before, nobody looked that far. [sleep] */
void duct_doors_cover(struct duct_link *link, u32 slot)
{
	u32 i, old = link->door_words, words = slot / 64 + 1;

	lockdep_assert_held(&link->lock);
	if (words <= old)
		return;
	WRITE_ONCE(link->door_words, words);
	for (i = 0; i < DUCT_DOORS; i++)
		if (link->door[i].in)
			duct_door_drop(link->door[i].in, old, words);
}

/* Door 0: its tables are in the control page, its event channel is the wire's. [sleep] */
void duct_doors_start(struct duct_link *link, struct duct_control_page __peer *page)
{
	bool front = duct_link_is_front(link);

	link->doors = 1;
	link->door_words = 1;
	link->doors_most = min3(duct_max_doors, num_online_cpus(), DUCT_DOORS);
	link->door_msg.type = 0;
	link->door[0].usable = true;
	link->door[0].out = front ? &page->door_to_back : &page->door_to_front;
	duct_door_listen(&link->door[0], front ? &page->door_to_front : &page->door_to_back);
}

/* The end of an epoch: nothing is looked at behind the doors above 0. [sleep] */
void duct_doors_deaf(struct duct_link *link)
{
	u32 i;

	lockdep_assert_held(&link->lock);
	for (i = 1; i < DUCT_DOORS; i++)
		WRITE_ONCE(link->door[i].in, NULL);
}

static void duct_door_end(struct duct_link *link, u32 number)
{
	struct duct_door *door = &link->door[number];

	link->ops->door_end(link->wire, number);
	link->doors -= door->usable;
	door->usable = false;
	WRITE_ONCE(door->in, NULL);
	door->out = NULL;
}

/* After duct_doors_deaf() and a grace period: no writer rings them any more. [sleep] */
void duct_doors_end(struct duct_link *link)
{
	u32 i;

	lockdep_assert_held(&link->lock);
	for (i = 1; i < DUCT_DOORS; i++)
		if (link->door[i].out)
			duct_door_end(link, i);
}

/* ---- further doors: one per CPU, while there are channels for them ---- */

static int duct_door_emit(struct duct_link *link, struct duct_out *out)
{
	return duct_link_send(link, &link->door_msg);
}

void duct_doors_init(struct duct_link *link)
{
	INIT_LIST_HEAD(&link->door_out.node);
	link->door_out.emit = duct_door_emit;
}

/* Frontend: the door with the fewest channels. */
u32 duct_door_pick(struct duct_link *link)
{
	u32 i, best = 0;

	lockdep_assert_held(&link->lock);
	for (i = 1; i < DUCT_DOORS; i++)
		if (link->door[i].usable && link->door[i].channels < link->door[best].channels)
			best = i;
	return best;
}

/**
 * duct_door_offer() - frontend: one more door, if each has a channel
 * @link: running
 *
 * Best effort: where there is no memory or event channel for it, or the backend
 * wants no more, the doors there are do. link->lock is held; sleeps.
 */
void duct_door_offer(struct duct_link *link)
{
	struct duct_ctl_door *msg = &link->door_msg.door;
	u32 number = link->doors;
	struct duct_door *door = &link->door[number];
	struct duct_door_table __peer *tables;
	struct duct_chunk *chunk;
	u32 offset;

	lockdep_assert_held(&link->lock);
	if (msg->type || number >= link->doors_most || link->channels < number)
		return;
	if (!duct_chunk_find(link, 2 * sizeof(*tables), &chunk, &offset))
		return;
	memset(msg, 0, sizeof(*msg));
	if (link->ops->door_make(link->wire, number, &msg->port)) {
		duct_chunk_free(chunk, offset, 2 * sizeof(*tables));
		link->doors_most = number;
		return;
	}
	tables = (struct duct_door_table __peer *)(chunk->base + offset);
	duct_peer_zero(tables, 2 * sizeof(*tables));
	msg->type = DUCT_CTL_DOOR;
	msg->door = number;
	msg->chunk = chunk->id;
	msg->offset = offset;
	door->out = &tables[0];
	WRITE_ONCE(door->in, &tables[1]);
	duct_link_out(link, &link->door_out);
}

/* Frontend: DOOR_DONE came. Return: NULL or how it breaks the protocol */
const char *duct_door_done(struct duct_link *link, const struct duct_ctl_done *msg)
{
	const struct duct_ctl_door *asked = &link->door_msg.door;

	if (!asked->type || asked->door != msg->id || !list_empty(&link->door_out.node))
		return "a door that nobody offered";
	if (msg->status) {
		/* No channel was ever behind it. */
		duct_door_end(link, asked->door);
		duct_chunk_free(link->chunks[asked->chunk], asked->offset,
				2 * sizeof(struct duct_door_table));
		link->doors_most = asked->door;
	} else {
		link->door[asked->door].usable = true;
		link->doors++;
	}
	link->door_msg.type = 0;
	duct_door_offer(link);
	return NULL;
}

/* Backend: DOOR came. Return: NULL or how it breaks the protocol */
const char *duct_door_receive(struct duct_link *link, const struct duct_ctl_door *msg)
{
	u32 number = array_index_nospec(msg->door, DUCT_DOORS);
	struct duct_door *door = &link->door[number];
	struct duct_door_table __peer *tables;
	int err = -EDQUOT;

	tables = (struct duct_door_table __peer *)duct_chunk_at(link, msg->chunk, msg->offset,
								2 * sizeof(*tables));
	if (!tables)
		return "a door outside the arena";
	if (door->out)
		return "a door that is there already";
	if (link->doors < link->doors_most) {
		duct_door_listen(door, &tables[0]);
		err = link->ops->door_bind(link->wire, number, msg->port);
		if (err)
			WRITE_ONCE(door->in, NULL);
	}
	if (!err) {
		door->out = &tables[1];
		door->usable = true;
		link->doors++;
	}
	return duct_done_out(link, DUCT_CTL_DOOR_DONE, number, err ? 1 : 0) ?
	       "more doors than there are" : NULL;
}

/* ---- ringing, and being rung ---- */

/*
 * Tells the peer that the slot has something. The slot is held by tx_lock, RCU
 * or link->lock. Per bit, never per word: a word that is not empty says nothing
 * about whether the peer has seen this bit. [any]
 *
 * Return: true if that took an event; false: the bit was set already
 */
bool duct_door_ring(struct duct_slot *slot)
{
	struct duct_link *link = slot->link;
	unsigned long *bits = (unsigned long __force *)link->door[slot->door].out->bits;

	/* A full barrier on its own, and locked on a UP kernel too: sync_. */
	if (sync_test_and_set_bit(slot->index, bits))
		return false;
	atomic64_inc(&link->stats.rung);
	trace_duct_ring(link->id, slot->index);
	link->ops->notify(link->wire, slot->door);
	return true;
}

/*
 * Has the peer moved an index since the last event for the slot? If not, it has told of nothing:
 * who publishes, or gives room back, moves one before it rings.
 */
static bool duct_slot_moved(struct duct_slot *slot)
{
	u32 prod = duct_peer_read32(&slot->rx.shared->prod);
	u32 cons = duct_peer_read32(&slot->tx.shared->cons);
	bool moved = prod != READ_ONCE(slot->seen_prod) || cons != READ_ONCE(slot->seen_cons);

	WRITE_ONCE(slot->seen_prod, prod);
	WRITE_ONCE(slot->seen_cons, cons);
	return moved;
}

/*
 * Would who is woken find something to do? From what is there, not from what moved: an index
 * is where it was once 2^32 bytes have come between two events. What is looked at here was
 * written before the credit was given.
 */
static bool duct_slot_worth(const struct duct_slot *slot, const struct duct_channel_core *ch)
{
	if (duct_rx_pending(&slot->rx))
		return true;
	return ch ? READ_ONCE(ch->tx_want) : !list_empty(&slot->link->out);
}

/*
 * A bit without credit is one that we did not ask for: it is dropped, since that channel's
 * worker is queued or running and looks again before it sleeps. Nor does one wake anybody who
 * would find nothing: the credit stays then, or 250 events a second would be as many runs of
 * a worker, each for nothing. Return: true if there was something behind the bit
 */
static bool duct_slot_event(struct duct_slot *slot)
{
	struct duct_channel_core *ch;
	bool real;

	if (!atomic_xchg(&slot->credit, 0))
		return false;
	real = duct_slot_moved(slot);
	ch = READ_ONCE(slot->ch);
	/* The channel has let go of it. */
	if (!ch && slot->index != DUCT_SLOT_CONTROL)
		return real;
	while (!duct_slot_worth(slot, ch)) {
		atomic_set(&slot->credit, 1);
		/* Given back, and only then looked at again: who found none counted on us. */
		virt_mb();
		if (!duct_slot_worth(slot, ch) || !atomic_xchg(&slot->credit, 0))
			return real;
	}
	if (ch)
		duct_channel_event(ch);
	else
		duct_link_kick(slot->link);
	return true;
}

/**
 * duct_link_event() - an event of the wire came
 * @link: which
 * @number: of the door
 *
 * Gives work to whom the peer named. Called in hard irq by the wire, until after
 * duct_link_stop().
 *
 * Return: false if nothing was welcome, or nothing was behind it: the event was spurious
 */
bool duct_link_event(struct duct_link *link, u32 number)
{
	struct duct_door *door = &link->door[number];
	struct duct_door_table __peer *in;
	bool real = false;
	u32 word, words;

	rcu_read_lock();
	door->events++;
	in = READ_ONCE(door->in);
	words = in ? READ_ONCE(link->door_words) : 0;
	for (word = 0; word < words; word++) {
		u64 bits = duct_door_take(&in->bits[word]);

		while (bits) {
			u32 bit = __ffs64(bits);
			struct duct_slot *slot = rcu_dereference(link->slots[word * 64 + bit]);

			bits &= bits - 1;
			if (slot)
				real |= duct_slot_event(slot);
		}
	}
	if (!real)
		door->spurious++;
	rcu_read_unlock();
	trace_duct_event(link->id, real);
	return real;
}
EXPORT_SYMBOL_GPL(duct_link_event);
