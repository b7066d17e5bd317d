// SPDX-License-Identifier: GPL-2.0
/* The clients: reading messages and streams, in recv() or by duct_next(). */
#include "client.h"

/* By either call. Return: 0, or why it is not all there */
static int client_read_bytes(struct duct_msg *msg, void *to, u32 len)
{
	struct kvec vec = { .iov_base = to, .iov_len = len };
	struct iov_iter it;
	ssize_t n;

	if (!sim_plan.iterates)
		return duct_read(msg, to, len);
	iov_iter_kvec(&it, ITER_DEST, &vec, 1, len);
	n = duct_read_iter(msg, &it);
	if (n >= 0 && n != len)
		sim_fail("%zd bytes of %u were read", n, len);
	return min_t(ssize_t, n, 0);
}

/* Return: 0, or why it is not all there */
static int client_read_message(struct client_channel *c, struct duct_msg *msg)
{
	u64 word[CLIENT_BYTES / 8];
	u32 len = msg->len, seq, i;
	int err;

	if (!len || len > sizeof(word) || len % 8)
		sim_fail("channel %u: a message of %u bytes, which nobody sent", c->number, len);
	err = client_read_bytes(msg, word, len);
	if (err)
		return err;
	seq = word[0] & 0xfffff;
	for (i = 0; i < len / 8; i++)
		if (word[i] != sim_word(c->number, !c->client->side, seq) + ((u64)i << 20))
			sim_fail("channel %u: message %u: word %u is %llx", c->number, seq, i,
				 word[i]);
	sim_flow_got(c->number, !c->client->side, seq, c->life, &c->last);
	return 0;
}

/* Bytes of a stream come in any pieces; those of another binding do not go on here. */
static void client_take_bytes(struct client_channel *c, const u8 *from, u32 len, u32 binding)
{
	u64 word;

	if (c->rest_of != binding)
		c->rest_len = 0;
	c->rest_of = binding;
	while (len) {
		u32 n = min(len, 8 - c->rest_len);

		memcpy(c->rest + c->rest_len, from, n);
		c->rest_len += n;
		from += n;
		len -= n;
		if (c->rest_len < 8)
			return;
		c->rest_len = 0;
		memcpy(&word, c->rest, 8);
		if (word >> 32 != sim_word(c->number, !c->client->side, 0) >> 32)
			sim_fail("channel %u: %llx in the stream", c->number, word);
		sim_flow_got(c->number, !c->client->side, word & U32_MAX, c->life,
			     &c->last);
	}
}

static int client_read_stream(struct client_channel *c, struct duct_msg *msg)
{
	bool resumable = c->plan->resumable && sim_plan.keep;
	u8 bytes[CLIENT_BYTES];
	/* Sampled first: if then the bytes can be read, they are of this one. */
	u32 session = client_session(c), len = msg->len;
	int err;

	if (len > sizeof(bytes) || !len)
		sim_fail("channel %u: a piece of %u bytes", c->number, len);
	/* Any part of it. */
	if (sim_chance(3))
		len = 1 + sim_rnd(len);
	err = client_read_bytes(msg, bytes, len);
	if (!err)
		client_take_bytes(c, bytes, len, resumable ? session : msg->serial);
	return err;
}

static int client_read(struct client_channel *c, struct duct_msg *msg)
{
	switch (c->plan->kind) {
	case SIM_MESSAGES:
		return client_read_message(c, msg);
	case SIM_STREAM:
		return client_read_stream(c, msg);
	default:
		return client_serve(c, msg);
	}
}

int client_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	if (sim_chance(32))
		sim_sleep(sim_rnd(HZ / 10));
	return client_read(ch->priv, msg);
}

void client_reader(void *arg)
{
	struct client_channel *c = arg;

	while (!READ_ONCE(c->stop)) {
		u32 news = READ_ONCE(c->news);
		struct duct_msg msg;
		int err = duct_next(c->ch, &msg);

		if (err) {
			client_wait(c, news);
			continue;
		}
		err = client_read(c, &msg);
		if (err && msg.request)
			duct_refuse(msg.request);
		if (sim_chance(16))
			sim_sleep(sim_rnd(HZ / 10));
		duct_release(&msg);
	}
	c->tasks--;
	wake_up_all(&c->wait);
}
