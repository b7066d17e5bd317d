// SPDX-License-Identifier: GPL-2.0
/*
 * Resumable channels between two epochs. Such a channel is parked when an epoch ends: the
 * driver is told nothing, sends find no room. When both ends wish it again they compare
 * how far each was (resume.c): either both go on there, or the channel goes down and begins
 * anew. So it does when the peer is away for too long.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "park.h"

uint duct_resume_timeout = 300;
module_param_named(resume_timeout, duct_resume_timeout, uint, 0644);
MODULE_PARM_DESC(resume_timeout, "seconds that a resumable channel waits for its peer, and a parked link for its wire");

/**
 * struct duct_park - what only a resumable channel has
 * @keep: what it keeps
 * @ch: whose
 * @timeout: ends the run while it is parked
 */
struct duct_park {
	struct duct_keep keep;
	struct duct_channel_core *ch;
	struct delayed_work timeout;
};

static struct duct_park *duct_park_of(const struct duct_channel_core *ch)
{
	return container_of(ch->keep, struct duct_park, keep);
}

static void duct_park_timeout(struct work_struct *work)
{
	struct duct_park *park = container_of(to_delayed_work(work), struct duct_park, timeout);
	struct duct_channel_core *ch = park->ch;

	mutex_lock(&ch->link->lock);
	if (ch->parked) {
		if (duct_link_may_log(ch->link))
			dev_notice(&ch->pub.dd->dev, "channel %s was not resumed within %u s\n",
				   kobject_name(&ch->kobj), duct_resume_timeout);
		duct_channel_unwish(ch);
		duct_park_end(ch, -ECONNRESET);
		duct_channel_wish(ch);
	}
	mutex_unlock(&ch->link->lock);
}

/* At the end of duct_channel_new(). Return: 0 or -ENOMEM */
int duct_park_init(struct duct_channel_core *ch)
{
	struct duct_park *park;

	if (!(ch->cfg.flags & DUCT_RESUMABLE))
		return 0;
	park = kzalloc(sizeof(*park), GFP_KERNEL);
	if (!park)
		return -ENOMEM;
	park->ch = ch;
	INIT_DELAYED_WORK(&park->timeout, duct_park_timeout);
	ch->keep = &park->keep;
	return 0;
}

/* The channel was stopped, and is not parked any more. [sleep] */
void duct_park_stop(struct duct_channel_core *ch)
{
	if (ch->keep)
		cancel_delayed_work_sync(&duct_park_of(ch)->timeout);
}

void duct_park_free(struct duct_channel_core *ch)
{
	if (!ch->keep)
		return;
	kvfree(ch->keep->tx);
	kfree(duct_park_of(ch));
}

/* ---- parking ---- */

/*
 * The channel is losing its slot with @why. tx_lock and link->lock are held. Return: true if
 * it is parked: nobody is told
 */
bool duct_park_begin(struct duct_channel_core *ch, struct duct_slot *slot, int why)
{
	struct duct_keep *keep = ch->keep;

	lockdep_assert_held(&ch->tx_lock);
	if (!keep || !slot->tx.keep || why != -ECONNRESET || ch->tx_err ||
	    test_bit(DUCT_SLOT_FAULT, &slot->flags) || !to_duct_device_core(ch->pub.dd)->keep)
		return false;
	keep->kept = keep->sent - (u32)(slot->tx.prod - slot->tx.cons);
	ch->parked = true;
	ch->park_frozen = false;
	/* Room, and messages, will come. */
	ch->tx_err = -EAGAIN;
	ch->rx_err = -EAGAIN;
	mod_delayed_work(duct_wq, &duct_park_of(ch)->timeout, duct_resume_timeout * HZ);
	return true;
}

/*
 * Nothing moves on any more: what is at hand was taken if all of it was read. No reader is
 * in the old slot: a grace period has passed since it was. link->lock is held.
 */
void duct_park_freeze(struct duct_channel_core *ch)
{
	struct duct_keep *keep = ch->keep;

	lockdep_assert_held(&ch->link->lock);
	if (!ch->parked || ch->park_frozen)
		return;
	spin_lock_irq(&ch->tx_lock);
	if (ch->open && ch->open_serial == ch->serial) {
		if (ch->open_pos == ch->open_frame.len)
			keep->taken += duct_frame_bytes(ch->open_frame.len);
		else if (ch->cfg.flags & DUCT_STREAM)
			keep->skip = ch->open_pos;
	}
	ch->open = false;
	ch->park_frozen = true;
	spin_unlock_irq(&ch->tx_lock);
}

/* The reader is done with a message whose slot is gone. [any, one] */
void duct_park_release(struct duct_channel_core *ch, const struct duct_msg *msg)
{
	unsigned long irq;

	spin_lock_irqsave(&ch->tx_lock, irq);
	if (ch->parked && !ch->park_frozen && ch->open && msg->serial == ch->serial &&
	    !ch->open_lost && (!(ch->cfg.flags & DUCT_STREAM) || !msg->len)) {
		ch->keep->taken += duct_frame_bytes(ch->open_frame.len);
		ch->open = false;
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
}

/* The run is over: the driver is told that the channel is down. link->lock is held. */
void duct_park_end(struct duct_channel_core *ch, int why)
{
	lockdep_assert_held(&ch->link->lock);
	if (!ch->parked)
		return;
	spin_lock_irq(&ch->tx_lock);
	ch->parked = false;
	ch->open = false;
	ch->keep->cookie = 0;
	ch->tx_err = why;
	ch->rx_err = why;
	spin_unlock_irq(&ch->tx_lock);
	ch->why = why;
	duct_channel_went_down(ch);
}

/* ---- and going on ---- */

/*
 * Frontend: both ends' wishes are known, and agreed on but for where the rings begin.
 * Fills that in.
 */
void duct_park_agree(struct duct_channel_core *ch, const struct duct_ctl_wish *wish,
		     struct duct_ctl_bound *msg)
{
	struct duct_keep *keep = ch->keep;

	msg->to_back.start = duct_start_index;
	msg->to_front.start = duct_start_index;
	if (!(msg->flags & DUCT_WISH_RESUMABLE))
		return;
	if (ch->parked && ch->pub.max_msg == msg->max_msg &&
	    duct_keep_agree(keep, &wish->point, msg))
		return;
	do {
		msg->point.cookie = get_random_u64();
	} while (!msg->point.cookie);
	msg->point.sent = duct_start_index;
	msg->point.kept = duct_start_index;
	msg->point.taken = duct_start_index;
}

/*
 * Backend: whether BOUND can be followed. Return: 0; -ENOENT: it answers a wish that is not
 * made any more; -EPROTO
 */
int duct_park_check(const struct duct_channel_core *ch, const struct duct_ctl_bound *msg)
{
	const struct duct_keep *keep = ch->keep;

	if (msg->flags & DUCT_WISH_RESUMABLE && !keep)
		return -ENOENT;
	if (!(msg->flags & DUCT_WISH_RESUMED))
		return 0;
	if (!ch->parked)
		return -ENOENT;
	return ch->pub.max_msg == msg->max_msg && duct_keep_follows(keep, msg) ? 0 : -EPROTO;
}

static int duct_park_room(struct duct_keep *keep, u32 tx_bytes)
{
	if (keep->tx_bytes == tx_bytes)
		return 0;
	kvfree(keep->tx);
	keep->tx_bytes = 0;
	keep->tx = kvzalloc(tx_bytes, GFP_KERNEL);
	if (!keep->tx)
		return -ENOMEM;
	keep->tx_bytes = tx_bytes;
	return 0;
}

/*
 * Both: the slot's rings are there, nobody uses them yet. Return: 0; -ENOMEM: the run that
 * was parked, if there was one, is over
 */
int duct_park_bind(struct duct_channel_core *ch, struct duct_slot *slot,
		   const struct duct_ctl_bound *msg)
{
	struct duct_keep *keep = ch->keep;

	lockdep_assert_held(&ch->link->lock);
	if (!(msg->flags & DUCT_WISH_RESUMED))
		duct_park_end(ch, -ECONNRESET);
	if (!(msg->flags & DUCT_WISH_RESUMABLE))
		return 0;
	if (!(msg->flags & DUCT_WISH_RESUMED)) {
		if (duct_park_room(keep, slot->tx.size))
			return -ENOMEM;
		keep->rx_bytes = slot->rx.size;
		duct_keep_begin(keep, msg->point.cookie, slot->tx.prod, slot->rx.cons);
	}
	slot->tx.keep = keep->tx;
	if (msg->flags & DUCT_WISH_RESUMED)
		duct_tx_again(&slot->tx, keep->sent);
	return 0;
}
