// SPDX-License-Identifier: GPL-2.0
/*
 * Many channels at once. A service "many", both ends equal. debugfs has a file
 * duct_many/<device>; writing a line runs it, reading gives the results, one "name value" a
 * line:
 *
 *   open CHANNELS RING   so many are open at both ends, of RING bytes each way: opens what
 *                        is missing, closes what is too many
 *   rate SIZE MS         each of them sends, in a thread of its own, messages of SIZE bytes to
 *                        the peer: what the peer received in MS milliseconds, in which all sent
 *
 * "squares" is the sum over the channels of the square of their messages, for Jain's index.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <xen/duct.h>

#define MANY_MOST	250u	/* channels: the budget of a link is 256 */
#define MANY_FIRST	16u	/* the number of the first; 0 is of calls */
#define MANY_SIZE	256u	/* longest message, bytes */
#define MANY_WAIT	(120 * HZ)

/* What the peer shall do. The answer is struct many_counts. */
struct many_order {
	u32 open;	/* 0: only look */
	u32 channels;
	u32 ring;
};

/* What has been received so far. */
struct many_counts {
	s64 err;	/* of opening, or 0 */
	u64 ns;
	u64 messages[MANY_MOST];
};

/**
 * struct many_end - one channel
 * @many: whose
 * @ch: the channel; NULL: not open
 * @up: it is, at both ends
 * @task: sends; a run's
 * @size: of the messages that @task sends
 * @err: why @task sends no more
 * @sent: messages, since it was opened
 * @got: messages, since it was opened; the receiver's
 * @out: what is sent
 * @in: what was received
 */
struct many_end {
	struct many *many;
	struct duct_channel *ch;
	bool up;
	struct task_struct *task;
	u32 size;
	int err;
	u64 sent;
	u64 got;
	u8 out[MANY_SIZE];
	u8 in[MANY_SIZE];
};

/**
 * struct many - one device
 * @dd: the device
 * @ask: channel of calls
 * @lock: one run at a time; covers @open and what follows it
 * @end: by number
 * @open: so many are open
 * @wait: for &many_end.up
 * @stopping: nobody waits any more
 * @work: opens and closes as @order says, for @request
 * @order: of the peer
 * @request: of the peer
 * @counts: an answer of the peer's, at the begin and at the end; too long for a stack
 * @own: an answer to the peer
 * @dir: the file
 * @result: of the last run
 */
struct many {
	struct duct_device *dd;
	struct duct_channel *ask;
	struct mutex lock;
	struct many_end *end[MANY_MOST];
	u32 open;
	wait_queue_head_t wait;
	bool stopping;
	struct work_struct work;
	struct many_order order;
	struct duct_request *request;
	struct many_counts counts[2];
	struct many_counts own;
	struct dentry *dir;
	struct {
		u64 channels, messages, bytes, ns, squares, least, most;
	} result;
};

static struct dentry *many_root;

/* ---- a channel ---- */

static int many_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct many_end *end = ch->priv;
	int err = msg->len <= MANY_SIZE ? duct_read(msg, end->in, msg->len) : -EMSGSIZE;

	if (!err)
		WRITE_ONCE(end->got, end->got + 1);
	return err;
}

static void many_up(struct duct_channel *ch)
{
	struct many_end *end = ch->priv;

	WRITE_ONCE(end->up, true);
	wake_up_all(&end->many->wait);
}

static void many_down(struct duct_channel *ch, int why)
{
	struct many_end *end = ch->priv;

	WRITE_ONCE(end->up, false);
}

static const struct duct_channel_ops many_ops = {
	.recv = many_recv,
	.up = many_up,
	.down = many_down,
};

/* Has so many open here. Return: 0 or -errno */
static int many_open(struct many *many, u32 channels, u32 ring)
{
	struct duct_channel_config cfg = {
		.ops = &many_ops,
		.tx_bytes = ring,
		.rx_bytes = ring,
		.max_msg = MANY_SIZE,
	};

	lockdep_assert_held(&many->lock);
	while (many->open > channels) {
		struct many_end *end = many->end[--many->open];

		duct_close(end->ch);
		end->ch = NULL;
		end->up = false;
	}
	while (many->open < channels) {
		struct many_end *end = many->end[many->open];
		int err;

		cfg.priv = end;
		end->sent = 0;
		end->got = 0;
		err = duct_open(many->dd, MANY_FIRST + many->open, &cfg, &end->ch);
		if (err)
			return err;
		many->open++;
	}
	return 0;
}

/* ---- the peer ---- */

static void many_look(struct many *many, struct many_counts *counts)
{
	u32 i;

	counts->err = 0;
	counts->ns = ktime_get_ns();
	for (i = 0; i < MANY_MOST; i++)
		counts->messages[i] = READ_ONCE(many->end[i]->got);
}

static void many_work(struct work_struct *work)
{
	struct many *many = container_of(work, struct many, work);

	mutex_lock(&many->lock);
	many->own.err = many_open(many, many->order.channels, many->order.ring);
	mutex_unlock(&many->lock);
	duct_reply(many->request, &many->own, sizeof(many->own));
}

/* Closing waits for callbacks, and this is one: a work does it. */
static int many_asked(struct duct_channel *ch, struct duct_msg *msg)
{
	struct many *many = ch->priv;
	int err;

	if (!msg->request || msg->len != sizeof(many->order))
		return -EINVAL;
	err = duct_read(msg, &many->order, sizeof(many->order));
	if (err)
		return err;
	if (many->order.channels > MANY_MOST)
		return -EINVAL;
	if (!many->order.open) {
		many_look(many, &many->own);
		return duct_reply(msg->request, &many->own, sizeof(many->own));
	}
	many->request = msg->request;
	queue_work(system_unbound_wq, &many->work);
	return 0;
}

static const struct duct_channel_ops many_ask_ops = { .recv = many_asked };

/* ---- runs ---- */

static int many_ask(struct many *many, const struct many_order *order, struct many_counts *counts)
{
	ssize_t n = duct_call(many->ask, order, sizeof(*order), counts, sizeof(*counts), MANY_WAIT);

	return n < 0 ? n : n == sizeof(*counts) ? counts->err : -EPROTO;
}

static bool many_are_up(struct many *many)
{
	u32 i;

	for (i = 0; i < many->open && READ_ONCE(many->end[i]->up); i++)
		;
	return i == many->open;
}

static int many_have(struct many *many, u32 channels, u32 ring)
{
	const struct many_order order = { .open = 1, .channels = channels, .ring = ring };
	int err = many_ask(many, &order, &many->counts[0]) ?: many_open(many, channels, ring);

	if (err)
		return err;
	if (!wait_event_timeout(many->wait, many_are_up(many) || READ_ONCE(many->stopping),
				MANY_WAIT))
		return -ETIMEDOUT;
	return READ_ONCE(many->stopping) ? -ESHUTDOWN : 0;
}

/* A single one has to let others run, too, so all of them do. */
static int many_send(void *arg)
{
	struct many_end *end = arg;

	while (!end->err && !kthread_should_stop()) {
		end->err = duct_send(end->ch, end->out, end->size, 0);
		if (!end->err)
			end->sent++;
		else if (end->err == -EAGAIN)
			end->err = duct_wait_writable(end->ch, end->size, MANY_WAIT);
		cond_resched();
	}
	/* kthread_stop() is like a signal to who waits. */
	if (end->err == -ERESTARTSYS && kthread_should_stop())
		end->err = 0;
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static int many_start(struct many *many, u32 size)
{
	u32 i;

	for (i = 0; i < many->open; i++) {
		struct many_end *end = many->end[i];
		struct task_struct *task;

		end->size = size;
		end->err = 0;
		task = kthread_run(many_send, end, "duct_many/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		end->task = task;
	}
	return 0;
}

static int many_stop(struct many *many)
{
	int err = 0;
	u32 i;

	for (i = 0; i < many->open; i++) {
		struct many_end *end = many->end[i];

		if (!end->task)
			continue;
		kthread_stop(end->task);
		end->task = NULL;
		err = err ?: end->err;
	}
	return err;
}

/* Nothing is lost: waits until the peer has all that was sent. */
static int many_drain(struct many *many)
{
	const struct many_order look = { };
	struct many_counts *now = &many->counts[0];
	u32 i, tries;
	int err;

	for (tries = 0; tries < 500; tries++) {
		err = many_ask(many, &look, now);
		if (err)
			return err;
		for (i = 0; i < many->open && now->messages[i] == many->end[i]->sent; i++)
			;
		if (i == many->open)
			return 0;
		msleep(20);
	}
	return -EBADMSG;
}

static void many_sum(struct many *many, u32 size)
{
	u32 i;

	many->result.channels = many->open;
	many->result.ns = many->counts[1].ns - many->counts[0].ns;
	many->result.least = U64_MAX;
	for (i = 0; i < many->open; i++) {
		u64 n = many->counts[1].messages[i] - many->counts[0].messages[i];

		many->result.messages += n;
		many->result.squares += n * n;
		many->result.least = min(many->result.least, n);
		many->result.most = max(many->result.most, n);
	}
	many->result.bytes = many->result.messages * size;
}

/* The first quarter of the time all of them begin. */
static int many_rate(struct many *many, u32 size, u32 ms)
{
	const struct many_order look = { };
	int err = many_start(many, size), stopped;

	if (!err) {
		msleep(ms / 4);
		err = many_ask(many, &look, &many->counts[0]);
	}
	if (!err) {
		msleep(ms);
		err = many_ask(many, &look, &many->counts[1]);
	}
	stopped = many_stop(many);
	err = err ?: stopped;
	if (!err)
		many_sum(many, size);
	return err ?: many_drain(many);
}

static ssize_t many_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct many *many = ((struct seq_file *)file->private_data)->private;
	char line[64], what[8];
	int err = -EINVAL;
	u32 a, b;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	line[len] = 0;
	if (sscanf(line, "%7s %u %u", what, &a, &b) != 3)
		return -EINVAL;
	mutex_lock(&many->lock);
	memset(&many->result, 0, sizeof(many->result));
	if (!strcmp(what, "open") && a <= MANY_MOST)
		err = many_have(many, a, b);
	else if (!strcmp(what, "rate") && a && a <= MANY_SIZE && b && many->open)
		err = many_rate(many, a, b);
	mutex_unlock(&many->lock);
	return err ?: len;
}

static int many_show(struct seq_file *m, void *unused)
{
	struct many *many = m->private;

	mutex_lock(&many->lock);
	seq_printf(m, "channels %llu\nmessages %llu\nbytes %llu\nns %llu\n", many->result.channels,
		   many->result.messages, many->result.bytes, many->result.ns);
	seq_printf(m, "squares %llu\nleast %llu\nmost %llu\n", many->result.squares,
		   many->result.least, many->result.most);
	mutex_unlock(&many->lock);
	return 0;
}

static int many_file_open(struct inode *inode, struct file *file)
{
	return single_open(file, many_show, inode->i_private);
}

static const struct file_operations many_fops = {
	.owner = THIS_MODULE,
	.open = many_file_open,
	.read = seq_read,
	.write = many_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- life ---- */

static int many_probe(struct duct_device *dd)
{
	struct many *many = devm_kzalloc(&dd->dev, sizeof(*many), GFP_KERNEL);
	struct duct_channel_config cfg = {
		.ops = &many_ask_ops,
		.priv = many,
		.max_calls = 1,
		.max_answer = sizeof(struct many_counts),
	};
	int err;
	u32 i;

	if (!many)
		return -ENOMEM;
	many->dd = dd;
	mutex_init(&many->lock);
	init_waitqueue_head(&many->wait);
	INIT_WORK(&many->work, many_work);
	for (i = 0; i < MANY_MOST; i++) {
		struct many_end *end = devm_kzalloc(&dd->dev, sizeof(*end), GFP_KERNEL);

		if (!end)
			return -ENOMEM;
		end->many = many;
		many->end[i] = end;
	}
	err = duct_open(dd, 0, &cfg, &many->ask);
	if (err)
		return err;
	dev_set_drvdata(&dd->dev, many);
	many->dir = debugfs_create_file(dev_name(&dd->dev), 0600, many_root, many, &many_fops);
	return 0;
}

static void many_remove(struct duct_device *dd)
{
	struct many *many = dev_get_drvdata(&dd->dev);

	/* Ends a run, so that the file can go. */
	WRITE_ONCE(many->stopping, true);
	wake_up_all(&many->wait);
	duct_stop(many->ask);
	debugfs_remove(many->dir);
	flush_work(&many->work);
	mutex_lock(&many->lock);
	many_open(many, 0, 0);
	mutex_unlock(&many->lock);
}

static const struct duct_device_id many_ids[] = {
	{ "many" },
	{ }
};

static struct duct_driver many_driver = {
	.id_table = many_ids,
	.roles = DUCT_PEER,
	.probe = many_probe,
	.remove = many_remove,
};

static int __init many_init(void)
{
	int err;

	many_root = debugfs_create_dir("duct_many", NULL);
	err = duct_driver_register(&many_driver);
	if (err)
		debugfs_remove(many_root);
	return err;
}

static void __exit many_exit(void)
{
	duct_driver_unregister(&many_driver);
	debugfs_remove(many_root);
}

module_init(many_init);
module_exit(many_exit);
MODULE_ALIAS_DUCT("many");
MODULE_DESCRIPTION("xen-duct: many channels at once, measured bare");
MODULE_LICENSE("GPL");
