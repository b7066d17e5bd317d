// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: each frame is read once, into memory of our own, and what its header says
 * is checked there. A frame that is none is dropped and counted; the channel lives.
 */
#include "net.h"

#define NET_LINEAR	2048u	/* up to here a frame is one piece */
#define NET_HEAD	128u	/* of a larger one, the part in front: the protocols' headers */

/* What has come while polling once, and what was wrong with it. */
struct duct_net_got {
	u32 packets;
	u32 bytes;
	u32 dropped;
	u32 length;
	u32 frame;
};

/* Memory for up to @len bytes, from the pool; a page, if there is nothing as large. */
static struct page *duct_net_piece(struct duct_net_queue *q, u32 *len, u32 *offset)
{
	struct page *page;

	*len = min_t(u32, *len, NET_PIECE);
	page = page_pool_dev_alloc_frag(q->pool, offset, *len);
	if (unlikely(!page)) {
		*len = min_t(u32, *len, PAGE_SIZE);
		*offset = 0;
		page = dev_alloc_page();
	}
	return page;
}

/* The rest of a message, in large pieces. */
static int duct_net_read_frags(struct duct_net_queue *q, struct duct_msg *msg,
			       struct sk_buff *skb)
{
	int i, err = 0;

	skb_mark_for_recycle(skb);
	for (i = 0; msg->len && !err; i++) {
		u32 offset, len = msg->len;
		struct page *page = i < MAX_SKB_FRAGS ? duct_net_piece(q, &len, &offset) : NULL;

		if (!page)
			return -ENOMEM;
		skb_add_rx_frag(skb, i, page, offset, len, len);
		err = duct_read(msg, page_address(page) + offset, len);
	}
	return err;
}

/* Return: what is left of the message, as a packet; or an ERR_PTR() */
static struct sk_buff *duct_net_read(struct duct_net_queue *q, struct duct_msg *msg)
{
	u32 head = msg->len > NET_LINEAR ? NET_HEAD : msg->len;
	struct sk_buff *skb = napi_alloc_skb(&q->napi, head);
	int err;

	if (!skb)
		return ERR_PTR(-ENOMEM);
	err = duct_read(msg, skb_put(skb, head), head) ?: duct_net_read_frags(q, msg, skb);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

/* The packet as the stack wants it. Return: false: its header lies */
static bool duct_net_accept(struct duct_net_queue *q, struct sk_buff *skb,
			    const struct virtio_net_hdr *hdr)
{
	if (virtio_net_hdr_to_skb(skb, hdr, true))
		return false;
	if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID && skb->ip_summed == CHECKSUM_NONE)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, q->net->dev);
	skb_record_rx_queue(skb, q->number);
	return true;
}

static void duct_net_receive(struct duct_net_queue *q, struct duct_msg *msg,
			     struct duct_net_got *got)
{
	u32 len = msg->len - sizeof(struct virtio_net_hdr);
	struct virtio_net_hdr hdr;
	struct sk_buff *skb;

	if (duct_net_frame_short(msg->len)) {
		got->length++;
		return;
	}
	if (duct_read(msg, &hdr, sizeof(hdr)))
		return;
	if (!duct_net_header_ok(&hdr)) {
		got->frame++;
		return;
	}
	if (duct_net_frame_long(&hdr, len, READ_ONCE(q->net->dev->mtu))) {
		got->length++;
		return;
	}
	skb = duct_net_read(q, msg);
	if (IS_ERR(skb)) {
		got->dropped++;
		return;
	}
	if (!duct_net_accept(q, skb, &hdr)) {
		got->frame++;
		kfree_skb(skb);
		return;
	}
	got->packets++;
	got->bytes += len;
	napi_gro_receive(&q->napi, skb);
}

static void duct_net_rx_count(struct duct_net_queue *q, const struct duct_net_got *got)
{
	u64_stats_update_begin(&q->rx.sync);
	u64_stats_add(&q->rx.packets, got->packets);
	u64_stats_add(&q->rx.bytes, got->bytes);
	u64_stats_add(&q->rx.dropped, got->dropped);
	u64_stats_add(&q->rx.length, got->length);
	u64_stats_add(&q->rx.frame, got->frame);
	u64_stats_update_end(&q->rx.sync);
}

int duct_net_poll(struct napi_struct *napi, int budget)
{
	struct duct_net_queue *q = container_of(napi, struct duct_net_queue, napi);
	struct duct_net_got got = {};
	struct duct_msg msg;
	int done = 0;

	/* Cleared first: what is told after it finds NAPI scheduled, and is seen. */
	if (READ_ONCE(q->woken) && xchg(&q->woken, false))
		duct_net_tx_writable(q);
	while (done < budget && !duct_next(q->ch, &msg)) {
		duct_net_receive(q, &msg, &got);
		duct_release(&msg);
		done++;
	}
	duct_net_rx_count(q, &got);
	/* -EAGAIN has armed ready(), and so does the next up(). */
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}
