// SPDX-License-Identifier: GPL-2.0
/*
 * The device: its parameters, its queues, when they are up.
 *
 * The channels are open while the interface is up. So the carrier says that both ends
 * are, rings take memory only then, and nobody sends to an end that does not look.
 */
#include <linux/rtnetlink.h>

#include "net.h"

#define NET_RING_MIN	(256ul << 10)	/* four large sends */
#define NET_RING_MAX	(1ul << 20)	/* more is not faster */
#define NET_RINGS	(2ul << 20)	/* of all queues, one way */
#define NET_RING_MOST	(2ul << 20)	/* as a parameter */

/* ---- channels ---- */

/* Something to do for NAPI. [any] */
static void duct_net_kick(struct duct_net_queue *q)
{
	/* A thread has to let the softirq run itself. */
	if (in_interrupt() || irqs_disabled()) {
		napi_schedule(&q->napi);
	} else {
		local_bh_disable();
		napi_schedule(&q->napi);
		local_bh_enable();
	}
}

static void duct_net_ready(struct duct_channel *ch)
{
	duct_net_kick(ch->priv);
}

static void duct_net_writable(struct duct_channel *ch)
{
	struct duct_net_queue *q = ch->priv;

	WRITE_ONCE(q->woken, true);
	duct_net_kick(q);
}

static void duct_net_up(struct duct_channel *ch)
{
	struct duct_net_queue *q = ch->priv;

	if (ch->max_msg < NET_MSG_MAX) {
		duct_err(ch->dd, "the peer's frames end at %u bytes\n", ch->max_msg);
		return;
	}
	WRITE_ONCE(q->up, true);
	duct_net_tx_reset(q);
	if (!q->number)
		netif_carrier_on(q->net->dev);
	schedule_work(&q->net->count_work);
	duct_net_kick(q);
}

static void duct_net_lost(struct duct_net_queue *q)
{
	WRITE_ONCE(q->up, false);
	if (!q->number)
		netif_carrier_off(q->net->dev);
	/* What the stack still has for it is dropped. */
	duct_net_tx_reset(q);
	schedule_work(&q->net->count_work);
}

static void duct_net_down(struct duct_channel *ch, int why)
{
	duct_net_lost(ch->priv);
}

static const struct duct_channel_ops duct_net_channel_ops = {
	.up = duct_net_up,
	.down = duct_net_down,
	.ready = duct_net_ready,
	.writable = duct_net_writable,
};

/*
 * The stack sends by the queues that are up, from the first on. What the peer sends by
 * others is received as well.
 */
static void duct_net_count_work(struct work_struct *work)
{
	struct duct_net *net = container_of(work, struct duct_net, count_work);
	unsigned int n = 0;

	rtnl_lock();
	while (n < net->open && READ_ONCE(net->queue[n].up))
		n++;
	if (net->dev->reg_state == NETREG_REGISTERED)
		netif_set_real_num_queues(net->dev, n ?: 1, n ?: 1);
	rtnl_unlock();
}

static int duct_net_queue_open(struct duct_net_queue *q)
{
	const struct duct_channel_config cfg = {
		.ops = &duct_net_channel_ops,
		.priv = q,
		.max_msg = NET_MSG_MAX,
		.tx_bytes = q->net->ring,
		.rx_bytes = q->net->ring,
	};
	const struct page_pool_params pool = {
		.flags = DUCT_COMPAT_PP_FRAG,
		.order = NET_PIECE_ORDER,
		.pool_size = NET_PIECES,
		.nid = NUMA_NO_NODE,
	};
	int err;

	q->pool = page_pool_create(&pool);
	if (IS_ERR(q->pool))
		return PTR_ERR(q->pool);
	err = duct_open(q->net->dd, q->number, &cfg, &q->ch);
	if (err) {
		page_pool_destroy(q->pool);
		return err;
	}
	napi_enable(&q->napi);
	/* It may have been up before this. */
	duct_net_kick(q);
	return 0;
}

/* The stack does not send by it any more. */
static void duct_net_queue_close(struct duct_net_queue *q)
{
	struct duct_channel *ch = q->ch;
	struct duct_stats stats;

	napi_disable(&q->napi);
	duct_stop(ch);
	duct_net_lost(q);
	timer_delete_sync(&q->stall);
	duct_stats(ch, &stats);
	q->past.out_events += stats.out_events;
	q->past.wakeups += stats.wakeups;
	q->ch = NULL;
	duct_close(ch);
	page_pool_destroy(q->pool);
}

/**
 * duct_net_set_open() - how many channels are to be open. RTNL
 * @net: the device
 * @open: how many
 *
 * Return: 0, or why a channel cannot be opened; those before it are
 */
int duct_net_set_open(struct duct_net *net, unsigned int open)
{
	unsigned int was = net->open;
	int err = 0;

	ASSERT_RTNL();
	if (!netif_running(net->dev)) {
		net->open = open;
		return 0;
	}
	/* Waits until nobody sends by the others. */
	if (net->dev->real_num_tx_queues > open)
		netif_set_real_num_queues(net->dev, open, open);
	while (net->open > open)
		duct_net_queue_close(&net->queue[--net->open]);
	while (net->open < open && !err) {
		err = duct_net_queue_open(&net->queue[net->open]);
		net->open += !err;
	}
	if (net->open != was)
		schedule_work(&net->count_work);
	return err;
}

/* ---- the device ---- */

static void duct_net_close_all(struct duct_net *net, unsigned int n)
{
	while (n)
		duct_net_queue_close(&net->queue[--n]);
}

static int duct_net_open(struct net_device *dev)
{
	struct duct_net *net = netdev_priv(dev);
	unsigned int i;
	int err;

	netif_carrier_off(dev);
	netif_tx_start_all_queues(dev);
	for (i = 0; i < net->open; i++) {
		err = duct_net_queue_open(&net->queue[i]);
		if (err) {
			duct_net_close_all(net, i);
			return err;
		}
	}
	return 0;
}

static int duct_net_stop(struct net_device *dev)
{
	struct duct_net *net = netdev_priv(dev);

	duct_net_close_all(net, net->open);
	return 0;
}

static int duct_net_change_mtu(struct net_device *dev, int mtu)
{
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static void duct_net_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *to)
{
	struct duct_net *net = netdev_priv(dev);
	unsigned int i, start;

	for (i = 0; i < net->queues; i++) {
		struct duct_net_tx_stats *tx = &net->queue[i].tx;
		struct duct_net_rx_stats *rx = &net->queue[i].rx;
		u64 packets, bytes, dropped, length, frame;

		do {
			start = u64_stats_fetch_begin(&tx->sync);
			packets = u64_stats_read(&tx->packets);
			bytes = u64_stats_read(&tx->bytes);
			dropped = u64_stats_read(&tx->dropped);
		} while (u64_stats_fetch_retry(&tx->sync, start));
		to->tx_packets += packets;
		to->tx_bytes += bytes;
		to->tx_dropped += dropped;
		do {
			start = u64_stats_fetch_begin(&rx->sync);
			packets = u64_stats_read(&rx->packets);
			bytes = u64_stats_read(&rx->bytes);
			dropped = u64_stats_read(&rx->dropped);
			length = u64_stats_read(&rx->length);
			frame = u64_stats_read(&rx->frame);
		} while (u64_stats_fetch_retry(&rx->sync, start));
		to->rx_packets += packets;
		to->rx_bytes += bytes;
		to->rx_dropped += dropped;
		to->rx_length_errors += length;
		to->rx_frame_errors += frame;
		to->rx_errors += length + frame;
	}
}

static const struct net_device_ops duct_net_ops = {
	.ndo_open = duct_net_open,
	.ndo_stop = duct_net_stop,
	.ndo_start_xmit = duct_net_xmit,
	.ndo_features_check = duct_net_features_check,
	.ndo_get_stats64 = duct_net_get_stats64,
	.ndo_change_mtu = duct_net_change_mtu,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

/* ---- parameters ---- */

/* Return: 0 and @value, which stays as it is if there is no parameter; -EINVAL */
static int duct_net_number(struct duct_device *dd, const char *key, unsigned int least,
			   unsigned int most, unsigned int *value)
{
	const char *text = duct_param(dd, key, NULL);
	unsigned int n;

	if (!text)
		return 0;
	if (kstrtouint(text, 10, &n) || n < least || n > most) {
		duct_err(dd, "parameter %s: \"%s\" is not a number from %u to %u\n", key,
			 text, least, most);
		return -EINVAL;
	}
	*value = n;
	return 0;
}

/* @mac stays as it is if there is no parameter. */
static int duct_net_mac(struct duct_device *dd, u8 *mac)
{
	const char *text = duct_param(dd, "mac", NULL);

	if (!text)
		return 0;
	if (strlen(text) != 3 * ETH_ALEN - 1 || !mac_pton(text, mac) || !is_valid_ether_addr(mac)) {
		duct_err(dd, "parameter mac: \"%s\" is not the address of an interface\n",
			 text);
		return -EINVAL;
	}
	return 0;
}

static int duct_net_name(struct duct_device *dd, const char **name)
{
	*name = duct_param(dd, "name", "duct%d");
	if (!dev_valid_name(*name)) {
		duct_err(dd, "parameter name: \"%s\" is not the name of an interface\n", *name);
		return -EINVAL;
	}
	return 0;
}

/*
 * The ring of a queue, each way. A large one saves stops and events, and is most of what
 * a link costs; all queues together ask for half of the pages that a link has by default.
 */
static unsigned int duct_net_ring(unsigned int queues)
{
	return clamp(rounddown_pow_of_two(NET_RINGS / queues), NET_RING_MIN, NET_RING_MAX);
}

/* ---- the driver ---- */

static void duct_net_init(struct duct_net *net, struct net_device *dev, struct duct_device *dd,
			  unsigned int queues)
{
	unsigned int i;

	net->dev = dev;
	net->dd = dd;
	net->queues = queues;
	net->open = queues;
	INIT_WORK(&net->count_work, duct_net_count_work);
	SET_NETDEV_DEV(dev, &dd->dev);
	dev->netdev_ops = &duct_net_ops;
	dev->ethtool_ops = &duct_net_ethtool_ops;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_RXCSUM |
			NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN;
	dev->vlan_features = dev->features;
	/* The peer sends without checksums, whatever is set here. */
	dev->hw_features = dev->features & ~NETIF_F_RXCSUM;
	for (i = 0; i < queues; i++) {
		struct duct_net_queue *q = &net->queue[i];

		q->net = net;
		q->number = i;
		u64_stats_init(&q->tx.sync);
		u64_stats_init(&q->rx.sync);
		timer_setup(&q->stall, duct_net_tx_stalled, 0);
		netif_napi_add(dev, &q->napi, duct_net_poll);
	}
}

static int duct_net_probe(struct duct_device *dd)
{
	unsigned int queues = min(num_online_cpus(), 8u), mtu = ETH_DATA_LEN;
	unsigned int ring;
	struct net_device *dev;
	struct duct_net *net;
	u8 mac[ETH_ALEN] = {};
	const char *name;
	int err;

	err = duct_net_name(dd, &name) ?: duct_net_mac(dd, mac) ?:
	      duct_net_number(dd, "mtu", ETH_MIN_MTU, ETH_MAX_MTU, &mtu) ?:
	      duct_net_number(dd, "queues", 1, NET_QUEUES_MAX, &queues);
	if (err)
		return err;
	ring = duct_net_ring(queues);
	err = duct_net_number(dd, "ring", NET_RING_MIN, NET_RING_MOST, &ring);
	if (err)
		return err;
	dev = alloc_netdev_mqs(struct_size(net, queue, queues), name,
			       strchr(name, '%') ? NET_NAME_ENUM : NET_NAME_PREDICTABLE,
			       ether_setup, queues, queues);
	if (!dev)
		return -ENOMEM;
	net = netdev_priv(dev);
	duct_net_init(net, dev, dd, queues);
	if (is_zero_ether_addr(mac))
		eth_hw_addr_random(dev);
	else
		eth_hw_addr_set(dev, mac);
	dev->mtu = mtu;
	net->ring = ring;
	netif_set_real_num_queues(dev, 1, 1);
	netif_carrier_off(dev);
	err = register_netdev(dev);
	if (err) {
		duct_err(dd, "no interface %s: %d\n", name, err);
		free_netdev(dev);
		return err;
	}
	dev_set_drvdata(&dd->dev, net);
	return 0;
}

static void duct_net_remove(struct duct_device *dd)
{
	struct duct_net *net = dev_get_drvdata(&dd->dev);

	unregister_netdev(net->dev);
	cancel_work_sync(&net->count_work);
	free_netdev(net->dev);
}

static const struct duct_device_id duct_net_ids[] = {
	{ "net" },
	{ }
};

static struct duct_driver duct_net_driver = {
	.id_table = duct_net_ids,
	.roles = DUCT_PEER,
	.keep = true,
	.probe = duct_net_probe,
	.remove = duct_net_remove,
};
module_duct_driver(duct_net_driver);

MODULE_ALIAS_DUCT("net");
MODULE_DESCRIPTION("xen-duct: network interfaces");
MODULE_LICENSE("GPL");
