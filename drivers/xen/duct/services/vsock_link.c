// SPDX-License-Identifier: GPL-2.0
/* What carries packets of AF_VSOCK over a link, and what it takes of the peer's. */
#include <linux/hashtable.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "vsock.h"

#define DUCT_VSOCK_BUDGET	64	/* frames in a row, then others have their turn */

/* Payload of one buffer: larger ones would need memory that is hard to get in one piece. */
#define DUCT_VSOCK_PIECE	(SKB_WITH_OVERHEAD(PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER) - \
				 VIRTIO_VSOCK_SKB_HEADROOM)

static DEFINE_HASHTABLE(duct_vsock_links, 6);	/* by cid, under RCU */
static DEFINE_MUTEX(duct_vsock_lock);		/* changes of it, and duct_vsock_own */
static u32 duct_vsock_own = VMADDR_CID_ANY;
static struct workqueue_struct *duct_vsock_wq;

/* The link to @cid, if it is up. RCU is held. */
struct duct_vsock *duct_vsock_find(u32 cid)
{
	struct duct_vsock *vs;

	hash_for_each_possible_rcu(duct_vsock_links, vs, node, cid,
				   lockdep_is_held(&duct_vsock_lock))
		if (vs->cid == cid)
			return vs;
	return NULL;
}

/* Own context id, or VMADDR_CID_ANY: only a link tells it. [any] */
u32 duct_vsock_self(void)
{
	return READ_ONCE(duct_vsock_own);
}

/* ---- to the peer ---- */

/* @skb is the link's. RCU is held. */
void duct_vsock_queue(struct duct_vsock *vs, struct sk_buff *skb)
{
	virtio_vsock_skb_queue_tail(&vs->queue, skb);
	queue_work(duct_vsock_wq, &vs->send);
}

/* The queue became shorter. RCU is held. */
void duct_vsock_kick(struct duct_vsock *vs)
{
	queue_work(duct_vsock_wq, &vs->send);
}

/* Whether @queue has @most packets; then @flag asks to be told when it has fewer. */
static bool duct_vsock_longer(struct duct_vsock *vs, u32 most, atomic_t *flag)
{
	if (skb_queue_len_lockless(&vs->queue) < most)
		return false;
	atomic_set(flag, 1);
	/* In one kernel, after what is no more than a store: pairs with duct_vsock_shorter(). */
	smp_mb();
	return skb_queue_len_lockless(&vs->queue) >= most;
}

bool duct_vsock_full(struct duct_vsock *vs)
{
	return duct_vsock_longer(vs, DUCT_VSOCK_QUEUE, &vs->waiting);
}

static void duct_vsock_shorter(struct duct_vsock *vs)
{
	u32 len;

	/* In one kernel, after the queue has changed: pairs with the one in duct_vsock_longer(). */
	smp_mb();
	len = skb_queue_len_lockless(&vs->queue);
	if (len < DUCT_VSOCK_QUEUE_MOST && atomic_read(&vs->stalled)) {
		atomic_set(&vs->stalled, 0);
		queue_work(duct_vsock_wq, &vs->recv);
	}
	/* Not for one packet each. */
	if (len <= DUCT_VSOCK_QUEUE / 2 && atomic_read(&vs->waiting)) {
		atomic_set(&vs->waiting, 0);
		duct_vsock_wake();
	}
}

static int duct_vsock_send(struct duct_vsock *vs, struct sk_buff *skb, u32 flags)
{
	u32 len = sizeof(struct virtio_vsock_hdr) + skb->len;
	u8 *p;

	virtio_transport_deliver_tap_pkt(skb);
	p = duct_reserve(vs->ch, len);
	if (IS_ERR(p))
		return PTR_ERR(p);
	memcpy(p, virtio_vsock_hdr(skb), sizeof(struct virtio_vsock_hdr));
	/* It may be in pieces. */
	skb_copy_bits(skb, 0, p + sizeof(struct virtio_vsock_hdr), skb->len);
	duct_commit(vs->ch, p, len, flags);
	return 0;
}

static void duct_vsock_send_work(struct work_struct *work)
{
	struct duct_vsock *vs = container_of(work, struct duct_vsock, send);
	struct sk_buff *skb;
	int err = 0;

	while ((skb = virtio_vsock_skb_dequeue(&vs->queue))) {
		err = duct_vsock_send(vs, skb, skb_queue_empty(&vs->queue) ? 0 : DUCT_MORE);
		if (err == -EAGAIN) {
			/* writable() is armed. */
			virtio_vsock_skb_queue_head(&vs->queue, skb);
			break;
		}
		/* Any other error is the link's end: down() follows, and resets. */
		if (err)
			kfree_skb(skb);
		else
			duct_compat_skb_sent(skb);
		duct_vsock_shorter(vs);
	}
	duct_publish(vs->ch);
	duct_vsock_shorter(vs);
}

static void duct_vsock_writable(struct duct_channel *ch)
{
	struct duct_vsock *vs = ch->priv;

	queue_work(duct_vsock_wq, &vs->send);
}

/* ---- from the peer ---- */

/* One buffer's worth of the message. Return: 0; -ENOMEM; the message is gone */
static int duct_vsock_piece(struct duct_vsock *vs, struct duct_msg *msg,
			    const struct virtio_vsock_hdr *from)
{
	u32 len = min_t(u32, msg->len, DUCT_VSOCK_PIECE);
	struct virtio_vsock_hdr *hdr;
	struct sk_buff *skb;
	int err = 0;

	skb = virtio_vsock_alloc_skb(VIRTIO_VSOCK_SKB_HEADROOM + len, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = virtio_vsock_hdr(skb);
	if (len)
		err = duct_read(msg, skb_put(skb, len), len);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	duct_vsock_frame_piece(hdr, from, len, !msg->len);
	virtio_transport_deliver_tap_pkt(skb);
	duct_compat_recv_pkt(&duct_vsock_transport, skb);
	return 0;
}

static void duct_vsock_recv(struct duct_vsock *vs, struct duct_msg *msg)
{
	struct virtio_vsock_hdr hdr;
	int err;

	if (msg->len < sizeof(hdr) || duct_read(msg, &hdr, sizeof(hdr)) ||
	    !duct_vsock_frame_ok(&hdr, msg->len, vs->cid, vs->self)) {
		atomic64_inc(&vs->refused);
		return;
	}
	do {
		err = duct_vsock_piece(vs, msg, &hdr);
	} while (!err && msg->len);
	/* Bytes are missing, and nobody would know. */
	if (err == -ENOMEM)
		duct_vsock_reset(vs->cid);
}

static void duct_vsock_recv_work(struct work_struct *work)
{
	struct duct_vsock *vs = container_of(work, struct duct_vsock, recv);
	int budget = DUCT_VSOCK_BUDGET;
	struct duct_msg msg;

	/* Before up() answers would find no link. */
	while (READ_ONCE(vs->up)) {
		if (!budget--) {
			queue_work(duct_vsock_wq, &vs->recv);
			return;
		}
		/* A peer that does not take our answers sends nothing more to answer. */
		if (duct_vsock_longer(vs, DUCT_VSOCK_QUEUE_MOST, &vs->stalled))
			return;
		if (duct_next(vs->ch, &msg))
			return;
		duct_vsock_recv(vs, &msg);
		duct_release(&msg);
	}
}

static void duct_vsock_ready(struct duct_channel *ch)
{
	struct duct_vsock *vs = ch->priv;

	queue_work(duct_vsock_wq, &vs->recv);
}

/* ---- the channel ---- */

/* Return: whether packets can go this way */
static bool duct_vsock_join(struct duct_vsock *vs)
{
	struct duct_device *dd = vs->dd;
	bool alone;

	vs->self = DUCT_VSOCK_CID(dd->self);
	vs->cid = DUCT_VSOCK_CID(dd->peer);
	mutex_lock(&duct_vsock_lock);
	/* Both ends of a loopback are one domain. */
	alone = !duct_vsock_find(vs->cid) || vs->cid == vs->self;
	if (alone) {
		WRITE_ONCE(duct_vsock_own, vs->self);
		hash_add_rcu(duct_vsock_links, &vs->node, vs->cid);
	}
	mutex_unlock(&duct_vsock_lock);
	return alone;
}

static void duct_vsock_leave(struct duct_vsock *vs)
{
	mutex_lock(&duct_vsock_lock);
	hash_del_rcu(&vs->node);
	if (hash_empty(duct_vsock_links))
		WRITE_ONCE(duct_vsock_own, VMADDR_CID_ANY);
	mutex_unlock(&duct_vsock_lock);
	synchronize_rcu();
}

static void duct_vsock_up(struct duct_channel *ch)
{
	struct duct_vsock *vs = ch->priv;
	struct duct_device *dd = vs->dd;

	if (dd->self == DOMID_INVALID || ch->max_msg < DUCT_VSOCK_FRAME) {
		duct_err(dd, "%s\n", dd->self == DOMID_INVALID ?
			 "there is no domid in this domain's xenstore directory" :
			 "the peer's messages are too short for vsock");
	} else if (!duct_vsock_join(vs)) {
		duct_err(dd, "context id %u is reached by another link already\n", vs->cid);
	} else {
		WRITE_ONCE(vs->up, true);
		queue_work(duct_vsock_wq, &vs->recv);
	}
}

static void duct_vsock_down(struct duct_channel *ch, int why)
{
	struct duct_vsock *vs = ch->priv;

	if (!vs->up)
		return;
	WRITE_ONCE(vs->up, false);
	duct_vsock_leave(vs);
	/* What the last epoch sent makes no connection after the reset. */
	cancel_work_sync(&vs->recv);
	cancel_work_sync(&vs->send);
	virtio_vsock_skb_queue_purge(&vs->queue);
	duct_vsock_reset(vs->cid);
}

static const struct duct_channel_ops duct_vsock_ops = {
	.up = duct_vsock_up,
	.down = duct_vsock_down,
	.ready = duct_vsock_ready,
	.writable = duct_vsock_writable,
};

/* ---- the driver ---- */

static ssize_t cid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", DUCT_VSOCK_CID(to_duct_device(dev)->self));
}
static DEVICE_ATTR_RO(cid);

static ssize_t peer_cid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", DUCT_VSOCK_CID(to_duct_device(dev)->peer));
}
static DEVICE_ATTR_RO(peer_cid);

static ssize_t refused_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct duct_vsock *vs = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%lld\n", (long long)atomic64_read(&vs->refused));
}
static DEVICE_ATTR_RO(refused);

static ssize_t queued_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct duct_vsock *vs = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", skb_queue_len_lockless(&vs->queue));
}
static DEVICE_ATTR_RO(queued);

static struct attribute *duct_vsock_attrs[] = {
	&dev_attr_cid.attr,
	&dev_attr_peer_cid.attr,
	&dev_attr_queued.attr,
	&dev_attr_refused.attr,
	NULL
};
ATTRIBUTE_GROUPS(duct_vsock);

static int duct_vsock_probe(struct duct_device *dd)
{
	struct duct_vsock *vs = devm_kzalloc(&dd->dev, sizeof(*vs), GFP_KERNEL);
	struct duct_channel_config cfg = {
		.ops = &duct_vsock_ops,
		.priv = vs,
		.max_msg = DUCT_VSOCK_FRAME,
		.tx_bytes = 4 * DUCT_VSOCK_FRAME,
	};

	if (!vs)
		return -ENOMEM;
	vs->dd = dd;
	skb_queue_head_init(&vs->queue);
	INIT_WORK(&vs->send, duct_vsock_send_work);
	INIT_WORK(&vs->recv, duct_vsock_recv_work);
	dev_set_drvdata(&dd->dev, vs);
	return duct_open(dd, 0, &cfg, &vs->ch);
}

static void duct_vsock_remove(struct duct_device *dd)
{
	struct duct_vsock *vs = dev_get_drvdata(&dd->dev);

	duct_stop(vs->ch);
	duct_vsock_down(vs->ch, -ESHUTDOWN);
	/* Neither does anything any more, but ready() and writable() were told. */
	cancel_work_sync(&vs->recv);
	cancel_work_sync(&vs->send);
	duct_close(vs->ch);
}

static const struct duct_device_id duct_vsock_ids[] = {
	{ "vsock" },
	{ }
};

static struct duct_driver duct_vsock_driver = {
	.driver.dev_groups = duct_vsock_groups,
	.id_table = duct_vsock_ids,
	.roles = DUCT_PEER,
	.features = DUCT_VSOCK_F_SEQPACKET,
	.probe = duct_vsock_probe,
	.remove = duct_vsock_remove,
};

int __init duct_vsock_links_init(void)
{
	int err;

	duct_vsock_wq = alloc_workqueue("duct_vsock", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!duct_vsock_wq)
		return -ENOMEM;
	err = duct_driver_register(&duct_vsock_driver);
	if (err)
		destroy_workqueue(duct_vsock_wq);
	return err;
}

void duct_vsock_links_exit(void)
{
	duct_driver_unregister(&duct_vsock_driver);
	destroy_workqueue(duct_vsock_wq);
}
