// SPDX-License-Identifier: GPL-2.0
/*
 * Sends every message back, and answers every call with itself: the service
 * that Documentation/writing-a-driver.rst goes through line by line.
 */
#include <xen/duct.h>

#define ECHO_MAX	4096	/* longest message, bytes */
#define ECHO_CALLS	8	/* calls that wait for their answer at once */

/* Runs in a thread of the channel's own; the message is released on return. */
static int echo_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	u32 len = msg->len;
	char *buf = ch->priv;
	int err;

	/* Each byte is read once: the peer may change it at any time. */
	err = duct_read(msg, buf, len);
	if (err)
		return err;
	if (msg->request)
		return duct_reply(msg->request, buf, len);
	/* A peer that does not read what it asked for holds up only itself. */
	err = duct_wait_writable(ch, len, HZ);
	if (err)
		return err;
	return duct_send(ch, buf, len, 0);
}

static const struct duct_channel_ops echo_ops = {
	.recv = echo_recv,
};

/* Once for each peer that binds. Nothing has to be undone: see duct_open(). */
static int echo_probe(struct duct_device *dd)
{
	struct duct_channel_config cfg = {
		.ops = &echo_ops,
		.max_msg = ECHO_MAX,
		.max_calls = ECHO_CALLS,
		.max_answer = ECHO_MAX,
	};
	struct duct_channel *ch;

	cfg.priv = devm_kmalloc(&dd->dev, ECHO_MAX, GFP_KERNEL);
	if (!cfg.priv)
		return -ENOMEM;
	return duct_open(dd, 0, &cfg, &ch);
}

static const struct duct_device_id echo_ids[] = {
	{ "echo" },
	{ }
};

static struct duct_driver echo_driver = {
	.id_table = echo_ids,
	.roles = DUCT_SERVE,
	.probe = echo_probe,
};
module_duct_driver(echo_driver);

MODULE_ALIAS_DUCT("echo");
MODULE_DESCRIPTION("xen-duct: echo service");
MODULE_LICENSE("GPL");
