// SPDX-License-Identifier: GPL-2.0
/*
 * duct_hostile.ko: a peer that breaks the rules, for the rig; never on a system that is
 * used. It takes the place of duct_perf at one end of a link. In debugfs:
 *
 *   duct_hostile/attacks    what there is: NUMBER;FROM;NAME;WHY, see attacks.h; no WHY
 *                           but "channel" where only the channel is broken by it
 *   duct_hostile/<device>   a line that is written there is done:
 *
 *     attack NUMBER         once
 *     storm HOW [NODE]      on and on, until the next: see hostile_storms; the flood writes
 *                           that node of xenstore, relative to the domain's own
 *     storm none
 *     hold FROM TO          maps what the peer grants us by references of that range
 *     drop                  unmaps it
 *     revoke ...            see hostile_grants.c
 *
 * It reads nothing that the peer sends, but the answers to calls that lend what is revoked,
 * and answers no call. But for the storm "keep": all calls are answered, and what they lend
 * is mapped, and stays so.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "../services/perf.h"
#include "attacks.h"
#include "hostile_grants.h"

#define HOSTILE_HELD	1024u
#define HOSTILE_KEEPS	10	/* seconds */

/**
 * struct hostile - one device
 * @dd: the device
 * @dir: the file in debugfs
 * @lock: one line at a time
 * @ch: what duct_perf has, too: messages, a stream
 * @task: of a storm
 * @storm: what it does, again and again
 * @rnd: for it
 * @node: that the flood writes
 * @floods: how often it has
 * @grants: what is revoked
 * @held: mappings of single pages
 * @held_n: of those
 * @data: what attacks send
 */
struct hostile {
	struct duct_device *dd;
	struct dentry *dir;
	struct mutex lock;
	struct duct_channel *ch[2];
	struct task_struct *task;
	void (*storm)(struct hostile *h);
	struct rnd_state rnd;
	char node[64];
	u32 floods;
	struct hostile_grants grants;
	struct duct_mapping *held[HOSTILE_HELD];
	u32 held_n;
	u8 data[PAGE_SIZE];
};

static struct dentry *hostile_root;

/* ---- storms ---- */

static void hostile_storm_events(struct hostile *h)
{
	struct duct_slot *slot;

	rcu_read_lock();
	slot = hostile_slot_of(h->ch[0]);
	if (slot)
		slot->link->ops->notify(slot->link->wire, slot->door);
	rcu_read_unlock();
}

/* For slots that are there and that are not. */
static void hostile_storm_bits(struct hostile *h)
{
	struct duct_slot *slot;
	u32 i;

	rcu_read_lock();
	slot = hostile_slot_of(h->ch[0]);
	for (i = 0; slot && i < DUCT_SLOTS / 64; i++)
		duct_peer_write64(&slot->link->door[slot->door].out->bits[i], U64_MAX);
	if (slot)
		slot->link->ops->notify(slot->link->wire, slot->door);
	rcu_read_unlock();
}

/* As many as there is room for, each with an event if that is taken. */
static void hostile_storm_messages(struct hostile *h)
{
	duct_send(h->ch[0], h->data, 1, 0);
}

/* Well formed, and of no use. */
static void hostile_storm_control(struct hostile *h)
{
	const union duct_ctl msg = {
		.close = { .type = DUCT_CTL_CLOSE, .slot = 500, .generation = 1 },
	};
	struct duct_link *link = to_duct_link(h->dd->dev.parent);
	struct duct_slot *slot;
	bool room = false;

	rcu_read_lock();
	slot = hostile_slot_of(h->ch[0]);
	slot = slot ? rcu_dereference(slot->link->slots[DUCT_SLOT_CONTROL]) : NULL;
	if (slot)
		room = slot->tx.prod - duct_peer_acquire32(&slot->tx.shared->cons) <= DUCT_CONTROL_BYTES / 2;
	rcu_read_unlock();
	if (room)
		hostile_control(link, &msg, sizeof(msg.close));
}

/* Messages, and their ring is written over while they are read. */
static void hostile_storm_rewrite(struct hostile *h)
{
	struct duct_slot *slot;
	u32 i;

	duct_send(h->ch[0], h->data, 1 + prandom_u32_state(&h->rnd) % 64, 0);
	rcu_read_lock();
	slot = hostile_slot_of(h->ch[0]);
	for (i = 0; slot && i < 8; i++) {
		u32 at = (slot->tx.prod - prandom_u32_state(&h->rnd) % 1024) & (slot->tx.size - 1);

		duct_peer_release32((u32 __peer *)(slot->tx.data + round_down(at, 4)),
				    prandom_u32_state(&h->rnd) >> prandom_u32_state(&h->rnd) % 32);
	}
	rcu_read_unlock();
}

/* Memory lent with a call, which has its answer. Until "drop", or there is no room. */
static void hostile_keep(struct hostile *h, const struct duct_bulk_in *bulk)
{
	struct duct_mapping *page;
	u32 i, ref;

	for (i = 0; i < bulk->head.words && h->held_n < HOSTILE_HELD; i++) {
		if ((bulk->word[i] & DUCT_SEG_KIND) != DUCT_SEG_PAGE) {
			i += (bulk->word[i] & DUCT_SEG_KIND) == DUCT_SEG_PART;
			continue;
		}
		ref = bulk->word[i] & DUCT_SEG_REST;
		page = duct_xen_memory.map(h->dd->peer, &ref, 1, false);
		if (!IS_ERR(page))
			h->held[h->held_n++] = page;
	}
}

/* An answer to each call, which would say to duct_perf that nothing came. */
static void hostile_storm_keep(struct hostile *h)
{
	struct duct_request_core *req;
	struct duct_msg msg;

	if (duct_next(h->ch[0], &msg)) {
		usleep_range(1000, 2000);
		return;
	}
	if (msg.request) {
		req = container_of(msg.request, struct duct_request_core, pub);
		if (req->bulk)
			hostile_keep(h, req->bulk);
		memset(h->data, 0, sizeof(struct perf_report));
		duct_reply(msg.request, h->data, sizeof(struct perf_report));
	}
	duct_release(&msg);
}

/* Nothing to the peer, and as busy: what others have left of the processors beside it. */
static void hostile_storm_idle(struct hostile *h)
{
	prandom_u32_state(&h->rnd);
}

/* What the node of a state says already, so that whoever watches it finds nothing new. */
static void hostile_storm_flood(struct hostile *h)
{
	if (!xenbus_printf(XBT_NIL, h->node, "", "%d", XenbusStateConnected))
		WRITE_ONCE(h->floods, h->floods + 1);
}

static const struct {
	const char *name;
	void (*run)(struct hostile *h);
} hostile_storms[] = {
	{ "none", NULL },
	{ "events", hostile_storm_events },
	{ "bits", hostile_storm_bits },
	{ "messages", hostile_storm_messages },
	{ "control", hostile_storm_control },
	{ "rewrite", hostile_storm_rewrite },
	{ "flood", hostile_storm_flood },
	{ "keep", hostile_storm_keep },
	{ "idle", hostile_storm_idle },
};

static int hostile_storm_thread(void *arg)
{
	struct hostile *h = arg;

	while (!kthread_should_stop()) {
		h->storm(h);
		cond_resched();
	}
	return 0;
}

static void hostile_calm(struct hostile *h)
{
	if (h->task)
		kthread_stop(h->task);
	h->task = NULL;
}

static int hostile_do_storm(struct hostile *h, const char *name)
{
	struct task_struct *task;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hostile_storms); i++)
		if (!strcmp(name, hostile_storms[i].name))
			break;
	if (i == ARRAY_SIZE(hostile_storms))
		return -EINVAL;
	hostile_calm(h);
	h->storm = hostile_storms[i].run;
	if (!h->storm)
		return 0;
	task = kthread_run(hostile_storm_thread, h, "duct_hostile");
	if (IS_ERR(task))
		return PTR_ERR(task);
	h->task = task;
	return 0;
}

/* ---- memory that is not let go of ---- */

static void hostile_drop(struct hostile *h)
{
	while (h->held_n)
		duct_xen_memory.unmap(h->held[--h->held_n]);
}

static int hostile_hold(struct hostile *h, u32 from, u32 to)
{
	u32 ref;

	for (ref = from; ref < to && h->held_n < HOSTILE_HELD; ref++) {
		struct duct_mapping *page = duct_xen_memory.map(h->dd->peer, &ref, 1, false);

		if (!IS_ERR(page))
			h->held[h->held_n++] = page;
		if (signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* ---- lines ---- */

static int hostile_line(struct hostile *h, const char *line)
{
	char word[16] = "", node[sizeof(h->node)] = "";
	u32 a = 0, b = 0;

	if (sscanf(line, "attack %u", &a) == 1) {
		if (a < 1 || a > attacks_n)
			return -EINVAL;
		attack_run(&attacks[a - 1], h->ch[0], h->data);
		return 0;
	}
	if (sscanf(line, "storm %15s %63s", word, node) >= 1) {
		hostile_calm(h);
		strscpy(h->node, node, sizeof(h->node));
		return hostile_do_storm(h, word);
	}
	if (sscanf(line, "hold %u %u", &a, &b) == 2)
		return hostile_hold(h, a, b);
	if (!strncmp(line, "revoke ", 7))
		return hostile_revoke(&h->grants, h->ch[0], line + 7);
	if (!strncmp(line, "drop", 4)) {
		hostile_drop(h);
		return 0;
	}
	return -EINVAL;
}

static ssize_t hostile_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct hostile *h = ((struct seq_file *)file->private_data)->private;
	char *line;
	int err;

	if (len > 128)
		return -EINVAL;
	line = memdup_user_nul(from, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&h->lock);
	err = hostile_line(h, line);
	mutex_unlock(&h->lock);
	kfree(line);
	return err ?: len;
}

static int hostile_show(struct seq_file *m, void *unused)
{
	struct hostile *h = m->private;

	mutex_lock(&h->lock);
	seq_printf(m, "held %u\nerror %d\nfloods %u\n", h->held_n, duct_error(h->ch[0]),
		   READ_ONCE(h->floods));
	seq_printf(m, "revoked %u\nlent %d\n", h->grants.revoked, h->grants.err);
	mutex_unlock(&h->lock);
	return 0;
}

static int hostile_open(struct inode *inode, struct file *file)
{
	return single_open(file, hostile_show, inode->i_private);
}

static const struct file_operations hostile_fops = {
	.owner = THIS_MODULE,
	.open = hostile_open,
	.read = seq_read,
	.write = hostile_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int hostile_attacks_show(struct seq_file *m, void *unused)
{
	static const char * const from[] = { "", "front", "back", "both" };
	u32 i;

	for (i = 0; i < attacks_n; i++)
		seq_printf(m, "%u;%s;%s;%s\n", i + 1, from[attacks[i].from], attacks[i].name,
			   attacks[i].why ?: attacks[i].cons ? "sender" : "channel");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hostile_attacks);

/* ---- the driver ---- */

static void hostile_ready(struct duct_channel *ch)
{
}

static int hostile_probe(struct duct_device *dd)
{
	static const struct duct_channel_ops ops = { .ready = hostile_ready };
	struct duct_channel_config cfg = {
		.ops = &ops,
		.max_msg = 256,
		.max_calls = 1,
		.max_answer = 256,
	};
	struct duct_channel_config stream = { .ops = &ops, .flags = DUCT_STREAM };
	struct hostile *h = devm_kzalloc(&dd->dev, sizeof(*h), GFP_KERNEL);
	int err;

	if (!h)
		return -ENOMEM;
	h->dd = dd;
	mutex_init(&h->lock);
	prandom_seed_state(&h->rnd, 1);
	err = duct_open(dd, 0, &cfg, &h->ch[0]) ?: duct_open(dd, 1, &stream, &h->ch[1]);
	if (err)
		return err;
	dev_set_drvdata(&dd->dev, h);
	h->dir = debugfs_create_file(dev_name(&dd->dev), 0600, hostile_root, h, &hostile_fops);
	return 0;
}

static void hostile_remove(struct duct_device *dd)
{
	struct hostile *h = dev_get_drvdata(&dd->dev);

	debugfs_remove(h->dir);
	hostile_calm(h);
	/* The peer ends its link, finds all of it mapped, and has time to say so. */
	if (h->held_n)
		ssleep(HOSTILE_KEEPS);
	hostile_drop(h);
	hostile_grants_end(&h->grants);
}

static const struct duct_device_id hostile_ids[] = {
	{ "perf" },
	{ }
};

static struct duct_driver hostile_driver = {
	.id_table = hostile_ids,
	.roles = DUCT_PEER,
	.probe = hostile_probe,
	.remove = hostile_remove,
};

static int __init hostile_init(void)
{
	int err;

	hostile_root = debugfs_create_dir("duct_hostile", NULL);
	debugfs_create_file("attacks", 0400, hostile_root, NULL, &hostile_attacks_fops);
	err = duct_driver_register(&hostile_driver);
	if (err)
		debugfs_remove(hostile_root);
	return err;
}

static void __exit hostile_exit(void)
{
	duct_driver_unregister(&hostile_driver);
	debugfs_remove(hostile_root);
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_DESCRIPTION("xen-duct: a peer that breaks the rules, for tests");
MODULE_LICENSE("GPL");
