// SPDX-License-Identifier: GPL-2.0
/* What ethtool shows of a device, and how many channels it sets. */
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>

#include "net.h"

/* In the order of duct_net_stats_of(). */
static const char duct_net_stat[][ETH_GSTRING_LEN] = {
	"tx%u_packets",
	"tx%u_bytes",
	"tx%u_dropped",
	"tx%u_stops",
	"rx%u_packets",
	"rx%u_bytes",
	"rx%u_dropped",
	"rx%u_length_errors",
	"rx%u_frame_errors",
	"events%u",	/* raised at the peer: a hypercall each */
	"wakeups%u",	/* interrupts of the peer's that led to polling */
};

#define NET_STATS	ARRAY_SIZE(duct_net_stat)

static int duct_net_get_sset_count(struct net_device *dev, int set)
{
	const struct duct_net *net = netdev_priv(dev);

	return set == ETH_SS_STATS ? net->queues * NET_STATS : -EOPNOTSUPP;
}

static void duct_net_get_strings(struct net_device *dev, u32 set, u8 *to)
{
	const struct duct_net *net = netdev_priv(dev);
	unsigned int i, n;

	if (set != ETH_SS_STATS)
		return;
	for (n = 0; n < net->queues; n++)
		for (i = 0; i < NET_STATS; i++)
			ethtool_sprintf(&to, duct_net_stat[i], n);
}

static void duct_net_stats_of(const struct duct_net_queue *q, u64 *to)
{
	struct duct_stats now = {};
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&q->tx.sync);
		to[0] = u64_stats_read(&q->tx.packets);
		to[1] = u64_stats_read(&q->tx.bytes);
		to[2] = u64_stats_read(&q->tx.dropped);
		to[3] = u64_stats_read(&q->tx.stops);
	} while (u64_stats_fetch_retry(&q->tx.sync, start));
	do {
		start = u64_stats_fetch_begin(&q->rx.sync);
		to[4] = u64_stats_read(&q->rx.packets);
		to[5] = u64_stats_read(&q->rx.bytes);
		to[6] = u64_stats_read(&q->rx.dropped);
		to[7] = u64_stats_read(&q->rx.length);
		to[8] = u64_stats_read(&q->rx.frame);
	} while (u64_stats_fetch_retry(&q->rx.sync, start));
	if (q->ch)
		duct_stats(q->ch, &now);
	to[9] = q->past.out_events + now.out_events;
	to[10] = q->past.wakeups + now.wakeups;
}

static void duct_net_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *to)
{
	const struct duct_net *net = netdev_priv(dev);
	unsigned int n;

	for (n = 0; n < net->queues; n++)
		duct_net_stats_of(&net->queue[n], to + n * NET_STATS);
}

static void duct_net_get_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	const struct duct_net *net = netdev_priv(dev);

	channels->max_combined = net->queues;
	channels->combined_count = net->open;
}

/* ethtool has compared it with the most there are. */
static int duct_net_set_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	if (!channels->combined_count)
		return -EINVAL;
	return duct_net_set_open(netdev_priv(dev), channels->combined_count);
}

/* Not measured by anybody: as veth says, for those who compare. */
static int duct_net_get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *cmd)
{
	cmd->base.speed = SPEED_10000;
	cmd->base.duplex = DUPLEX_FULL;
	cmd->base.port = PORT_OTHER;
	cmd->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

/* Driver and bus are found by the core of ethtool: it knows the parent. */
const struct ethtool_ops duct_net_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = duct_net_get_sset_count,
	.get_strings = duct_net_get_strings,
	.get_ethtool_stats = duct_net_get_ethtool_stats,
	.get_channels = duct_net_get_channels,
	.set_channels = duct_net_set_channels,
	.get_link_ksettings = duct_net_get_link_ksettings,
};
