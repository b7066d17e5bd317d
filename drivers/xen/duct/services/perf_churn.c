// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that come and go, for perf: as many at a time as asked for, under numbers that
 * were never used, each with a message there and back. Who opens and who closes first
 * goes by turns; every fourth time they are closed before anybody knows that they are up.
 */
#include <linux/freezer.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "perf.h"

#define PERF_CHURN_CHANNEL 3u
#define PERF_CHURN_FIRST 1024u
#define PERF_CHURN_MOST 64u

/* What the peer shall do, and answers with 0 or -errno. */
struct perf_churn_ask {
	u32 first;	/* number of the first of them */
	u32 n;		/* 0: close those that it has open */
	u32 max_msg;
};

/**
 * struct perf_churn - one end
 * @perf: whose
 * @ch: its calls
 * @wait: for @ups and @echoes, or that a channel cannot be
 * @stopping: nobody waits any more
 * @ups: of @own, told
 * @echoes: of @own, that were right
 * @own: those of the run here
 * @work: opens or closes @theirs, as a call asks; one at a time
 * @ask: of that call
 * @request: that call
 * @theirs: those of the peer's run; the work's
 */
struct perf_churn {
	struct perf *perf;
	struct duct_channel *ch;
	wait_queue_head_t wait;
	bool stopping;
	atomic_t ups;
	atomic_t echoes;
	struct duct_channel *own[PERF_CHURN_MOST];
	struct work_struct work;
	struct perf_churn_ask ask;
	struct duct_request *request;
	struct duct_channel *theirs[PERF_CHURN_MOST];
};

static void perf_churn_close(struct duct_channel **ch)
{
	u32 i;

	for (i = 0; i < PERF_CHURN_MOST; i++) {
		duct_close(ch[i]);
		ch[i] = NULL;
	}
}

/* Return: 0 or -errno; some may be open even so */
static int perf_churn_open(struct perf_churn *churn, const struct perf_churn_ask *ask,
			   const struct duct_channel_ops *ops, struct duct_channel **ch)
{
	const struct duct_channel_config cfg = {
		.ops = ops,
		.priv = churn,
		.max_msg = ask->max_msg,
	};
	int err = 0;
	u32 i;

	for (i = 0; i < ask->n && !err; i++)
		err = duct_open(churn->perf->dd, ask->first + i, &cfg, &ch[i]);
	return err;
}

/* ---- the peer ---- */

static int perf_churn_echo(struct duct_channel *ch, struct duct_msg *msg)
{
	u32 number;
	int err;

	if (msg->len != sizeof(number))
		return -EINVAL;
	err = duct_read(msg, &number, sizeof(number));
	return err ?: duct_send(ch, &number, sizeof(number), 0);
}

static const struct duct_channel_ops perf_churn_their_ops = { .recv = perf_churn_echo };

static void perf_churn_work(struct work_struct *work)
{
	struct perf_churn *churn = container_of(work, struct perf_churn, work);
	int done;

	/* The peer may have given up on the last ones. */
	perf_churn_close(churn->theirs);
	done = churn->ask.n > PERF_CHURN_MOST ? -EINVAL :
	       perf_churn_open(churn, &churn->ask, &perf_churn_their_ops, churn->theirs);
	duct_reply(churn->request, &done, sizeof(done));
}

/* Not here: closing waits for callbacks, and this is one. */
static int perf_churn_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct perf_churn *churn = ch->priv;
	int err;

	if (!msg->request || msg->len != sizeof(churn->ask))
		return -EINVAL;
	err = duct_read(msg, &churn->ask, sizeof(churn->ask));
	if (err)
		return err;
	churn->request = msg->request;
	queue_work(system_freezable_wq, &churn->work);
	return 0;
}

static const struct duct_channel_ops perf_churn_ops = { .recv = perf_churn_recv };

/* ---- who runs a line ---- */

static void perf_churn_up(struct duct_channel *ch)
{
	struct perf_churn *churn = ch->priv;

	atomic_inc(&churn->ups);
	wake_up_all(&churn->wait);
}

static int perf_churn_back(struct duct_channel *ch, struct duct_msg *msg)
{
	struct perf_churn *churn = ch->priv;
	u32 number;
	int err;

	if (msg->len != sizeof(number))
		return -EINVAL;
	err = duct_read(msg, &number, sizeof(number));
	if (!err && number == ch->number) {
		atomic_inc(&churn->echoes);
		wake_up_all(&churn->wait);
	}
	return err;
}

/* Told, too, when it is refused. */
static void perf_churn_writable(struct duct_channel *ch)
{
	struct perf_churn *churn = ch->priv;

	wake_up_all(&churn->wait);
}

static const struct duct_channel_ops perf_churn_own_ops = {
	.recv = perf_churn_back,
	.up = perf_churn_up,
	.writable = perf_churn_writable,
};

/* Return: 0, or why one of them will not come up, or is up no more */
static int perf_churn_error(struct perf_churn *churn, u32 n)
{
	int err = READ_ONCE(churn->stopping) ? -ESHUTDOWN : 0;
	u32 i;

	for (i = 0; i < n && !err; i++) {
		err = duct_error(churn->own[i]);
		if (err == -ENOTCONN)
			err = 0;
	}
	return err;
}

static int perf_churn_wait(struct perf_churn *churn, atomic_t *what, u32 n)
{
	long left;
	int err = 0;

	left = wait_event_freezable_timeout(churn->wait, atomic_read(what) == n ||
					    (err = perf_churn_error(churn, n)), PERF_WAIT);
	if (err)
		return err;
	return left < 0 ? left : left ? 0 : -ETIMEDOUT;
}

static int perf_churn_ask(struct perf_churn *churn, const struct perf_churn_ask *ask)
{
	int answer;
	ssize_t len = duct_call(churn->ch, ask, sizeof(*ask), &answer, sizeof(answer), PERF_WAIT);

	return len < 0 ? len : len != sizeof(answer) ? -EPROTO : answer;
}

/* Each is up, and takes a message there and back. */
static int perf_churn_use(struct perf_churn *churn, u32 n)
{
	int err = perf_churn_wait(churn, &churn->ups, n);
	u32 i;

	for (i = 0; i < n && !err; i++)
		err = duct_send(churn->own[i], &churn->own[i]->number, sizeof(u32), 0);
	return err ?: perf_churn_wait(churn, &churn->echoes, n);
}

static int perf_churn_round(struct perf_churn *churn, u32 round, const struct perf_churn_ask *ask)
{
	const struct perf_churn_ask enough = { };
	int err = 0;

	atomic_set(&churn->ups, 0);
	atomic_set(&churn->echoes, 0);
	if (round & 1)
		err = perf_churn_ask(churn, ask);
	err = err ?: perf_churn_open(churn, ask, &perf_churn_own_ops, churn->own);
	if (!err && !(round & 1))
		err = perf_churn_ask(churn, ask);
	if (!err && (round & 3) != 3)
		err = perf_churn_use(churn, ask->n);
	if (!err && round & 2)
		err = perf_churn_ask(churn, &enough);
	perf_churn_close(churn->own);
	if (!err && !(round & 2))
		err = perf_churn_ask(churn, &enough);
	return err;
}

/* @count channels, @n at a time, for messages of @most bytes. Return: 0 or -errno */
int perf_churn(struct perf *perf, struct perf_sum *sum, u32 n, u32 count, u32 most)
{
	struct perf_churn_ask ask = { .max_msg = max_t(u32, most, sizeof(u32)) };
	struct perf_churn *churn = perf->churn;
	u32 round;
	int err = 0;

	if (n > PERF_CHURN_MOST)
		return -EINVAL;
	for (round = 0; count && !err; round++) {
		ask.n = min(n, count);
		ask.first = PERF_CHURN_FIRST + (get_random_u32() >> 2);
		err = perf_churn_round(churn, round, &ask);
		sum->messages += ask.n;
		count -= ask.n;
	}
	return err;
}

/* ---- life ---- */

/* Ends a run. */
void perf_churn_stop(struct perf *perf)
{
	WRITE_ONCE(perf->churn->stopping, true);
	wake_up_all(&perf->churn->wait);
	duct_stop(perf->churn->ch);
}

void perf_churn_remove(struct perf *perf)
{
	struct perf_churn *churn = perf->churn;

	/* Waits for the answer, and so for the work but its end. */
	duct_close(churn->ch);
	flush_work(&churn->work);
	perf_churn_close(churn->theirs);
	kfree(churn);
}

int perf_churn_probe(struct perf *perf)
{
	struct duct_channel_config cfg = {
		.ops = &perf_churn_ops,
		.max_msg = sizeof(struct perf_churn_ask),
		.max_calls = 1,
		.max_answer = sizeof(int),
	};
	struct perf_churn *churn = kzalloc(sizeof(*churn), GFP_KERNEL);
	int err;

	if (!churn)
		return -ENOMEM;
	churn->perf = perf;
	init_waitqueue_head(&churn->wait);
	INIT_WORK(&churn->work, perf_churn_work);
	cfg.priv = churn;
	err = duct_open(perf->dd, PERF_CHURN_CHANNEL, &cfg, &churn->ch);
	if (err) {
		kfree(churn);
		return err;
	}
	perf->churn = churn;
	return 0;
}
