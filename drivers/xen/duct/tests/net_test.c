// SPDX-License-Identifier: GPL-2.0
/*
 * duct_net against a peer of our own, which sends what no driver would. duct_net is
 * loaded and has the devices of both ends; it is unbound from the backend's here.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/virtio_net.h>

#include "kit.h"

#define NET_FRONT	"duct0.net.0.p"
#define NET_BACK	"duct1.net.0.p"
#define NET_HDR		((u32)sizeof(struct virtio_net_hdr))
#define NET_MOST	(NET_HDR + ETH_HLEN + 2 * VLAN_HLEN + ETH_MAX_MTU)
#define NET_TYPE	0x88b5		/* for experiments: nobody listens */
#define NET_CSUM	1024u		/* see Documentation/protocol.rst */

/**
 * struct net_peer - one test
 * @kit: the test
 * @dd: the raw peer's
 * @end: its channel 0
 * @dev: duct_net's interface, held
 * @tap: sees what the stack is given
 * @seen: last packet there
 * @packets: how many
 * @registered: the raw driver is
 * @was: the interface's counters when the test began
 */
struct net_peer {
	struct kit *kit;
	struct duct_device *dd;
	struct kit_end *end;
	struct net_device *dev;
	struct packet_type tap;
	struct sk_buff *seen;
	atomic_t packets;
	bool registered;
	struct rtnl_link_stats64 was;
};

/* As kit_wait(), for what nobody tells: the interface's counters and states. */
#define net_wait(peer, condition)							\
	do {										\
		unsigned long until = jiffies + KIT_WAIT;				\
											\
		while (!(condition) && time_before(jiffies, until))			\
			schedule_timeout_uninterruptible(1);				\
		KUNIT_ASSERT_TRUE_MSG((peer)->kit->test, condition,			\
				      "waited in vain for %s", #condition);		\
	} while (0)

static struct net_peer *net_now;

/* ---- the raw peer ---- */

static int net_raw_probe(struct duct_device *dd)
{
	if (net_now->dd || strcmp(dev_name(&dd->dev), NET_BACK))
		return -ENODEV;
	net_now->dd = dd;
	return 0;
}

static const struct duct_device_id net_raw_ids[] = {
	{ "net" },
	{ }
};

static struct duct_driver net_raw_driver = {
	.id_table = net_raw_ids,
	.roles = DUCT_PEER,
	.keep = true,
	.probe = net_raw_probe,
};

static const struct duct_channel_config net_config = {
	.ops = &kit_ready_ops,
	.max_msg = NET_MOST,
};

/* ---- duct_net's end ---- */

static int net_tap(struct sk_buff *skb, struct net_device *dev, struct packet_type *tap,
		   struct net_device *orig)
{
	struct net_peer *peer = container_of(tap, struct net_peer, tap);

	kfree_skb(xchg(&peer->seen, skb));
	atomic_inc(&peer->packets);
	wake_up_all(&peer->kit->wait);
	return 0;
}

static struct net_device *net_find(void)
{
	struct net_device *dev, *found = NULL;

	rtnl_lock();
	for_each_netdev(&init_net, dev)
		if (dev->dev.parent && !strcmp(dev_name(dev->dev.parent), NET_FRONT))
			found = dev;
	if (found)
		dev_hold(found);
	rtnl_unlock();
	return found;
}

static int net_set_up(struct net_peer *peer, bool up)
{
	int err = 0;

	rtnl_lock();
	if (up)
		err = dev_open(peer->dev, NULL);
	else
		dev_close(peer->dev);
	rtnl_unlock();
	return err;
}

/* What the interface has counted in this test. */
static struct rtnl_link_stats64 net_stats(struct net_peer *peer)
{
	struct rtnl_link_stats64 stats;

	dev_get_stats(peer->dev, &stats);
	stats.rx_packets -= peer->was.rx_packets;
	stats.rx_errors -= peer->was.rx_errors;
	stats.rx_length_errors -= peer->was.rx_length_errors;
	stats.rx_frame_errors -= peer->was.rx_frame_errors;
	stats.rx_dropped -= peer->was.rx_dropped;
	stats.tx_dropped -= peer->was.tx_dropped;
	return stats;
}

static struct net_peer *net_begin(struct kunit *test)
{
	struct net_peer *peer = kunit_kzalloc(test, sizeof(*peer), GFP_KERNEL);
	struct kit *kit = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, peer);
	peer->kit = kit;
	net_now = peer;
	kit_write(kit, "/sys/bus/duct/drivers/duct_net/unbind", NET_BACK);
	KUNIT_ASSERT_EQ(test, __duct_driver_register(&net_raw_driver, THIS_MODULE, "net-raw"), 0);
	peer->registered = true;
	KUNIT_ASSERT_NOT_NULL(test, peer->dd);
	peer->dev = net_find();
	KUNIT_ASSERT_NOT_NULL(test, peer->dev);
	peer->was = net_stats(peer);
	peer->end = kit_end(kit);
	KUNIT_ASSERT_EQ(test, kit_open(peer->end, peer->dd, 0, &net_config), 0);
	KUNIT_ASSERT_EQ(test, net_set_up(peer, true), 0);
	net_wait(peer, READ_ONCE(peer->end->is_up) && netif_carrier_ok(peer->dev));
	peer->tap.type = htons(NET_TYPE);
	peer->tap.dev = peer->dev;
	peer->tap.func = net_tap;
	dev_add_pack(&peer->tap);
	return peer;
}

static void net_exit(struct kunit *test)
{
	struct net_peer *peer = net_now;

	net_now = NULL;
	if (peer && peer->dev) {
		if (peer->tap.func)
			dev_remove_pack(&peer->tap);
		kfree_skb(peer->seen);
		net_set_up(peer, false);
		dev_put(peer->dev);
	}
	if (peer && peer->end)
		kit_close(peer->end);
	if (peer && peer->registered) {
		duct_driver_unregister(&net_raw_driver);
		kit_write(test->priv, "/sys/bus/duct/drivers/duct_net/bind", NET_BACK);
	}
	kit_exit(test);
}

/* ---- frames ---- */

/* A frame of @len bytes for @dev, of the type that the tap wants. */
static u8 *net_frame(struct net_peer *peer, const struct virtio_net_hdr *hdr, u32 len)
{
	u8 *frame = kunit_kzalloc(peer->kit->test, NET_HDR + max_t(u32, len, ETH_HLEN), GFP_KERNEL);
	struct ethhdr *eth;

	KUNIT_ASSERT_NOT_NULL(peer->kit->test, frame);
	if (hdr)
		memcpy(frame, hdr, NET_HDR);
	eth = (struct ethhdr *)(frame + NET_HDR);
	if (len > ETH_HLEN)
		memcpy(eth + 1, kit_bytes(peer->kit, len, len), len - ETH_HLEN);
	memcpy(eth->h_dest, peer->dev->dev_addr, ETH_ALEN);
	eth->h_source[0] = 2;
	eth->h_proto = htons(NET_TYPE);
	return frame;
}

/* A good one comes through, all of it; and what came before it has been seen by then. */
static void net_good(struct net_peer *peer, const struct virtio_net_hdr *hdr, u32 len)
{
	struct kunit *test = peer->kit->test;
	int before = atomic_read(&peer->packets);
	u8 *frame = net_frame(peer, hdr, len);
	struct sk_buff *skb;
	u8 *got;

	KUNIT_ASSERT_EQ(test, kit_send(peer->end, frame, NET_HDR + len, 0), 0);
	kit_wait(peer->kit, atomic_read(&peer->packets) == before + 1);
	skb = xchg(&peer->seen, NULL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	got = kvmalloc(len, GFP_KERNEL);
	if (got && skb->len == len - ETH_HLEN && !skb_copy_bits(skb, 0, got, skb->len))
		KUNIT_EXPECT_EQ(test, memcmp(got, frame + NET_HDR + ETH_HLEN, skb->len), 0);
	else
		KUNIT_FAIL(test, "%u bytes came of %u", skb->len, len - ETH_HLEN);
	if (hdr && hdr->gso_type)
		KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->gso_size, hdr->gso_size);
	if (hdr && hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		KUNIT_EXPECT_TRUE(test, skb->ip_summed == CHECKSUM_PARTIAL);
	kvfree(got);
	kfree_skb(skb);
	kunit_kfree(test, frame);
}

/* ---- good frames ---- */

#define NET_GSO(type, mss) {								\
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = (type), .gso_size = (mss),	\
	.csum_start = 34, .csum_offset = 16, .hdr_len = 54 }

static void net_receives(struct kunit *test)
{
	static const u32 lens[] = { ETH_HLEN + 1, 60, 61, 127, 128, 129, 1514, 1522 };
	static const struct virtio_net_hdr csum = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
	};
	static const struct virtio_net_hdr gso = NET_GSO(VIRTIO_NET_HDR_GSO_TCPV4, 1448);
	static const u32 large[] = { 1600, 2048, 2049, 4096 + 128, 32768, 65535, NET_MOST - NET_HDR };
	struct net_peer *peer = net_begin(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		net_good(peer, NULL, lens[i]);
	net_good(peer, &csum, 100);
	for (i = 0; i < ARRAY_SIZE(large); i++)
		net_good(peer, &gso, large[i]);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_set_mtu(peer->dev, ETH_MAX_MTU), 0);
	rtnl_unlock();
	for (i = 0; i < ARRAY_SIZE(large); i++)
		net_good(peer, NULL, large[i]);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_set_mtu(peer->dev, ETH_DATA_LEN), 0);
	rtnl_unlock();
	KUNIT_EXPECT_EQ(test, net_stats(peer).rx_errors, 0);
}

/* ---- bad frames ---- */

struct net_bad {
	const char *name;
	u32 len;		/* of the message, header and all */
	bool length;		/* counted as such; else as a bad header */
	struct virtio_net_hdr hdr;
};

#define NEEDS	VIRTIO_NET_HDR_F_NEEDS_CSUM

static const struct net_bad net_bads[] = {
	{ "nothing", 0, true },
	{ "a byte", 1, true },
	{ "less than a header", NET_HDR - 1, true },
	{ "a header alone", NET_HDR, true },
	{ "a byte too short", NET_HDR + ETH_HLEN - 1, true },
	{ "a byte longer than the MTU", NET_HDR + ETH_HLEN + 2 * VLAN_HLEN + ETH_DATA_LEN + 1, true },
	{ "as long as can be, without a size", NET_MOST, true },
	{ "flags that are none", 100, .hdr = { .flags = 4 } },
	{ "all flags", 100, .hdr = { .flags = 0xff } },
	{ "a kind of large send that is none", 4000, .hdr = { NEEDS, 7, 54, 1448, 34, 16 } },
	{ "UDP as a large send", 4000, .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_UDP, 42, 1448, 34, 6 } },
	{ "ECN alone", 4000, .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_ECN, 54, 1448, 34, 16 } },
	{ "all kinds at once", 4000, .hdr = { NEEDS, 0xff, 54, 1448, 34, 16 } },
	{ "a large send with its checksum", 4000,
	  .hdr = { 0, VIRTIO_NET_HDR_GSO_TCPV4, 54, 1448, 34, 16 } },
	{ "a large send of size 0", 4000, .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 54, 0, 34, 16 } },
	{ "a large send in fragments", 4000,
	  .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 54, 0xffff, 34, 16 } },
	{ "a large send without a header of TCP", NET_HDR + 52,
	  .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 54, 8, 34, 16 } },
	{ "a checksum that TCP does not have there", 4000,
	  .hdr = { NEEDS, VIRTIO_NET_HDR_GSO_TCPV4, 54, 1448, 34, 6 } },
	{ "a checksum just behind the end", NET_HDR + 100, .hdr = { NEEDS, .csum_start = 34,
	  .csum_offset = 65 } },
	{ "a checksum that starts there", NET_HDR + 100, .hdr = { NEEDS, .csum_start = 100 } },
	{ "a checksum further than it may be", NET_HDR + 1500, .hdr = { NEEDS,
	  .csum_start = NET_CSUM - 17, .csum_offset = 16 } },
	{ "a checksum that wraps", NET_HDR + 100, .hdr = { NEEDS, .csum_start = 0xffff,
	  .csum_offset = 0xffff } },
};

static void net_refuses(struct kunit *test)
{
	struct net_peer *peer = net_begin(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(net_bads); i++) {
		const struct net_bad *bad = &net_bads[i];
		struct rtnl_link_stats64 was = net_stats(peer), is;
		u8 *frame = net_frame(peer, &bad->hdr, max(bad->len, NET_HDR) - NET_HDR);

		KUNIT_ASSERT_EQ(test, kit_send(peer->end, frame, bad->len, 0), 0);
		net_good(peer, NULL, 60);
		net_wait(peer, net_stats(peer).rx_packets > was.rx_packets);
		is = net_stats(peer);
		KUNIT_EXPECT_EQ_MSG(test, is.rx_packets, was.rx_packets + 1, "%s", bad->name);
		KUNIT_EXPECT_EQ_MSG(test, is.rx_length_errors, was.rx_length_errors + bad->length,
				    "%s", bad->name);
		KUNIT_EXPECT_EQ_MSG(test, is.rx_frame_errors, was.rx_frame_errors + !bad->length,
				    "%s", bad->name);
		KUNIT_EXPECT_EQ_MSG(test, is.rx_errors, was.rx_errors + 1, "%s", bad->name);
		kunit_kfree(test, frame);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&peer->end->downs), 0);
}

/* What the stack drops after that is not ours to count. */
static u64 net_came(struct net_peer *peer)
{
	struct rtnl_link_stats64 stats = net_stats(peer);

	return stats.rx_packets + stats.rx_errors;
}

/* Whatever is sent, the channel lives, and each message is in one counter. */
static void net_random(struct kunit *test)
{
	static const u16 types[] = { ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_ARP };
	struct net_peer *peer = net_begin(test);
	struct rnd_state *rnd = &peer->kit->rnd;
	struct rtnl_link_stats64 is;
	u8 *frame = net_frame(peer, NULL, NET_MOST - NET_HDR);
	struct ethhdr *eth = (struct ethhdr *)(frame + NET_HDR);
	u32 i, n = 20000;

	for (i = 0; i < n; i++) {
		struct virtio_net_hdr *hdr = (void *)frame;
		u32 len = 1u << prandom_u32_state(rnd) % 17;

		len = min_t(u32, len + prandom_u32_state(rnd) % len, NET_MOST);
		memcpy(eth + 1, kit_bytes(peer->kit, i, 128), 128);
		eth->h_proto = htons(types[prandom_u32_state(rnd) % ARRAY_SIZE(types)]);
		/* As a good one but for what is random: that goes far. */
		*hdr = (struct virtio_net_hdr)NET_GSO(prandom_u32_state(rnd) % 2 ?
			VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
			prandom_u32_state(rnd) % 2 ? prandom_u32_state(rnd) : 1448);
		if (prandom_u32_state(rnd) % 2)
			frame[prandom_u32_state(rnd) % NET_HDR] = prandom_u32_state(rnd);
		if (prandom_u32_state(rnd) % 2)
			((u8 *)(eth + 1))[0] = 0x45 + (prandom_u32_state(rnd) % 2 << 5);
		KUNIT_ASSERT_EQ(test, kit_send(peer->end, frame, len, 0), 0);
	}
	net_good(peer, NULL, 60);
	net_wait(peer, net_came(peer) > n);
	KUNIT_EXPECT_EQ(test, net_came(peer), n + 1);
	is = net_stats(peer);
	KUNIT_EXPECT_GT(test, is.rx_errors, 0);
	KUNIT_EXPECT_GT(test, is.rx_packets, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&peer->end->downs), 0);
}

/* ---- sending ---- */

static struct sk_buff *net_skb(struct net_peer *peer, u32 len)
{
	struct sk_buff *skb = alloc_skb(LL_RESERVED_SPACE(peer->dev) + len, GFP_KERNEL);
	struct ethhdr *eth;

	KUNIT_ASSERT_NOT_NULL(peer->kit->test, skb);
	skb_reserve(skb, LL_RESERVED_SPACE(peer->dev));
	skb_put_data(skb, kit_bytes(peer->kit, len, len), len);
	skb_reset_mac_header(skb);
	eth = eth_hdr(skb);
	memset(eth, 2, 2 * ETH_ALEN);
	eth->h_proto = htons(NET_TYPE);
	skb->protocol = eth->h_proto;
	skb->dev = peer->dev;
	return skb;
}

/* The next frame of ours: the stack sends some of its own. */
static u32 net_next(struct net_peer *peer, u8 *frame)
{
	const struct ethhdr *eth = (const struct ethhdr *)(frame + NET_HDR);
	struct kunit *test = peer->kit->test;
	struct duct_msg msg;
	u32 len;

	do {
		KUNIT_ASSERT_EQ(test, kit_next(peer->end, &msg), 0);
		len = msg.len;
		KUNIT_ASSERT_LE(test, len, NET_MOST);
		KUNIT_ASSERT_GE(test, len, NET_HDR + ETH_HLEN);
		KUNIT_ASSERT_EQ(test, duct_read(&msg, frame, len), 0);
		duct_release(&msg);
	} while (eth->h_proto != htons(NET_TYPE));
	return len;
}

static void net_sends(struct kunit *test)
{
	static const u32 lens[] = { ETH_HLEN, 60, 61, 1514 };
	static const struct virtio_net_hdr none;
	struct net_peer *peer = net_begin(test);
	struct virtio_net_hdr *hdr;
	u8 *frame = kunit_kzalloc(test, NET_MOST, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, frame);
	hdr = (struct virtio_net_hdr *)frame;
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		KUNIT_EXPECT_EQ(test, dev_queue_xmit(net_skb(peer, lens[i])), 0);
		KUNIT_EXPECT_EQ(test, net_next(peer, frame), NET_HDR + lens[i]);
		KUNIT_EXPECT_EQ(test, memcmp(frame, &none, NET_HDR), 0);
		KUNIT_EXPECT_EQ(test, memcmp(frame + NET_HDR + ETH_HLEN,
					     kit_bytes(peer->kit, lens[i], lens[i]) + ETH_HLEN,
					     lens[i] - ETH_HLEN), 0);
	}
	for (i = 0; i < 2; i++) {
		/* The second checksum is too far behind: it is made here. */
		u32 start = i ? NET_CSUM : 34;
		struct sk_buff *skb = net_skb(peer, 1514);

		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + start;
		skb->csum_offset = 16;
		KUNIT_EXPECT_EQ(test, dev_queue_xmit(skb), 0);
		KUNIT_EXPECT_EQ(test, net_next(peer, frame), NET_HDR + 1514);
		KUNIT_EXPECT_EQ(test, hdr->flags, i ? 0 : NEEDS);
		KUNIT_EXPECT_EQ(test, hdr->csum_start, i ? 0 : 34);
	}
}

static u64 net_dropped(struct net_peer *peer)
{
	return net_stats(peer).tx_dropped;
}

/* A peer that does not read: the queue stops, then drops; and goes on when it reads. */
static void net_stalls(struct kunit *test)
{
	struct net_peer *peer = net_begin(test);
	struct netdev_queue *txq = netdev_get_tx_queue(peer->dev, 0);
	u8 *frame = kunit_kzalloc(test, NET_MOST, GFP_KERNEL);
	struct duct_msg msg;
	u32 i, seen = 0;

	KUNIT_ASSERT_NOT_NULL(test, frame);
	for (i = 0; i < 1000 && !netif_xmit_stopped(txq); i++)
		dev_queue_xmit(net_skb(peer, 1514));
	KUNIT_EXPECT_LT(test, i, 1000);
	/* Those that wait in the queue are dropped, and the sender is not kept waiting. */
	dev_queue_xmit(net_skb(peer, 1514));
	KUNIT_EXPECT_EQ(test, net_dropped(peer), 0);
	for (i = 0; i < 4000; i++)
		dev_queue_xmit(net_skb(peer, 1514));
	net_wait(peer, net_dropped(peer));
	while (!duct_next(peer->end->ch, &msg)) {
		duct_release(&msg);
		seen++;
	}
	KUNIT_EXPECT_GT(test, seen, 0);
	/* All goes on, also what waited in the queue until now. */
	net_wait(peer, !netif_xmit_stopped(txq));
	for (i = 0; i < 10; i++) {
		u32 len;

		KUNIT_EXPECT_EQ(test, dev_queue_xmit(net_skb(peer, 60)), 0);
		do {
			len = net_next(peer, frame);
		} while (len == NET_HDR + 1514);
		KUNIT_EXPECT_EQ(test, len, NET_HDR + 60);
	}
}

/* The carrier is both ends' being up; a peer of a smaller kind is none. */
static void net_carrier(struct kunit *test)
{
	static const struct duct_channel_config small = { .ops = &kit_ready_ops, .max_msg = 2000 };
	struct net_peer *peer = net_begin(test);
	u32 i;

	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, net_set_up(peer, false), 0);
		kit_wait_error(peer->end, -EPIPE);
		kit_wait(peer->kit, duct_readable(peer->end->ch) && !READ_ONCE(peer->end->is_up));
		KUNIT_EXPECT_FALSE(test, netif_carrier_ok(peer->dev));
		KUNIT_EXPECT_EQ(test, net_set_up(peer, true), 0);
		net_wait(peer, READ_ONCE(peer->end->is_up) && netif_carrier_ok(peer->dev));
		net_good(peer, NULL, 1000);
	}
	kit_close(peer->end);
	net_wait(peer, !netif_carrier_ok(peer->dev));
	KUNIT_ASSERT_EQ(test, kit_open(peer->end, peer->dd, 0, &small), 0);
	kit_wait(peer->kit, READ_ONCE(peer->end->is_up));
	schedule_timeout_uninterruptible(HZ / 10);
	KUNIT_EXPECT_FALSE(test, netif_carrier_ok(peer->dev));
}

static struct kunit_case net_cases[] = {
	KUNIT_CASE(net_receives),
	KUNIT_CASE(net_refuses),
	KUNIT_CASE(net_random),
	KUNIT_CASE(net_sends),
	KUNIT_CASE(net_stalls),
	KUNIT_CASE(net_carrier),
	{}
};

struct kunit_suite duct_net_suite = {
	.name = "duct_net",
	.init = kit_init,
	.exit = net_exit,
	.test_cases = net_cases,
};
