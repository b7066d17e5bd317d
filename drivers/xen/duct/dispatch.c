// SPDX-License-Identifier: GPL-2.0
/*
 * The control ring: one work per link reads what came, sends what is due, and
 * never calls a driver. What is due is a list of struct duct_out, nearly each
 * embedded in what it is about: a full ring delays, it loses nothing and needs no memory.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "chunk.h"
#include "core.h"
#include "slot.h"
#include "trace.h"

const char * const duct_no_memory = "no memory";
const char * const duct_blamed = "the peer says that this end broke the protocol";
EXPORT_SYMBOL_GPL(duct_blamed);

/* Runs the link's work soon. [any] */
void duct_link_kick(struct duct_link *link)
{
	queue_work(duct_wq, &link->work);
}

/* Puts something on the list of what is due, unless it is there. */
void duct_link_out(struct duct_link *link, struct duct_out *out)
{
	lockdep_assert_held(&link->lock);
	if (!link->running)
		return;
	if (list_empty(&out->node))
		list_add_tail(&out->node, &link->out);
	duct_link_kick(link);
}

/* Forgets all that is due. */
void duct_link_drop_out(struct duct_link *link)
{
	lockdep_assert_held(&link->lock);
	while (!list_empty(&link->out)) {
		struct duct_out *out = list_first_entry(&link->out, struct duct_out, node);

		list_del_init(&out->node);
		if (out->drop)
			out->drop(out);
	}
}

/*
 * Writes one message; published at the end of the run.
 * Return: 0, -EAGAIN when the ring is full; -EPROTO
 */
int duct_link_send(struct duct_link *link, const union duct_ctl *msg)
{
	struct duct_slot *slot = link->control;
	const struct duct_frame frame = {
		.len = duct_ctl_len(msg->type),
		.type = DUCT_FRAME_MSG,
	};
	int err;
	u32 at;

	lockdep_assert_held(&link->lock);
	err = duct_tx_reserve(&slot->tx, frame.len, 0, &at);
	if (err)
		return err;
	duct_peer_copy_out(duct_tx_payload(&slot->tx, at), msg, frame.len);
	duct_tx_commit(&slot->tx, at, &frame);
	link->stats.control_out++;
	return 0;
}

/* A message that may outlive what it is about. */
struct duct_post {
	struct duct_out out;
	union duct_ctl msg;
};

static void duct_post_drop(struct duct_out *out)
{
	kfree(container_of(out, struct duct_post, out));
}

static int duct_post_emit(struct duct_link *link, struct duct_out *out)
{
	struct duct_post *post = container_of(out, struct duct_post, out);
	int err = duct_link_send(link, &post->msg);

	if (err != -EAGAIN)
		kfree(post);
	return err;
}

/* Puts a copy of a message on the list of what is due. Return: 0 or -ENOMEM */
int duct_link_post(struct duct_link *link, const union duct_ctl *msg)
{
	struct duct_post *post;

	lockdep_assert_held(&link->lock);
	if (!link->running)
		return 0;
	post = kzalloc(sizeof(*post), GFP_KERNEL);
	if (!post)
		return -ENOMEM;
	INIT_LIST_HEAD(&post->out.node);
	post->out.emit = duct_post_emit;
	post->out.drop = duct_post_drop;
	post->msg = *msg;
	duct_link_out(link, &post->out);
	return 0;
}

static int duct_emit_hello(struct duct_link *link, struct duct_out *out)
{
	const union duct_ctl msg = {
		.hello = {
			.type = DUCT_CTL_HELLO,
			.epoch = link->epoch,
			.incarnation = link->incarnation,
			.peer_incarnation = link->peer_incarnation,
		},
	};
	int err = duct_link_send(link, &msg);

	if (!err)
		link->said_hello = true;
	return err;
}

static int duct_emit_bye(struct duct_link *link, struct duct_out *out)
{
	const union duct_ctl msg = {
		.goodbye = {
			.type = DUCT_CTL_GOODBYE,
			.reason = link->fault ? DUCT_GOODBYE_BROKEN : DUCT_GOODBYE_NORMAL,
		},
	};
	int err = duct_link_send(link, &msg);

	if (!err)
		link->goodbye_out = true;
	return err;
}

/*
 * Ends everything in flight with @why and lets go of the arena; only the
 * control page is in use after that, and pages that the peer lent, where a driver has
 * them mapped. Sleeps for a grace period.
 */
void duct_link_quiesce(struct duct_link *link, int why)
{
	lockdep_assert_held(&link->lock);
	link->greeted = false;
	link->starved = 0;
	duct_link_drop_out(link);
	duct_services_stop(link);
	duct_slot_reset_all(link, why);
	duct_doors_deaf(link);
	synchronize_rcu();
	synchronize_srcu(&link->mapping);
	duct_slot_bury_all(link);
	duct_doors_end(link);
	duct_stage_end(link);
	if (!duct_link_is_front(link))
		duct_chunk_release_all(link);
}

static const char *duct_receive_hello(struct duct_link *link, const struct duct_ctl_hello *msg)
{
	if (msg->incarnation != link->peer_incarnation) {
		/* Written by a life of the peer that has ended; the wire will see. */
		link->stats.stale++;
		return NULL;
	}
	if (msg->peer_incarnation != link->incarnation)
		return "hello for another incarnation";
	if (!duct_link_is_front(link)) {
		link->epoch = msg->epoch;
		duct_link_out(link, &link->hello);
	} else if (msg->epoch != link->epoch) {
		return "hello for another epoch";
	}
	link->greeted = true;
	trace_duct_epoch(link->id, link->epoch, true);
	dev_dbg(&link->dev, "epoch %u with dom%u is up\n", link->epoch, link->peer);
	duct_service_up_all(link);
	return NULL;
}

static const char *duct_receive_goodbye(struct duct_link *link,
					const struct duct_ctl_goodbye *msg)
{
	if (msg->reason == DUCT_GOODBYE_BROKEN && !link->fault) {
		link->fault = duct_blamed;
		if (duct_link_may_log(link))
			dev_err(&link->dev, "dom%u says that this end broke the protocol\n",
				link->peer);
	}
	link->goodbye_in = true;
	if (!link->goodbye_out && list_empty(&link->bye.node)) {
		duct_link_quiesce(link, -ECONNRESET);
		duct_link_out(link, &link->bye);
	}
	complete_all(&link->goodbye);
	link->ops->fault(link->wire);
	return NULL;
}

static const char *duct_chunk_errno(int err)
{
	return err ? "a chunk out of order" : NULL;
}

static const char *duct_dispatch(struct duct_link *link, const union duct_ctl *msg)
{
	switch (msg->type) {
	case DUCT_CTL_ANNOUNCE:
	case DUCT_CTL_WITHDRAW:
	case DUCT_CTL_BIND:
	case DUCT_CTL_UNBIND:
	case DUCT_CTL_OPEN:
	case DUCT_CTL_CANCEL:
	case DUCT_CTL_REFUSED:
		return duct_service_receive(link, msg);
	case DUCT_CTL_BOUND:
		return duct_slot_receive_bound(link, &msg->bound);
	case DUCT_CTL_CLOSE:
		return duct_slot_receive_close(link, &msg->close);
	case DUCT_CTL_CLOSED:
		return duct_slot_receive_closed(link, &msg->close);
	case DUCT_CTL_CHUNK:
		return duct_chunk_errno(duct_chunk_receive(link, &msg->chunk));
	case DUCT_CTL_CHUNK_DONE:
		return duct_chunk_errno(duct_chunk_done(link, &msg->done));
	case DUCT_CTL_DOOR:
		return duct_door_receive(link, &msg->door);
	case DUCT_CTL_STAGE:
		return duct_stage_receive(link, &msg->stage);
	case DUCT_CTL_DOOR_DONE:
		return duct_door_done(link, &msg->done);
	}
	return "an unknown message";
}

/* Well formed: in order, and understood? Return: NULL or how it breaks the protocol */
static const char *duct_receive_msg(struct duct_link *link, const union duct_ctl *msg)
{
	if (link->goodbye_in)
		return "a message after goodbye";
	if (msg->type == DUCT_CTL_GOODBYE)
		return duct_receive_goodbye(link, &msg->goodbye);
	if (link->goodbye_out || !list_empty(&link->bye.node)) {
		link->stats.stale++;	/* it had not heard yet */
		return NULL;
	}
	if (msg->type == DUCT_CTL_HELLO)
		return link->greeted ? "a second hello" : duct_receive_hello(link, &msg->hello);
	return link->greeted ? duct_dispatch(link, msg) : "a message before hello";
}

/* What a message came to: the link goes on, or is broken, or waits for memory. */
static void duct_received(struct duct_link *link, const union duct_ctl *msg, const char *why)
{
	if (why == duct_no_memory) {
		link->starved_msg = *msg;
		mod_delayed_work(duct_wq, &link->tick,
				 min(max(1, HZ / 50) << link->starved, HZ));
		link->starved = min(link->starved + 1, 6u);
		return;
	}
	link->starved = 0;
	if (why) {
		dev_dbg(&link->dev, "%s: %s\n", duct_ctl_name(msg->type), why);
		duct_link_break(link, why);
	}
}

static void duct_receive_one(struct duct_link *link, const struct duct_frame *frame)
{
	struct duct_slot *slot = link->control;
	union duct_ctl msg = {};
	const char *why;

	if (frame->type != DUCT_FRAME_MSG) {
		duct_link_break(link, "no message on the control ring");
		return;
	}
	duct_peer_copy_in(&msg, duct_rx_payload(&slot->rx), min_t(u32, frame->len, sizeof(msg)));
	duct_rx_take(&slot->rx, frame);
	link->stats.control_in++;
	why = duct_ctl_check(&msg, frame->len, !duct_link_is_front(link));
	duct_received(link, &msg, why ?: duct_receive_msg(link, &msg));
}

/* Once more what there was no memory for; nothing behind it is read before. */
static void duct_receive_again(struct duct_link *link)
{
	union duct_ctl msg = link->starved_msg;

	duct_received(link, &msg, duct_receive_msg(link, &msg));
}

/*
 * The ring is full, and @out has more to say, or all: it is due again before the peer may tell
 * of room, since who hears of that looks whether anything is due.
 * Return: 0: the peer will say when there is room; 1: there is; -EPROTO
 */
static int duct_flush_wait(struct duct_link *link, struct duct_out *out)
{
	struct duct_slot *slot = link->control;

	if (list_empty(&out->node))
		list_add(&out->node, &link->out);
	/* The peer gives no space back for what it has not seen. */
	if (duct_tx_publish(&slot->tx))
		duct_door_ring(slot);
	/* After the list: pairs with atomic_xchg() in duct_slot_event(). */
	atomic_set_release(&slot->credit, 1);
	/* Twice the longest frame covers a pad as well. */
	return duct_tx_arm(&slot->tx, duct_ring_need(DUCT_CTL_MAX));
}

/* Sends what is due until the ring is full. */
static void duct_flush(struct duct_link *link)
{
	while (!list_empty(&link->out)) {
		struct duct_out *out = list_first_entry(&link->out, struct duct_out, node);
		int err;

		list_del_init(&out->node);
		err = out->emit(link, out);
		if (err == -EAGAIN) {
			err = duct_flush_wait(link, out);
			if (!err)
				return;
		}
		if (err < 0) {
			duct_link_break(link, "indexes of the control ring");
			/* Not even goodbye can be said on a broken ring. */
			duct_link_drop_out(link);
			return;
		}
	}
	if (duct_tx_publish(&link->control->tx))
		duct_door_ring(link->control);
}

/* Reads what came. Return: true if there may be more */
static bool duct_receive(struct duct_link *link)
{
	struct duct_slot *slot = link->control;
	struct duct_frame frame;
	int budget = DUCT_BUDGET;
	int err;

	if (link->starved)
		duct_receive_again(link);
	while (!link->fault && !link->starved) {
		err = duct_rx_peek(&slot->rx, &frame);
		if (!err) {
			if (!budget--)
				return true;
			duct_receive_one(link, &frame);
			continue;
		}
		if (err == -EAGAIN) {
			if (duct_rx_return(&slot->rx))
				duct_door_ring(slot);
			atomic_set(&slot->credit, 1);
			err = duct_rx_arm(&slot->rx);
			if (!err)
				return false;
		}
		if (err < 0)
			duct_link_break(link, "indexes or frame of the control ring");
	}
	return false;
}

static void duct_link_work(struct work_struct *work)
{
	struct duct_link *link = container_of(work, struct duct_link, work);
	bool more = false;

	mutex_lock(&link->lock);
	if (link->running) {
		duct_slot_handle_news(link);
		more = duct_receive(link);
		duct_flush(link);
	}
	mutex_unlock(&link->lock);
	if (more)
		duct_link_kick(link);
}

/* Bounded waits: slots that drain, slots whose memory readers may see, and for memory. */
static void duct_link_tick(struct work_struct *work)
{
	struct duct_link *link = container_of(to_delayed_work(work), struct duct_link, tick);

	mutex_lock(&link->lock);
	if (link->running)
		duct_slot_drain_tick(link);
	if (link->running && link->starved)
		duct_link_kick(link);
	mutex_unlock(&link->lock);
}

void duct_dispatch_init(struct duct_link *link)
{
	INIT_WORK(&link->work, duct_link_work);
	INIT_DELAYED_WORK(&link->tick, duct_link_tick);
	INIT_LIST_HEAD(&link->hello.node);
	INIT_LIST_HEAD(&link->bye.node);
	link->hello.emit = duct_emit_hello;
	link->bye.emit = duct_emit_bye;
}

/* The first messages of an epoch: the frontend begins. */
void duct_dispatch_start(struct duct_link *link)
{
	if (duct_link_is_front(link))
		duct_link_out(link, &link->hello);
	else
		duct_link_kick(link);
}
