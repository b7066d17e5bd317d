// SPDX-License-Identifier: GPL-2.0
/* The clients: opening, closing, and sending. */
#include "client.h"

/* ---- tasks of a channel ---- */

/* Something may have changed. [any] */
void client_tell(struct client_channel *c)
{
	WRITE_ONCE(c->news, c->news + 1);
	wake_up_all(&c->wait);
}

void client_wait(struct client_channel *c, u32 news)
{
	sim_freeze_point();
	wait_event(c->wait, READ_ONCE(c->news) != news || READ_ONCE(c->stop));
	sim_freeze_point();
}

bool client_ends(struct client_channel *c)
{
	sim_freeze_point();
	return READ_ONCE(c->stop) || sim_hurry;
}

static void client_task_ends(struct client_channel *c)
{
	c->tasks--;
	wake_up_all(&c->wait);
}

/*
 * A task that sends begins: after the client before it. Who is to stop does not wait, as that
 * one may stop after it.
 * Return: false: it has ended
 */
bool client_flow_begin(struct client_channel *c)
{
	while (!client_ends(c)) {
		if (sim_flow_begin(c->number, c->client->side))
			return true;
		sim_sleep(1);
	}
	client_task_ends(c);
	return false;
}

void client_flow_end(struct client_channel *c)
{
	sim_flow_end(c->number, c->client->side);
	client_task_ends(c);
}

/* ---- sending ---- */

/* As many units as there are to send, and go in one message. */
u32 client_words(struct client_channel *c, u64 *word, u32 seq)
{
	u32 left = c->plan->goal[c->client->side] - seq, most = c->ch->max_msg / 8, n, i;

	if (c->plan->kind == SIM_MESSAGES) {
		/* One unit, and the rest is more of it. */
		n = 1 + sim_rnd(most);
		for (i = 0; i < n; i++)
			word[i] = sim_word(c->number, c->client->side, seq) + ((u64)i << 20);
		return n;
	}
	n = 1 + sim_rnd(min(left, most));
	for (i = 0; i < n; i++)
		word[i] = sim_word(c->number, c->client->side, seq + i);
	return n;
}

static int client_send_in_place(struct client_channel *c, const u64 *word, u32 len, u32 flags)
{
	void *to = duct_reserve(c->ch, len);

	if (IS_ERR(to))
		return PTR_ERR(to);
	if (sim_chance(4)) {
		duct_abort(c->ch, to);
		return -EINTR;
	}
	memcpy(to, word, len);
	duct_commit(c->ch, to, len, flags);
	return 0;
}

static int client_send_iter(struct client_channel *c, const u64 *word, u32 len, u32 flags)
{
	u32 first = len / 2 & ~7u;
	struct kvec vec[2] = {
		{ .iov_base = (void *)word, .iov_len = first },
		{ .iov_base = (u8 *)word + first, .iov_len = len - first },
	};
	struct iov_iter it;
	ssize_t n;

	iov_iter_kvec(&it, ITER_SOURCE, vec, 2, len);
	n = duct_send_iter(c->ch, NULL, 0, &it, flags);
	if (n >= 0 && n != len)
		sim_fail("%zd bytes sent of %u", n, len);
	return n < 0 ? n : 0;
}

static int client_send_one(struct client_channel *c, u32 seq)
{
	u32 flags = sim_chance(4) ? DUCT_MORE : 0, before = client_session(c), n, words, units;
	u64 word[CLIENT_BYTES / 8];
	int err;

	words = client_words(c, word, seq);
	units = c->plan->kind == SIM_STREAM ? words : 1;
	sim_flow_try(c->number, c->client->side, units);
	n = sim_rnd(4);
	if (n == 1)
		err = client_send_in_place(c, word, words * 8, flags);
	else if (n == 2 && c->plan->kind == SIM_MESSAGES)
		err = client_send_iter(c, word, words * 8, flags);
	else
		err = duct_send(c->ch, word, words * 8, flags);
	if (!err)
		sim_flow_sent(c->number, c->client->side, units, c->life, before,
			      client_session(c));
	else
		sim_flow_try(c->number, c->client->side, 0);
	if (!err && flags && (sim_chance(2) || seq + units >= c->plan->goal[c->client->side]))
		duct_publish(c->ch);
	return err;
}

/* Waits for whatever this error says will come. */
static void client_sender_wait(struct client_channel *c, int err, u32 news)
{
	if (err == -EINTR)
		return;
	if (err != -EAGAIN)
		client_wait(c, news);
	else if (sim_chance(2))
		duct_wait_writable(c->ch, c->ch->max_msg, 10 * HZ);
	else if (!duct_writable(c->ch, c->ch->max_msg))
		client_wait(c, news);
}

static void client_sender(void *arg)
{
	struct client_channel *c = arg;
	u32 side = c->client->side, seq;

	if (!client_flow_begin(c))
		return;
	while (!client_ends(c)) {
		u32 news = READ_ONCE(c->news);
		int err;

		seq = sim_flow_next(c->number, side);
		if (seq >= c->plan->goal[side])
			break;
		err = client_send_one(c, seq);
		if (err == -ESHUTDOWN)
			break;
		if (err)
			client_sender_wait(c, err, news);
		else if (sim_chance(8))
			sim_sleep(sim_rnd(HZ / 5));
	}
	/* What DUCT_MORE kept back. */
	duct_publish(c->ch);
	client_flow_end(c);
}

/* ---- events ---- */

static void client_rung(struct duct_event *ev, void *arg, u32 n)
{
	struct client_channel *c = arg;

	sim_event_got(c->number, !c->client->side, n);
}

static void client_trigger(void *arg)
{
	struct client_channel *c = arg;
	u32 goal = c->plan->goal[c->client->side], done;

	if (!client_flow_begin(c))
		return;
	done = sim_flow_next(c->number, c->client->side);
	while (!client_ends(c) && done < goal) {
		u32 n = 1 + sim_rnd(min(3u, goal - done));

		sim_event_sent(c->number, c->client->side, n);
		sim_flow_sent(c->number, c->client->side, n, 0, 0, 0);
		if (duct_event_trigger(c->ev, n))
			sim_fail("an event cannot be triggered");
		done += n;
		if (sim_chance(4))
			sim_sleep(sim_rnd(HZ / 5));
	}
	client_flow_end(c);
}

/* ---- one channel more than there may be ---- */

static void client_more_rung(struct duct_event *ev, void *arg, u32 n)
{
	sim_fail("a channel has come up that was one too many");
}

/*
 * Its number is the highest: it is asked for after the others. A backend that wishes it while it
 * waits for all others does not ask at all.
 */
static int client_open_more(struct client *client)
{
	int err;

	if (!sim_plan.tight || client->more)
		return 0;
	client->more = duct_event_open(client->dd, SIM_CHANNELS, client_more_rung, NULL);
	err = PTR_ERR_OR_ZERO(client->more);
	if (err)
		client->more = NULL;
	return err;
}

/* ---- what the core tells ---- */

static void client_up(struct duct_channel *ch)
{
	struct client_channel *c = ch->priv;
	struct duct_channel_core *core = to_duct_channel_core(ch);

	if (ch->dd->peer == DOMID_INVALID)
		sim_fail("up without a peer");
	if (c->is_up)
		sim_fail("channel %u is up twice", c->number);
	c->is_up = true;
	client_open_more(c->client);
	sim_flow_session(c->number, c->client->side, c->life, core->told);
	if (core->keep)
		sim_flow_up(c->number, c->client->side, core->keep->cookie);
	client_tell(c);
}

static void client_down(struct duct_channel *ch, int why)
{
	struct client_channel *c = ch->priv;

	if (!c->is_up)
		sim_fail("channel %u is down, and was not up", c->number);
	c->is_up = false;
	if (sim_plan.resumes && why != -ECONNRESET && !sim_hurry)
		sim_fail("channel %u ends with an epoch: %d", c->number, why);
	sim_flow_session(c->number, c->client->side, 0, 0);
	sim_flow_ended(c->number, !c->client->side, c->life, why);
	if (to_duct_channel_core(ch)->keep && why != -EPIPE)
		sim_flow_lost(c->number, c->client->side);
	client_tell(c);
}

static void client_ready(struct duct_channel *ch)
{
	client_tell(ch->priv);
}

static const struct duct_channel_ops client_push_ops = {
	.up = client_up,
	.down = client_down,
	.recv = client_recv,
	.writable = client_ready,
};

static const struct duct_channel_ops client_pull_ops = {
	.up = client_up,
	.down = client_down,
	.ready = client_ready,
	.writable = client_ready,
};

/* ---- life ---- */

static int client_open_event(struct client_channel *c)
{
	c->ev = duct_event_open(c->client->dd, c->number, client_rung, c);
	return IS_ERR(c->ev) ? PTR_ERR(c->ev) : 0;
}

static int client_open_channel(struct client_channel *c)
{
	const struct sim_channel *plan = c->plan;
	struct duct_channel_config cfg = {
		.ops = plan->pull ? &client_pull_ops : &client_push_ops,
		.priv = c,
		.max_msg = plan->max_msg,
		.tx_bytes = plan->ring,
		.rx_bytes = plan->ring,
	};

	if (plan->kind == SIM_STREAM)
		cfg.flags |= DUCT_STREAM;
	if (plan->resumable && sim_plan.keep)
		cfg.flags |= DUCT_RESUMABLE;
	if (plan->kind == SIM_CALLING) {
		/* Where they are many what they lend does not all go through the staging. */
		cfg.max_calls = sim_plan.tight ? 8 : 3;
		cfg.max_answer = 64;
	}
	return duct_open(c->client->dd, c->number, &cfg, &c->ch);
}

static void client_begin(struct client_channel *c, const char *name, void (*fn)(void *arg))
{
	c->tasks++;
	sim_spawn(sim_domain_now(), name, fn, c);
}

static int client_open(struct client *client, u32 number)
{
	struct client_channel *c = &client->channel[number];
	int err, i;

	c->client = client;
	c->number = number;
	c->plan = &sim_plan.channel[number];
	c->life = sim_life_new();
	init_waitqueue_head(&c->wait);
	if (c->plan->kind == SIM_EVENTS)
		err = client_open_event(c);
	else if (c->plan->kind == SIM_REGIONS)
		err = client_region_open(c);
	else
		err = client_open_channel(c);
	if (err) {
		c->ch = NULL;
		c->ev = NULL;
		return err;
	}
	switch (c->plan->kind) {
	case SIM_EVENTS:
		client_begin(c, "trigger", client_trigger);
		return 0;
	case SIM_REGIONS:
		client_begin(c, "region", client_region_task);
		return 0;
	case SIM_CALLING:
		for (i = 0; i < (sim_plan.tight ? 6 : 2); i++)
			client_begin(c, "caller", client_caller);
		client_begin(c, "replier", client_replier);
		break;
	default:
		client_begin(c, "sender", client_sender);
	}
	if (c->plan->pull)
		client_begin(c, "reader", client_reader);
	return 0;
}

/* Its tasks end, then the channel. */
static void client_close(struct client_channel *c)
{
	u32 side = sim_domain_now();

	if (!c->ch && !c->ev && !c->region)
		return;
	WRITE_ONCE(c->stop, true);
	client_tell(c);
	if (c->ch) {
		sim_flow_closed(c->number, side);
		duct_stop(c->ch);
	}
	wait_event(c->wait, !READ_ONCE(c->tasks));
	client_reply_all(c);
	if (c->region)
		client_region_close(c);
	duct_close(c->ch);
	duct_event_close(c->ev);
	if (c->plan->kind == SIM_CALLING)
		sim_calls_ended(c->life);
	c->ch = NULL;
	c->ev = NULL;
}

static void client_remove(struct duct_device *dd)
{
	struct client *client = dev_get_drvdata(&dd->dev);
	u32 i;

	duct_event_close(client->more);
	for (i = 0; i < sim_plan.channels; i++)
		client_close(&client->channel[i]);
	kfree(client);
}

static int client_probe(struct duct_device *dd)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);
	int err = client ? 0 : -ENOMEM;
	u32 i;

	if (err)
		return err;
	client->dd = dd;
	client->side = sim_domain_now();
	dev_set_drvdata(&dd->dev, client);
	for (i = 0; !err && i < sim_plan.channels; i++)
		err = client_open(client, i);
	if (!err && !client->side)
		err = client_open_more(client);
	if (err)
		client_remove(dd);
	return err;
}

static const struct duct_device_id client_ids[] = {
	{ "sim" },
	{ }
};

static struct duct_driver client_driver = {
	.id_table = client_ids,
	.features = 3,
	.probe = client_probe,
	.remove = client_remove,
};

static int client_init(void)
{
	bool serves = (sim_domain_now() == 0) == sim_plan.front_serves;

	client_driver.roles = sim_plan.peers ? DUCT_PEER : serves ? DUCT_SERVE : DUCT_CONNECT;
	client_driver.keep = sim_plan.keep;
	return duct_driver_register(&client_driver);
}

static void client_exit(void)
{
	duct_driver_unregister(&client_driver);
}

module_init(client_init)
module_exit(client_exit)
