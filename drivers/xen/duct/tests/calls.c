// SPDX-License-Identifier: GPL-2.0
/* See calls.h. */
#include "calls.h"

static int calls_hold(struct calls_server *server, struct duct_msg *msg, const u8 *data, u32 len)
{
	int err = -ENOSPC;

	spin_lock_irq(&server->lock);
	if (server->n < CALLS_HELD) {
		server->held[server->n] = msg->request;
		memcpy(server->data[server->n], data, len);
		server->len[server->n] = len;
		server->n++;
		err = 0;
	}
	spin_unlock_irq(&server->lock);
	return err;
}

static int calls_recv(struct kit_end *end, struct duct_msg *msg)
{
	struct calls_server *server = end->priv;
	u8 data[CALLS_DATA + 1] = { };
	u32 len = msg->len;
	int err;

	if (!msg->request)
		return 0;
	if (len > CALLS_DATA)
		return -EMSGSIZE;
	err = duct_read(msg, data, len);
	if (err)
		return err;
	switch (READ_ONCE(server->how)) {
	case CALLS_ECHO:
		server->reply = duct_reply(msg->request, data, len);
		return 0;
	case CALLS_HOLD:
		return calls_hold(server, msg, data, len);
	case CALLS_TOO_LONG:
		server->reply = duct_reply(msg->request, data, CALLS_DATA + 1);
		return 0;
	default:
		return -EPERM;
	}
}

/* duct_close() would wait for these replies. */
static void calls_exit(struct kit_end *end)
{
	calls_answer_all(end->priv);
}

struct calls_server *calls_pair(struct kunit *test, struct kit_end *a, struct kit_end *b,
				u32 max_calls, bool keep)
{
	struct duct_channel_config caller = { .ops = &kit_recv_ops, .max_msg = CALLS_DATA };
	struct duct_channel_config cfg = {
		.ops = &kit_recv_ops,
		.max_msg = CALLS_DATA,
		.max_calls = max_calls,
		.max_answer = CALLS_DATA,
	};
	struct calls_server *server = kunit_kzalloc(test, sizeof(*server), GFP_KERNEL);
	struct kit *kit = test->priv;
	unsigned int side = test->param_value ? kit_param_side(test) : KIT_FRONT;

	KUNIT_ASSERT_NOT_NULL(test, server);
	spin_lock_init(&server->lock);
	b->priv = server;
	b->on_recv = calls_recv;
	b->on_exit = calls_exit;
	kit_connect(kit_peers(kit, keep), a, side, &caller, b, &cfg, 0);
	return server;
}

static void calls_done(struct duct_call *duct_call, int err, struct duct_msg *answer)
{
	struct call *call = container_of(duct_call, struct call, call);

	call->err = err;
	if (!err) {
		call->len = answer->len;
		/* The epoch may end here. */
		call->err = duct_read(answer, call->data, min_t(u32, answer->len, CALLS_DATA));
	} else if (answer) {
		call->err = -EINVAL;
	}
	atomic_inc(&call->dones);
	wake_up_all(&call->kit->wait);
}

struct call *calls_new(struct kit *kit)
{
	struct call *call = kunit_kzalloc(kit->test, sizeof(*call), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, call);
	call->kit = kit;
	call->call.done = calls_done;
	return call;
}

int calls_start(struct kit_end *end, struct call *call, const void *req, u32 len)
{
	atomic_set(&call->dones, 0);
	call->err = -EINPROGRESS;
	return duct_call_async(end->ch, &call->call, req, len, 0);
}

void calls_begin(struct kit_end *end, struct call *call, const void *req, u32 len)
{
	int err = -EAGAIN;

	kit_wait(end->kit, (err = calls_start(end, call, req, len)) != -EAGAIN);
	KUNIT_ASSERT_EQ(end->kit->test, err, 0);
}

int calls_answer(struct calls_server *server, u32 i)
{
	return duct_reply(server->held[i], server->data[i], server->len[i]);
}

void calls_answer_all(struct calls_server *server)
{
	u32 n = server->n;

	while (n--)
		server->reply = calls_answer(server, n);
	spin_lock_irq(&server->lock);
	server->n = 0;
	spin_unlock_irq(&server->lock);
}
