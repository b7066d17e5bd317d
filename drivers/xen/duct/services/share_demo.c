// SPDX-License-Identifier: GPL-2.0
/*
 * One region for any number of domains: its owner offers it to each peer that uses the
 * service. Everybody has 64 bytes of it for a line, and can trigger all others.
 *
 *	dom0# modprobe duct_share_demo owner=1		each domU# modprobe duct_share_demo
 *	dom0# ductctl attach GUEST --service share.0
 *	any#  cd /sys/module/duct_share_demo/parameters
 *	any#  echo good morning >line; cat line		all domains' lines, by their ids
 *	any#  echo 1000 >trigger				the others: cat total calls
 *
 * The watch is told of each 100 triggers.
 */
#include <linux/string.h>
#include <xen/duct.h>

#define DEMO_LINE	64u
#define DEMO_DOMAINS	64u	/* ids are below this */
#define DEMO_REGION	1u	/* what the peers name it by */

static bool owner;
module_param(owner, bool, 0444);
MODULE_PARM_DESC(owner, "have the region; else attach to it");

static struct duct_region *demo;
static DEFINE_MUTEX(demo_lock);	/* @demo against its end */

static ulong calls;	/* of the watch */
module_param(calls, ulong, 0444);
static void demo_rung(struct duct_watch *w)
{
	calls++;
}

static struct duct_watch demo_watch = { .fn = demo_rung, .count = 100 };
module_param_named(total, demo_watch.total, ullong, 0444);

static void demo_up(struct duct_region *r, unsigned int peer)
{
	pr_info("duct_share_demo: %u is up, with %u\n", r->self, peer);
}

static void demo_down(struct duct_region *r, unsigned int peer, int why)
{
	pr_info("duct_share_demo: %u is down, with %u: %d\n", r->self, peer, why);
}

static const struct duct_region_ops demo_ops = { .up = demo_up, .down = demo_down };

static int demo_begin(struct duct_region *r)
{
	int err = PTR_ERR_OR_ZERO(r) ?: duct_region_watch(r, &demo_watch);

	if (err)
		duct_region_put(r);
	else
		demo = r;
	return err;
}

static int demo_probe(struct duct_device *dd)
{
	if (owner)
		return duct_region_offer(demo, dd, DEMO_REGION, true);
	return demo ? -EBUSY : demo_begin(duct_region_attach(dd, DEMO_REGION, &demo_ops, NULL));
}

static void demo_remove(struct duct_device *dd)
{
	if (owner) {
		duct_region_revoke(demo, dd);
		return;
	}
	mutex_lock(&demo_lock);
	duct_region_put(demo);
	demo = NULL;
	mutex_unlock(&demo_lock);
}

static const struct duct_device_id demo_ids[] = { { "share" }, { } };
static struct duct_driver demo_driver = {
	.id_table = demo_ids, .probe = demo_probe, .remove = demo_remove,
};

/* @param->arg: NULL for "trigger" */
static int demo_set(const char *val, const struct kernel_param *param)
{
	bool line = param->arg;
	u32 n = 1;
	int err = line ? 0 : kstrtou32(val, 0, &n);

	mutex_lock(&demo_lock);
	if (!err && (!demo || !demo->addr))
		err = -ENOTCONN;
	if (!err && line)
		strscpy(demo->addr + demo->self * DEMO_LINE, val, DEMO_LINE);
	while (!err && n--)
		err = duct_region_trigger(demo, 0);
	mutex_unlock(&demo_lock);
	return err;
}

static int demo_get(char *buf, const struct kernel_param *param)
{
	char line[DEMO_LINE];
	int len = 0;
	u32 i;

	mutex_lock(&demo_lock);
	for (i = 0; demo && demo->addr && i < DEMO_DOMAINS; i++) {
		/* The others write: a copy first, then a look at that. */
		memcpy(line, demo->addr + i * DEMO_LINE, DEMO_LINE);
		line[DEMO_LINE - 1] = '\0';
		if (line[0])
			len += sysfs_emit_at(buf, len, "%u %s\n", i, strim(line));
	}
	mutex_unlock(&demo_lock);
	return len;
}

static const struct kernel_param_ops demo_do_ops = { .set = demo_set, .get = demo_get };
module_param_cb(line, &demo_do_ops, &demo, 0644);
module_param_cb(trigger, &demo_do_ops, NULL, 0200);

static int __init demo_init(void)
{
	int err = 0;

	demo_driver.roles = owner ? DUCT_SERVE : DUCT_CONNECT;
	if (owner)
		err = demo_begin(duct_region_create(DEMO_DOMAINS * DEMO_LINE, &demo_ops, NULL));
	if (!err)
		err = duct_driver_register(&demo_driver);
	if (err)
		duct_region_put(demo);
	return err;
}

static void __exit demo_exit(void)
{
	duct_driver_unregister(&demo_driver);
	duct_region_put(demo);
}

module_init(demo_init);
module_exit(demo_exit);
MODULE_ALIAS_DUCT("share");
MODULE_DESCRIPTION("xen-duct: a region of many domains");
MODULE_LICENSE("GPL");
