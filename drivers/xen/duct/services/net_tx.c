// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: each frame is written into the ring and is free at once. What the peer has
 * taken is known by looking at the room in the ring, after each batch; an event for
 * room is asked for only when the queue has stopped.
 *
 * All of it runs with the queue's tx lock held.
 */
#include "net.h"

/* A peer that reads nothing for so long has its frames dropped: others wait for that memory. */
#define NET_STALL	(10 * HZ)

/* Of a message in the ring: its header, and what it is rounded up to. */
#define NET_FRAME	16u

/* Bytes of the ring that a message takes, but for pads. */
static u32 duct_net_ring_bytes(u32 len)
{
	return ALIGN(len + NET_FRAME, NET_FRAME);
}

/* Whether BQL lets no more in. */
static bool duct_net_tx_enough(const struct netdev_queue *txq)
{
	return test_bit(__QUEUE_STATE_STACK_XOFF, &txq->state);
}

/* Tells BQL what the peer has taken. Return: whether that is anything */
static bool duct_net_tx_taken(struct duct_net_queue *q, struct netdev_queue *txq, u32 room)
{
	u32 flight = q->ch->tx_bytes - room;

	if (flight >= q->flight)
		return false;
	netdev_tx_completed_queue(txq, 1, q->flight - flight);
	q->flight = flight;
	return true;
}

/*
 * Brings both reasons for the queue to be stopped in line with the ring. If it is
 * stopped after this writable() will be told.
 */
static void duct_net_tx_settle(struct duct_net_queue *q, struct netdev_queue *txq)
{
	u32 room, tries = 32;
	bool any = false;

	/*
	 * For BQL half of what is in flight: then the rest is read while we send. Where that
	 * came meanwhile nothing is armed: look again, each time for half as much; in vain
	 * only if the channel went down, and down() is about to be told.
	 */
	do {
		room = duct_room(q->ch);
		any |= duct_net_tx_taken(q, txq, room);
	} while (duct_net_tx_enough(txq) &&
		 duct_has_room(q->ch, q->ch->tx_bytes - q->flight / 2) && --tries);
	/* With room for a pad as well there is no question. */
	if (room < 2 * (NET_MSG_MAX + NET_FRAME) && !duct_writable(q->ch, NET_MSG_MAX))
		netif_tx_stop_queue(txq);
	else if (netif_tx_queue_stopped(txq))
		netif_tx_wake_queue(txq);
	if (likely(!netif_xmit_stopped(txq))) {
		if (timer_pending(&q->stall))
			timer_delete(&q->stall);
	} else if (any || !timer_pending(&q->stall)) {
		mod_timer(&q->stall, jiffies + NET_STALL);
	}
}

/* writable() was told. NAPI */
void duct_net_tx_writable(struct duct_net_queue *q)
{
	struct netdev_queue *txq = duct_net_txq(q);

	__netif_tx_lock(txq, smp_processor_id());
	duct_net_tx_settle(q, txq);
	__netif_tx_unlock(txq);
}

/* A new ring, or none: nothing is in flight. */
void duct_net_tx_reset(struct duct_net_queue *q)
{
	struct netdev_queue *txq = duct_net_txq(q);

	__netif_tx_lock_bh(txq);
	timer_delete(&q->stall);
	q->flight = 0;
	q->stalled = false;
	netdev_tx_reset_queue(txq);
	netif_tx_wake_queue(txq);
	__netif_tx_unlock_bh(txq);
}

/*
 * As netback does: what others have sent to a peer that is stuck is not kept for ever.
 * No ndo_tx_timeout: the stack would warn, and no peer may make it do that.
 */
void duct_net_tx_stalled(struct timer_list *timer)
{
	struct duct_net_queue *q = from_timer(q, timer, stall);
	struct netdev_queue *txq = duct_net_txq(q);

	__netif_tx_lock(txq, smp_processor_id());
	if (netif_xmit_stopped(txq)) {
		q->stalled = true;
		q->stall_room = duct_room(q->ch);
		q->flight = 0;
		netdev_tx_reset_queue(txq);
		netif_tx_wake_queue(txq);
	}
	__netif_tx_unlock(txq);
}

/* Whether the peer has read since the queue stalled: nothing was sent since. */
static bool duct_net_tx_moves(struct duct_net_queue *q)
{
	if (duct_room(q->ch) == q->stall_room)
		return false;
	q->stalled = false;
	return true;
}

static netdev_tx_t duct_net_tx_drop(struct duct_net_queue *q, struct sk_buff *skb)
{
	u64_stats_update_begin(&q->tx.sync);
	u64_stats_inc(&q->tx.dropped);
	u64_stats_update_end(&q->tx.sync);
	/* It may have been the last of a batch, and the others wait to be shown. */
	if (q->ch)
		duct_publish(q->ch);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static void duct_net_tx_count(struct duct_net_queue *q, const struct netdev_queue *txq, u32 len)
{
	u64_stats_update_begin(&q->tx.sync);
	u64_stats_inc(&q->tx.packets);
	u64_stats_add(&q->tx.bytes, len);
	if (netif_xmit_stopped(txq))
		u64_stats_inc(&q->tx.stops);
	u64_stats_update_end(&q->tx.sync);
}

netdev_tx_t duct_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct duct_net *net = netdev_priv(dev);
	struct duct_net_queue *q = &net->queue[skb_get_queue_mapping(skb)];
	u32 len = sizeof(struct virtio_net_hdr) + skb->len;
	struct netdev_queue *txq = duct_net_txq(q);
	struct virtio_net_hdr hdr;
	bool show;
	u8 *p;

	if (unlikely(!q->ch || virtio_net_hdr_from_skb(skb, &hdr, true, true, 0) ||
		     (q->stalled && !duct_net_tx_moves(q))))
		return duct_net_tx_drop(q, skb);
	p = duct_reserve(q->ch, len);
	if (IS_ERR(p)) {
		if (PTR_ERR(p) != -EAGAIN)
			return duct_net_tx_drop(q, skb);
		duct_net_tx_settle(q, txq);
		return NETDEV_TX_BUSY;
	}
	memcpy(p, &hdr, sizeof(hdr));
	if (unlikely(skb_copy_bits(skb, 0, p + sizeof(hdr), skb->len))) {
		duct_abort(q->ch, p);
		return duct_net_tx_drop(q, skb);
	}
	q->flight += duct_net_ring_bytes(len);
	show = __netdev_tx_sent_queue(txq, duct_net_ring_bytes(len), netdev_xmit_more());
	skb_tx_timestamp(skb);
	duct_commit(q->ch, p, len, show ? 0 : DUCT_MORE);
	/* The next may not fit: this one, two pads and the next are the worst case. */
	if (show || q->flight + 3 * NET_MSG_MAX > q->ch->tx_bytes)
		duct_net_tx_settle(q, txq);
	duct_net_tx_count(q, txq, skb->len);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

/* The peer would refuse a checksum so far behind. */
netdev_features_t duct_net_features_check(struct sk_buff *skb, struct net_device *dev,
					  netdev_features_t features)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    skb_checksum_start_offset(skb) + skb->csum_offset + sizeof(__sum16) > NET_CSUM_MAX)
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	return vlan_features_check(skb, features);
}
