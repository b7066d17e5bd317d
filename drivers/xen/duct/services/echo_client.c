// SPDX-License-Identifier: GPL-2.0
/*
 * Uses the echo service: calls it once each time the channel comes up, and says
 * in the log how that went.
 */
#include <linux/ktime.h>
#include <xen/duct.h>

static void echo_client_up(struct duct_channel *ch)
{
	static const char hello[] = "hello from the other room";
	char answer[sizeof(hello)] = "";
	ktime_t start = ktime_get();
	ssize_t len = duct_call(ch, hello, sizeof(hello), answer, sizeof(answer), 10 * HZ);
	s64 ns = ktime_to_ns(ktime_sub(ktime_get(), start));

	if (!duct_may_log(ch->dd))
		return;
	if (len == sizeof(hello) && !memcmp(hello, answer, len))
		dev_info(&ch->dd->dev, "dom%u answered \"%s\" after %lld ns\n", ch->dd->peer,
			 answer, ns);
	else
		dev_err(&ch->dd->dev, "dom%u did not answer as it should: %zd\n", ch->dd->peer,
			len);
}

static const struct duct_channel_ops echo_client_ops = {
	.up = echo_client_up,
};

static int echo_client_probe(struct duct_device *dd)
{
	struct duct_channel_config cfg = { .ops = &echo_client_ops };
	struct duct_channel *ch;

	return duct_open(dd, 0, &cfg, &ch);
}

static const struct duct_device_id echo_client_ids[] = {
	{ "echo" },
	{ }
};

static struct duct_driver echo_client_driver = {
	.id_table = echo_client_ids,
	.roles = DUCT_CONNECT,
	.probe = echo_client_probe,
};
module_duct_driver(echo_client_driver);

MODULE_ALIAS_DUCT("echo");
MODULE_DESCRIPTION("xen-duct: client of the echo service");
MODULE_LICENSE("GPL");
