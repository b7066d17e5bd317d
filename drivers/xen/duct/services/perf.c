// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic to measure and to test with; both ends are equal.
 *
 * debugfs has a file duct_perf/<device>. Writing a line runs it and returns when
 * it has ended; reading gives the results, one "name value" a line:
 *
 *   ping SIZE COUNT           calls, one after the other
 *   rate SIZE COUNT BATCH     messages, published BATCH at a time
 *   random MAX COUNT          messages of random length, median sqrt(MAX)
 *   stream SIZE COUNT         bytes, SIZE at a time
 *   bulk MAX COUNT PARTS      calls that lend lists of random shape, either way by turns; the
 *                             peer has every other pair in pages, copies the rest in PARTS
 *   read SIZE COUNT HOW       calls that lend SIZE bytes in whole pages for the peer to
 *   write SIZE COUNT HOW      read or write, unseen: HOW 1: it copies them; 512 to 4096:
 *                             into pages, in pieces of so many bytes; 2: it has them in
 *                             pages; 3: which may be mapped; 4: and keeps them for 200 ms
 *   event N COUNT             triggers of a counted event, N at a time
 *   region PAGES COUNT        regions, made, offered, attached, compared and ended
 *   xfer MAX COUNT            transfers between registered lists, either way by turns
 *   open N COUNT MAX          channels opened, used and closed, up to 64 at a time, for
 *                             messages of MAX bytes
 *
 * Everything sent is hashed at both ends, and the peer's hash is asked for at
 * the end: "match 1" says that every byte came, once and in order. Bulk compares
 * each byte, and says that none beside the pieces of either end was touched.
 */
#include <linux/debugfs.h>
#include <linux/jhash.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "perf.h"

static struct dentry *perf_root;

static void perf_add(struct perf_sum *sum, const u8 *data, u32 len)
{
	sum->messages++;
	sum->bytes += len;
	sum->hash = jhash(data, len, sum->hash);
}

/* A stream may be cut anywhere: a hash that does not depend on where (FNV-1a). */
static u32 perf_stream_hash(u32 hash, const u8 *data, u32 len)
{
	while (len--)
		hash = (hash ^ *data++) * 0x01000193;
	return hash;
}

/* ---- the receiving end ---- */

static void perf_stats(struct perf *perf, u32 channel, struct duct_stats *stats)
{
	if (channel == PERF_EVENT)
		duct_event_stats(perf->ev, stats);
	else
		duct_stats(perf->ch[channel], stats);
}

static void perf_told(struct duct_event *ev, void *arg, u32 n)
{
	struct perf *perf = arg;

	mutex_lock(&perf->in_lock);
	perf->in[PERF_EVENT].messages += n;
	mutex_unlock(&perf->in_lock);
}

static int perf_query(struct perf *perf, struct duct_msg *msg, const u8 *data, u32 len)
{
	const struct perf_query *query = (const void *)data;
	struct perf_report report = { };
	struct duct_stats stats;

	/* Anything but a query is a ping. */
	if (len != sizeof(*query) || query->start > 1 || query->channel >= PERF_ALL)
		return duct_reply(msg->request, data, len);
	mutex_lock(&perf->in_lock);
	if (query->start)
		memset(&perf->in[query->channel], 0, sizeof(perf->in[0]));
	report.sum = perf->in[query->channel];
	mutex_unlock(&perf->in_lock);
	perf_stats(perf, query->channel, &stats);
	report.events = stats.out_events;
	report.copies = stats.in_copies;
	report.maps = stats.in_maps;
	report.wakeups = stats.wakeups;
	return duct_reply(msg->request, &report, sizeof(report));
}

static int perf_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct perf *perf = ch->priv;
	u8 *data = perf->scratch[ch->number];
	u32 len = msg->len;
	int err = duct_read(msg, data, len);

	if (err)
		return err;
	if (msg->request && msg->request->bulk_len)
		return perf_bulk_serve(perf, msg->request, data, len);
	if (msg->request)
		return perf_query(perf, msg, data, len);
	mutex_lock(&perf->in_lock);
	if (ch->number == PERF_STREAM) {
		perf->in[PERF_STREAM].bytes += len;
		perf->in[PERF_STREAM].hash = perf_stream_hash(perf->in[PERF_STREAM].hash, data, len);
	} else {
		perf_add(&perf->in[ch->number], data, len);
	}
	mutex_unlock(&perf->in_lock);
	return 0;
}

static const struct duct_channel_ops perf_ops = { .recv = perf_recv };

/* ---- the sending end ---- */

static int perf_ask(struct perf *perf, u32 channel, bool start, struct perf_report *report)
{
	const struct perf_query query = { .start = start, .channel = channel };
	ssize_t len = duct_call(perf->ch[PERF_MESSAGES], &query, sizeof(query), report,
				sizeof(*report), PERF_WAIT);

	return len < 0 ? len : len == sizeof(*report) ? 0 : -EPROTO;
}

static int perf_send(struct perf *perf, struct perf_sum *sum, u32 len, u32 flags)
{
	struct duct_channel *ch = perf->ch[PERF_MESSAGES];
	const u8 *data = perf->pattern + prandom_u32_state(&perf->rnd) % 4096;
	int err;

	while ((err = duct_send(ch, data, len, flags)) == -EAGAIN) {
		err = duct_wait_writable(ch, len, PERF_WAIT);
		if (err)
			return err;
	}
	if (!err)
		perf_add(sum, data, len);
	return err;
}

static int perf_ping(struct perf *perf, struct perf_sum *sum, u32 size, u32 count)
{
	u8 *answer = kvmalloc(PERF_MAX, GFP_KERNEL);
	ssize_t len = 0;

	if (!answer)
		return -ENOMEM;
	while (count-- && len >= 0) {
		len = duct_call(perf->ch[PERF_MESSAGES], perf->pattern, size, answer, PERF_MAX,
				PERF_WAIT);
		if (len >= 0 && (len != size || memcmp(answer, perf->pattern, size)))
			len = -EPROTO;
		if (len >= 0) {
			sum->messages++;
			sum->bytes += size;
		}
	}
	kvfree(answer);
	return min_t(ssize_t, len, 0);
}

static int perf_rate(struct perf *perf, struct perf_sum *sum, u32 size, u32 count, u32 batch)
{
	int err = 0;
	u32 i;

	for (i = 1; i <= count && !err; i++)
		err = perf_send(perf, sum, size, i % batch && i < count ? DUCT_MORE : 0);
	return err;
}

/* Lengths are even on a logarithmic scale: the median is the root of the most. */
static int perf_random(struct perf *perf, struct perf_sum *sum, u32 most, u32 count)
{
	int err = 0;
	u32 i;

	for (i = 0; i < count && !err; i++) {
		u32 low = 1u << prandom_u32_state(&perf->rnd) % (ilog2(most) + 1);
		u32 len = min(low + prandom_u32_state(&perf->rnd) % low, most);

		err = perf_send(perf, sum, len,
				prandom_u32_state(&perf->rnd) % 4 ? DUCT_MORE : 0);
	}
	duct_publish(perf->ch[PERF_MESSAGES]);
	return err;
}

static int perf_stream(struct perf *perf, struct perf_sum *sum, u32 size, u32 count)
{
	struct duct_channel *ch = perf->ch[PERF_STREAM];

	while (count--) {
		const u8 *data = perf->pattern + prandom_u32_state(&perf->rnd) % 4096;
		struct kvec vec = { .iov_base = (void *)data, .iov_len = size };
		struct iov_iter from;

		iov_iter_kvec(&from, ITER_SOURCE, &vec, 1, size);
		while (iov_iter_count(&from)) {
			ssize_t n = duct_send_iter(ch, NULL, 0, &from, 0);
			int err = n;

			if (n == -EAGAIN)
				err = duct_wait_writable(ch, 1, PERF_WAIT);
			if (err < 0)
				return err;
		}
		sum->bytes += size;
		sum->hash = perf_stream_hash(sum->hash, data, size);
	}
	return 0;
}

/* Returns when the peer was told of all of them, or of none for PERF_WAIT. */
static int perf_event(struct perf *perf, struct perf_sum *sum, u32 n, u32 count,
		      struct perf_report *after)
{
	unsigned long until = jiffies + PERF_WAIT;
	int err = 0;

	for (; count && !err; count--) {
		err = duct_event_trigger(perf->ev, n);
		sum->messages += n;
	}
	do {
		err = err ?: perf_ask(perf, PERF_EVENT, false, after);
	} while (!err && after->sum.messages < sum->messages && time_before(jiffies, until));
	return err;
}

/*
 * The channels are ordered each for itself: the stream may still be on its way
 * when the peer answers on the other. Every answer is asked for when the peer
 * has taken all that is in the ring, so this ends.
 */
static int perf_drain(struct perf *perf, const struct perf_sum *sum, struct perf_report *after)
{
	unsigned long until = jiffies + PERF_WAIT;
	int err;

	do {
		err = perf_ask(perf, PERF_STREAM, false, after);
		if (!err && after->sum.bytes < sum->bytes)
			err = duct_wait_writable(perf->ch[PERF_STREAM],
						 perf->ch[PERF_STREAM]->max_msg, PERF_WAIT);
	} while (!err && after->sum.bytes < sum->bytes && time_before(jiffies, until));
	return err;
}

/* ---- runs ---- */

static int perf_parse(const char *line, char *what, u32 *size, u32 *count, u32 *batch)
{
	int n = sscanf(line, "%7s %u %u %u", what, size, count, batch);
	bool lend = !strcmp(what, "read") || !strcmp(what, "write");

	if (n < 3 || !*size || *size > (lend ? PERF_LEND : PERF_MAX) || !*count || (n > 3 && !*batch))
		return -EINVAL;
	if (n < 4)
		*batch = 1;
	return 0;
}

static int perf_start(struct perf *perf, const char *what, struct perf_sum *sum, u32 size,
		      u32 count, u32 batch)
{
	if (!strcmp(what, "ping"))
		return perf_ping(perf, sum, size, count);
	if (!strcmp(what, "rate"))
		return perf_rate(perf, sum, size, count, batch);
	if (!strcmp(what, "random"))
		return perf_random(perf, sum, size, count);
	if (!strcmp(what, "stream"))
		return perf_stream(perf, sum, size, count);
	if (!strcmp(what, "bulk"))
		return perf_bulk(perf, sum, size, count, batch);
	if (!strcmp(what, "read") || !strcmp(what, "write"))
		return perf_lend(perf, sum, *what == 'w', size, count, batch);
	if (!strcmp(what, "region"))
		return perf_region(perf, sum, size, count);
	if (!strcmp(what, "xfer"))
		return perf_xfer(perf, sum, size, count);
	if (!strcmp(what, "open"))
		return perf_churn(perf, sum, size, count, batch);
	return -EINVAL;
}

/* Whether the run knows by itself that all was right. */
static bool perf_compares(const char *what)
{
	return !strcmp(what, "ping") || !strcmp(what, "bulk") || !strcmp(what, "read") ||
	       !strcmp(what, "write") || !strcmp(what, "region") || !strcmp(what, "xfer") ||
	       !strcmp(what, "open");
}

static int perf_run(struct perf *perf, const char *what, u32 size, u32 count, u32 batch)
{
	u32 channel = !strcmp(what, "stream") ? PERF_STREAM :
		      !strcmp(what, "event") ? PERF_EVENT : PERF_MESSAGES;
	struct perf_report before = { }, after = { };
	struct duct_stats first, last;
	struct perf_sum sum = { };
	ktime_t start;
	int err;

	err = perf_ask(perf, channel, true, &before);
	if (err)
		return err;
	perf_stats(perf, channel, &first);
	start = ktime_get();
	if (channel == PERF_EVENT)
		err = perf_event(perf, &sum, size, count, &after);
	else
		err = perf_start(perf, what, &sum, size, count, batch);
	if (!err && channel == PERF_STREAM)
		err = perf_drain(perf, &sum, &after);
	else if (!err && channel == PERF_MESSAGES)
		err = perf_ask(perf, channel, false, &after);
	perf->result.ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	perf_stats(perf, channel, &last);
	perf->result.messages = sum.messages;
	perf->result.bytes = sum.bytes;
	perf->result.events = last.out_events - first.out_events;
	perf->result.wakeups = last.wakeups - first.wakeups;
	perf->result.peer_events = after.events - before.events;
	perf->result.hypercalls = perf->result.events + last.in_copies - first.in_copies +
				  last.in_maps - first.in_maps;
	perf->result.peer_maps = after.maps - before.maps;
	perf->result.peer_hypercalls = perf->result.peer_events + after.copies - before.copies +
				       perf->result.peer_maps;
	perf->result.match = !err && (perf_compares(what) ||
				      (after.sum.bytes == sum.bytes &&
				       after.sum.messages == sum.messages &&
				       after.sum.hash == sum.hash));
	if (!err && !perf->result.match) {
		dev_err(&perf->dd->dev, "%s: sent %llu, %llu bytes, hash %08x; the peer got %llu, %llu, %08x\n",
			what, sum.messages, sum.bytes, sum.hash, after.sum.messages,
			after.sum.bytes, after.sum.hash);
		err = -EILSEQ;
	}
	return err;
}

/*
 * A run that has sent something cannot be begun again as if it had not: the signal that a
 * child of the shell has ended, say, waits until it is over. Those that are to end it do.
 */
static void perf_block_signals(sigset_t *old)
{
	sigset_t others;

	siginitsetinv(&others, sigmask(SIGHUP) | sigmask(SIGINT) | sigmask(SIGQUIT) |
		      sigmask(SIGKILL) | sigmask(SIGTERM));
	sigprocmask(SIG_BLOCK, &others, old);
}

static ssize_t perf_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	struct perf *perf = ((struct seq_file *)file->private_data)->private;
	u32 size, count, batch = 1;
	char what[8] = "";
	sigset_t old;
	char *line;
	int err;

	if (len > 64)
		return -EINVAL;
	line = memdup_user_nul(from, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&perf->lock);
	err = perf_parse(line, what, &size, &count, &batch);
	if (!err) {
		perf_block_signals(&old);
		err = perf_run(perf, what, size, count, batch);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	if (err == -ERESTARTSYS)
		err = -EINTR;
	perf->result.err = err;
	mutex_unlock(&perf->lock);
	kfree(line);
	return err ?: len;
}

static int perf_show(struct seq_file *m, void *unused)
{
	struct perf *perf = m->private;

	mutex_lock(&perf->lock);
	seq_printf(m, "error %d\nmatch %d\nmessages %llu\nbytes %llu\nns %llu\n",
		   perf->result.err, perf->result.match, perf->result.messages,
		   perf->result.bytes, perf->result.ns);
	seq_printf(m, "events %llu\npeer_events %llu\nwakeups %llu\n", perf->result.events,
		   perf->result.peer_events, perf->result.wakeups);
	seq_printf(m, "hypercalls %llu\npeer_hypercalls %llu\npeer_maps %llu\n",
		   perf->result.hypercalls, perf->result.peer_hypercalls, perf->result.peer_maps);
	mutex_unlock(&perf->lock);
	return 0;
}

static int perf_open(struct inode *inode, struct file *file)
{
	return single_open(file, perf_show, inode->i_private);
}

static const struct file_operations perf_fops = {
	.owner = THIS_MODULE,
	.open = perf_open,
	.read = seq_read,
	.write = perf_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* ---- the driver ---- */

static void perf_kvfree(void *p)
{
	kvfree(p);
}

/* Freed after remove(), when no callback runs any more. */
static void *perf_alloc(struct duct_device *dd, size_t size)
{
	void *p = kvmalloc(size, GFP_KERNEL);

	return p && !devm_add_action_or_reset(&dd->dev, perf_kvfree, p) ? p : NULL;
}

static int perf_probe(struct duct_device *dd)
{
	struct duct_channel_config cfg = {
		.ops = &perf_ops,
		.max_msg = PERF_MAX,
		.max_calls = 4,
		.max_answer = PERF_MAX,
	};
	struct duct_channel_config stream = {
		.ops = &perf_ops,
		.flags = DUCT_STREAM,
		.max_msg = 64 << 10,
	};
	struct perf *perf = devm_kzalloc(&dd->dev, sizeof(*perf), GFP_KERNEL);
	u8 *field;
	u32 i;
	int err;

	if (!perf)
		return -ENOMEM;
	perf->dd = dd;
	mutex_init(&perf->lock);
	mutex_init(&perf->in_lock);
	prandom_seed_state(&perf->rnd, 1);
	perf->pattern = perf_alloc(dd, PERF_MAX + 4096);
	perf->bv = perf_alloc(dd, PERF_MAX / PERF_PIECE * sizeof(*perf->bv));
	for (i = 0; i < PERF_CHANNELS; i++)
		perf->scratch[i] = perf_alloc(dd, PERF_MAX);
	perf->served = perf_alloc(dd, sizeof(*perf->served));
	field = perf_alloc(dd, PERF_FIELD(PERF_MAX));
	if (!perf->pattern || !perf->bv || !perf->scratch[PERF_MESSAGES] ||
	    !perf->scratch[PERF_STREAM] || !perf->served || !field)
		return -ENOMEM;
	perf_list_init(perf->served, field, PERF_FIELD(PERF_MAX));
	prandom_bytes_state(&perf->rnd, perf->pattern, PERF_MAX + 4096);
	cfg.priv = perf;
	stream.priv = perf;
	/* The messages last: by them the peer asks for the counters of the others. */
	perf->ev = duct_event_open(dd, 0, perf_told, perf);
	if (IS_ERR(perf->ev))
		return PTR_ERR(perf->ev);
	err = perf_region_probe(perf);
	if (err)
		goto err_event;
	err = perf_churn_probe(perf);
	if (err)
		goto err_region;
	err = duct_open(dd, PERF_STREAM, &stream, &perf->ch[PERF_STREAM]) ?:
	      duct_open(dd, PERF_MESSAGES, &cfg, &perf->ch[PERF_MESSAGES]);
	if (err)
		goto err_churn;
	dev_set_drvdata(&dd->dev, perf);
	perf->dir = debugfs_create_file(dev_name(&dd->dev), 0600, perf_root, perf, &perf_fops);
	return 0;

err_churn:
	perf_churn_remove(perf);
err_region:
	perf_region_remove(perf);
err_event:
	duct_event_close(perf->ev);
	return err;
}

static void perf_remove(struct duct_device *dd)
{
	struct perf *perf = dev_get_drvdata(&dd->dev);

	/* Ends a run, so that the file can go. */
	duct_stop(perf->ch[PERF_MESSAGES]);
	duct_stop(perf->ch[PERF_STREAM]);
	perf_region_stop(perf);
	perf_churn_stop(perf);
	debugfs_remove(perf->dir);
	perf_churn_remove(perf);
	perf_region_remove(perf);
	duct_event_close(perf->ev);
}

static const struct duct_device_id perf_ids[] = {
	{ "perf" },
	{ }
};

static struct duct_driver perf_driver = {
	.id_table = perf_ids,
	.roles = DUCT_PEER,
	.probe = perf_probe,
	.remove = perf_remove,
};

static int __init perf_init(void)
{
	int err;

	perf_root = debugfs_create_dir("duct_perf", NULL);
	err = duct_driver_register(&perf_driver);
	if (err)
		debugfs_remove(perf_root);
	return err;
}

static void __exit perf_exit(void)
{
	duct_driver_unregister(&perf_driver);
	debugfs_remove(perf_root);
}

module_init(perf_init);
module_exit(perf_exit);
MODULE_ALIAS_DUCT("perf");
MODULE_DESCRIPTION("xen-duct: traffic to measure and test with");
MODULE_LICENSE("GPL");
