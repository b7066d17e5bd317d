// SPDX-License-Identifier: GPL-2.0
/*
 * Channels of the kernel, measured bare: duct_perf hashes every byte, which costs more than
 * sending it. A service "bench", both ends equal. debugfs has a file duct_bench/<device>;
 * writing a line runs it, reading gives the results, one "name value" a line:
 *
 *   ready-ping SIZE COUNT         there and back, ready() at both ends does all of it
 *   thread-ping SIZE COUNT        the same in recv(), a thread at both ends
 *   ready-rate SIZE COUNT BATCH   messages to the peer, published BATCH at a time, received
 *   thread-rate SIZE COUNT BATCH  in ready() or in recv()
 *   ready-fill SIZE COUNT         messages that fit into the ring, published at the end: "ns"
 *   thread-fill SIZE COUNT        is the sender's time alone, "rest" until all are received
 *
 * The payload is not looked at: that all of it comes, once and in order, duct_perf shows.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <xen/duct.h>

#define BENCH_MAX	4096u
#define BENCH_RING	(64u << 10)	/* as libxenvchan's */
#define BENCH_WAIT	(120 * HZ)

enum { BENCH_READY, BENCH_THREAD, BENCH_CHANNELS, BENCH_ASK = BENCH_CHANNELS };

enum bench_mode {
	BENCH_ECHO,	/* send each message back */
	BENCH_SINK,	/* after @left messages send one */
	BENCH_PING,	/* send the next for each that comes, until @left have come */
};

/* A call on the channel of calls: what to do from now on. The answer is struct duct_stats. */
struct bench_order {
	u32 channel;
	u32 mode;
	u32 left;
};

/**
 * struct bench_end - one channel of one device
 * @ch: the channel
 * @mode: what to do with what comes; set while nothing is on its way
 * @left: messages until the end of it; the receiver's
 * @done: what was waited for came
 * @err: of sending in the receiver
 * @data: what was received, and is sent
 */
struct bench_end {
	struct duct_channel *ch;
	enum bench_mode mode;
	u32 left;
	struct completion done;
	int err;
	u8 data[BENCH_MAX];
};

/**
 * struct bench - one device
 * @ask: channel of calls
 * @end: of each way to receive
 * @lock: one run at a time; covers @result
 * @dir: the file
 * @result: of the last run
 */
struct bench {
	struct duct_channel *ask;
	struct bench_end *end[BENCH_CHANNELS];
	struct mutex lock;
	struct dentry *dir;
	struct {
		u64 messages, bytes, ns, rest;
		struct duct_stats here, there;
	} result;
};

static struct dentry *bench_root;

/* ---- receiving ---- */

static void bench_answer(struct bench_end *end, u32 len)
{
	int err = duct_send(end->ch, end->data, len, 0);

	if (err) {
		end->err = err;
		complete(&end->done);
	}
}

static void bench_came(struct bench_end *end, u32 len)
{
	switch (end->mode) {
	case BENCH_ECHO:
		bench_answer(end, len);
		break;
	case BENCH_SINK:
		if (end->left && !--end->left)
			bench_answer(end, len);
		break;
	case BENCH_PING:
		if (end->left && --end->left)
			bench_answer(end, len);
		else
			complete(&end->done);
		break;
	}
}

static int bench_read(struct bench_end *end, struct duct_msg *msg)
{
	return msg->len <= BENCH_MAX ? duct_read(msg, end->data, msg->len) : -EMSGSIZE;
}

static void bench_ready(struct duct_channel *ch)
{
	struct bench_end *end = ch->priv;
	struct duct_msg msg;

	while (!duct_next(ch, &msg)) {
		u32 len = msg.len;
		int err = bench_read(end, &msg);

		duct_release(&msg);
		if (!err)
			bench_came(end, len);
	}
}

static int bench_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct bench_end *end = ch->priv;
	u32 len = msg->len;
	int err = bench_read(end, msg);

	if (!err)
		bench_came(end, len);
	return err;
}

static void bench_set(struct bench_end *end, enum bench_mode mode, u32 left)
{
	reinit_completion(&end->done);
	end->mode = mode;
	end->left = left;
	end->err = 0;
}

static int bench_asked(struct duct_channel *ch, struct duct_msg *msg)
{
	struct bench *bench = ch->priv;
	struct bench_order order;
	struct duct_stats stats;
	int err;

	if (!msg->request || msg->len != sizeof(order))
		return -EINVAL;
	err = duct_read(msg, &order, sizeof(order));
	if (err)
		return err;
	if (order.channel >= BENCH_CHANNELS || order.mode > BENCH_SINK)
		return -EINVAL;
	bench_set(bench->end[order.channel], order.mode, order.left);
	duct_stats(bench->end[order.channel]->ch, &stats);
	return duct_reply(msg->request, &stats, sizeof(stats));
}

static const struct duct_channel_ops bench_ops[] = {
	[BENCH_READY] = { .ready = bench_ready },
	[BENCH_THREAD] = { .recv = bench_recv },
	[BENCH_ASK] = { .recv = bench_asked },
};

/* ---- runs ---- */

static int bench_order(struct bench *bench, u32 channel, enum bench_mode mode, u32 left,
		       struct duct_stats *stats)
{
	const struct bench_order order = { .channel = channel, .mode = mode, .left = left };
	ssize_t n = duct_call(bench->ask, &order, sizeof(order), stats, sizeof(*stats), BENCH_WAIT);

	return n < 0 ? n : n == sizeof(*stats) ? 0 : -EPROTO;
}

static int bench_send(struct bench_end *end, u32 size, u32 count, u32 batch)
{
	int err = 0;
	u32 i;

	for (i = 1; i <= count && !err; i++) {
		u32 flags = i % batch && i < count ? DUCT_MORE : 0;

		while ((err = duct_send(end->ch, end->data, size, flags)) == -EAGAIN) {
			err = duct_wait_writable(end->ch, size, BENCH_WAIT);
			if (err)
				return err;
		}
	}
	return err;
}

/* The peer sleeps meanwhile: it sees nothing of them. */
static int bench_fill(struct bench *bench, struct bench_end *end, u32 size, u32 count)
{
	ktime_t start = ktime_get();
	int err = 0;
	u32 i;

	for (i = 0; i < count && !err; i++)
		err = duct_send(end->ch, end->data, size, DUCT_MORE);
	bench->result.ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	duct_publish(end->ch);
	return err;
}

static void bench_since(struct duct_stats *now, const struct duct_stats *before)
{
	u64 *n = (u64 *)now;
	const u64 *b = (const u64 *)before;
	u32 i;

	for (i = 0; i < sizeof(*now) / sizeof(*n); i++)
		n[i] -= b[i];
}

static int bench_run(struct bench *bench, u32 channel, const char *what, u32 size, u32 count,
		     u32 batch)
{
	bool ping = !strcmp(what, "ping"), fill = !strcmp(what, "fill");
	struct bench_end *end = bench->end[channel];
	struct duct_stats here, there;
	ktime_t start;
	int err;

	err = bench_order(bench, channel, ping ? BENCH_ECHO : BENCH_SINK, count, &there);
	if (err)
		return err;
	/* A rate's end is one message back. */
	bench_set(end, BENCH_PING, ping ? count : 1);
	duct_stats(end->ch, &here);
	start = ktime_get();
	if (ping)
		err = duct_send(end->ch, end->data, size, 0);
	else if (fill)
		err = bench_fill(bench, end, size, count);
	else
		err = bench_send(end, size, count, batch);
	if (!err && !wait_for_completion_timeout(&end->done, BENCH_WAIT))
		err = -ETIMEDOUT;
	bench->result.rest = ktime_to_ns(ktime_sub(ktime_get(), start)) - bench->result.ns;
	if (!fill)
		swap(bench->result.rest, bench->result.ns);
	bench->result.messages = count;
	bench->result.bytes = (u64)count * size;
	duct_stats(end->ch, &bench->result.here);
	bench_since(&bench->result.here, &here);
	err = err ?: end->err ?: bench_order(bench, channel, BENCH_ECHO, 0, &bench->result.there);
	bench_since(&bench->result.there, &there);
	return err;
}

static ssize_t bench_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct bench *bench = ((struct seq_file *)file->private_data)->private;
	u32 size, count, batch = 1;
	char line[64], how[8], what[8];
	int n, err;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	line[len] = 0;
	n = sscanf(line, "%7[^-]-%7s %u %u %u", how, what, &size, &count, &batch);
	if (n < 4 || !size || size > BENCH_MAX || !count || !batch ||
	    (strcmp(how, "ready") && strcmp(how, "thread")) ||
	    (strcmp(what, "ping") && strcmp(what, "rate") && strcmp(what, "fill")))
		return -EINVAL;
	mutex_lock(&bench->lock);
	memset(&bench->result, 0, sizeof(bench->result));
	err = bench_run(bench, strcmp(how, "ready") ? BENCH_THREAD : BENCH_READY,
			what, size, count, batch);
	mutex_unlock(&bench->lock);
	return err ?: len;
}

static int bench_show(struct seq_file *m, void *unused)
{
	struct bench *bench = m->private;
	struct duct_stats *here = &bench->result.here, *there = &bench->result.there;

	mutex_lock(&bench->lock);
	seq_printf(m, "messages %llu\nbytes %llu\nns %llu\nrest %llu\n", bench->result.messages,
		   bench->result.bytes, bench->result.ns, bench->result.rest);
	seq_printf(m, "notifies %llu\npeer_notifies %llu\nwakeups %llu\npeer_wakeups %llu\n",
		   here->out_events, there->out_events, here->wakeups, there->wakeups);
	mutex_unlock(&bench->lock);
	return 0;
}

static int bench_file_open(struct inode *inode, struct file *file)
{
	return single_open(file, bench_show, inode->i_private);
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_file_open,
	.read = seq_read,
	.write = bench_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- life ---- */

static int bench_probe(struct duct_device *dd)
{
	struct duct_channel_config cfg = {
		.tx_bytes = BENCH_RING,
		.rx_bytes = BENCH_RING,
		.max_msg = BENCH_MAX,
	};
	struct bench *bench = devm_kzalloc(&dd->dev, sizeof(*bench), GFP_KERNEL);
	u32 i;
	int err;

	if (!bench)
		return -ENOMEM;
	mutex_init(&bench->lock);
	for (i = 0; i < BENCH_CHANNELS; i++) {
		struct bench_end *end = devm_kzalloc(&dd->dev, sizeof(*end), GFP_KERNEL);

		if (!end)
			return -ENOMEM;
		init_completion(&end->done);
		bench->end[i] = end;
		cfg.ops = &bench_ops[i];
		cfg.priv = end;
		err = duct_open(dd, i, &cfg, &end->ch);
		if (err)
			return err;
	}
	cfg = (struct duct_channel_config) {
		.ops = &bench_ops[BENCH_ASK],
		.priv = bench,
		.max_calls = 1,
		.max_answer = sizeof(struct duct_stats),
	};
	err = duct_open(dd, BENCH_ASK, &cfg, &bench->ask);
	if (err)
		return err;
	dev_set_drvdata(&dd->dev, bench);
	bench->dir = debugfs_create_file(dev_name(&dd->dev), 0600, bench_root, bench, &bench_fops);
	return 0;
}

static void bench_remove(struct duct_device *dd)
{
	struct bench *bench = dev_get_drvdata(&dd->dev);
	u32 i;

	/* Ends a run, so that the file can go. */
	duct_stop(bench->ask);
	for (i = 0; i < BENCH_CHANNELS; i++) {
		duct_stop(bench->end[i]->ch);
		complete_all(&bench->end[i]->done);
	}
	debugfs_remove(bench->dir);
}

static const struct duct_device_id bench_ids[] = {
	{ "bench" },
	{ }
};

static struct duct_driver bench_driver = {
	.id_table = bench_ids,
	.roles = DUCT_PEER,
	.probe = bench_probe,
	.remove = bench_remove,
};

static int __init bench_init(void)
{
	int err;

	bench_root = debugfs_create_dir("duct_bench", NULL);
	err = duct_driver_register(&bench_driver);
	if (err)
		debugfs_remove(bench_root);
	return err;
}

static void __exit bench_exit(void)
{
	duct_driver_unregister(&bench_driver);
	debugfs_remove(bench_root);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_ALIAS_DUCT("bench");
MODULE_DESCRIPTION("xen-duct: channels of the kernel, measured bare");
MODULE_LICENSE("GPL");
