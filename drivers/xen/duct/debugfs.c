// SPDX-License-Identifier: GPL-2.0
/* debugfs: a dump of a link and its rings, for people who look for a bug. */
#include <linux/debugfs.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "core.h"

static struct dentry *duct_debugfs_dir;

static void duct_dump_ring(struct seq_file *m, const struct duct_slot *slot)
{
	const struct duct_tx *tx = &slot->tx;
	const struct duct_rx *rx = &slot->rx;

	seq_printf(m, "  tx size %u prod %u published %u cons %u; shared prod %u want_space %u cons %u want_data %u\n",
		   tx->size, tx->prod, tx->published, tx->cons,
		   duct_peer_read32(&tx->shared->prod), duct_peer_read32(&tx->shared->want_space),
		   duct_peer_read32(&tx->shared->cons), duct_peer_read32(&tx->shared->want_data));
	seq_printf(m, "  rx size %u cons %u returned %u prod %u; shared prod %u want_space %u cons %u want_data %u\n",
		   rx->size, rx->cons, rx->returned, rx->prod,
		   duct_peer_read32(&rx->shared->prod), duct_peer_read32(&rx->shared->want_space),
		   duct_peer_read32(&rx->shared->cons), duct_peer_read32(&rx->shared->want_data));
}

static void duct_dump_slot(struct seq_file *m, const struct duct_slot *slot)
{
	seq_printf(m, "slot %u generation %u credit %d flags %#lx close %d/%d calls %u/%u serving %u\n",
		   slot->index, slot->generation, atomic_read(&slot->credit), slot->flags,
		   slot->sent_close, slot->got_close, slot->calls_busy, slot->max_calls,
		   slot->serving);
	/* One that was closed before it had rings has none. */
	if (slot->tx.shared)
		duct_dump_ring(m, slot);
}

static int duct_dump_show(struct seq_file *m, void *unused)
{
	struct duct_link *link = m->private;
	struct duct_service *service;
	u32 i;

	mutex_lock(&link->lock);
	seq_printf(m, "link %d %s dom%u epoch %u running %d greeted %d fault %s\n", link->id,
		   duct_link_is_front(link) ? "front" : "back", link->peer, link->epoch,
		   link->running, link->greeted, link->fault ?: "none");
	list_for_each_entry(service, &link->services, node)
		seq_printf(m, "service %s.%u role %u local %d announced %d offered %d bound %d wanted %d life %u\n",
			   service->name, service->instance, service->role, service->local,
			   service->announced, service->offered, service->bound, service->wanted,
			   service->life);
	for (i = 0; i < DUCT_SLOTS; i++) {
		struct duct_slot *slot = rcu_dereference_protected(link->slots[i],
						lockdep_is_held(&link->lock));

		if (slot)
			duct_dump_slot(m, slot);
	}
	mutex_unlock(&link->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(duct_dump);

void duct_debugfs_link(struct duct_link *link)
{
	link->debugfs = debugfs_create_dir(dev_name(&link->dev), duct_debugfs_dir);
	debugfs_create_file("dump", 0400, link->debugfs, link, &duct_dump_fops);
}

void duct_debugfs_unlink(struct duct_link *link)
{
	debugfs_remove_recursive(link->debugfs);
}

void duct_debugfs_init(void)
{
	duct_debugfs_dir = debugfs_create_dir("duct", NULL);
}

void duct_debugfs_exit(void)
{
	debugfs_remove_recursive(duct_debugfs_dir);
}
