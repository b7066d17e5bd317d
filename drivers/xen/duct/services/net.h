/* SPDX-License-Identifier: GPL-2.0 */
/*
 * duct_net: a network device whose other end is in another domain. net.c has the
 * device and its queues, net_tx.c and net_rx.c the frames, net_ethtool.c what is
 * told of them. Documentation/protocol.rst has the frame, net_frame.h which is one.
 */
#ifndef _DUCT_NET_H
#define _DUCT_NET_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/u64_stats_sync.h>
#include <linux/virtio_net.h>
#include <linux/workqueue.h>
#include <xen/duct.h>

#include "../compat/page_pool.h"
#include "net_frame.h"

/* The longest message: the largest packet there is, two tags, the header in front. */
#define NET_MSG_MAX	(sizeof(struct virtio_net_hdr) + ETH_HLEN + 2 * VLAN_HLEN + ETH_MAX_MTU)
#define NET_QUEUES_MAX	32u
/* What is received is in pieces of so many bytes, of which so many are kept for the next. */
#define NET_PIECE	(PAGE_SIZE << NET_PIECE_ORDER)
#define NET_PIECE_ORDER	3
#define NET_PIECES	64u

/**
 * struct duct_net_tx_stats - of what was sent; written with the queue's tx lock held
 * @packets: given to the peer
 * @bytes: of them
 * @dropped: no peer, or one that has not read for NET_STALL
 * @stops: times that the queue was stopped: the ring was full, or as much as BQL allows
 * @sync: for reading them
 */
struct duct_net_tx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t stops;
	struct u64_stats_sync sync;
};

/**
 * struct duct_net_rx_stats - of what was received; written by NAPI
 * @packets: given to the stack
 * @bytes: of them
 * @dropped: no memory
 * @length: shorter than an Ethernet header, or longer than the MTU
 * @frame: with a header that cannot be
 * @sync: for reading them
 */
struct duct_net_rx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t length;
	u64_stats_t frame;
	struct u64_stats_sync sync;
};

/**
 * struct duct_net_queue - one channel: a queue each way
 * @napi: receives, and wakes the sender
 * @net: whose
 * @ch: while the interface is up; changes under RTNL, with nobody in the queue
 * @number: of the channel and of both queues
 * @up: the peer has the channel open as well
 * @woken: writable() was told, and NAPI has not looked
 * @stalled: the peer has not read for NET_STALL: frames are dropped until it does. Tx lock
 * @stall_room: room in the ring then. Tx lock
 * @flight: bytes of the ring that BQL knows of, but for pads. Tx lock
 * @stall: runs while the queue is stopped. Tx lock
 * @pool: where large frames go: memory that comes back when they are freed. NAPI
 * @tx: counters
 * @rx: counters
 * @past: counters of the channels that were closed. RTNL
 */
struct duct_net_queue {
	struct napi_struct napi;
	struct duct_net *net;
	struct duct_channel *ch;
	unsigned int number;
	bool up;
	bool woken;
	bool stalled;
	u32 stall_room;
	u32 flight;
	struct timer_list stall;
	struct page_pool *pool;
	struct duct_net_tx_stats tx;
	struct duct_net_rx_stats rx;
	struct duct_stats past;
};

/**
 * struct duct_net - a network device
 * @dev: it
 * @dd: our end of the service
 * @count_work: tells the stack how many queues are up; that takes RTNL, which up() may not
 * @queues: that there are
 * @open: queues whose channels are to be open when the interface is up. RTNL
 * @ring: bytes that we wish for each ring
 * @queue: by number
 */
struct duct_net {
	struct net_device *dev;
	struct duct_device *dd;
	struct work_struct count_work;
	unsigned int queues;
	unsigned int open;
	u32 ring;
	struct duct_net_queue queue[];
};

extern const struct ethtool_ops duct_net_ethtool_ops;

int duct_net_set_open(struct duct_net *net, unsigned int open);

netdev_tx_t duct_net_xmit(struct sk_buff *skb, struct net_device *dev);
netdev_features_t duct_net_features_check(struct sk_buff *skb, struct net_device *dev,
					  netdev_features_t features);
void duct_net_tx_reset(struct duct_net_queue *q);
void duct_net_tx_writable(struct duct_net_queue *q);
void duct_net_tx_stalled(struct timer_list *timer);

int duct_net_poll(struct napi_struct *napi, int budget);

static inline struct netdev_queue *duct_net_txq(const struct duct_net_queue *q)
{
	return netdev_get_tx_queue(q->net->dev, q->number);
}

#endif /* _DUCT_NET_H */
