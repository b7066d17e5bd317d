// SPDX-License-Identifier: GPL-2.0
/*
 * duct_ledger.ko: how many grant references are free, for the rig's ledger. The kernel
 * shows it nowhere, and Xen shows only those of pages that somebody has mapped: one that is
 * never given back would not be noticed. So all are taken, counted and given back,
 * each time that the parameter free_grants is read. The table grows to its most by the
 * first time. Who asks for one meanwhile, a moment, gets none: not for a system that is used.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

/* One by one: each time that there are not as many as asked for the kernel says so. */
static int free_grants_get(char *buf, const struct kernel_param *kp)
{
	grant_ref_t all, one;
	u32 sum = 0;

	while (!gnttab_alloc_grant_references(1, &one)) {
		if (sum++)
			gnttab_release_grant_reference(&all, gnttab_claim_grant_reference(&one));
		else
			all = one;
	}
	if (sum)
		gnttab_free_grant_references(all);
	return sysfs_emit(buf, "%u\n", sum);
}

static const struct kernel_param_ops free_grants_ops = { .get = free_grants_get };

module_param_cb(free_grants, &free_grants_ops, NULL, 0400);
MODULE_PARM_DESC(free_grants, "grant references that could be had now");

static int __init duct_ledger_init(void)
{
	return xen_domain() ? 0 : -ENODEV;
}

static void __exit duct_ledger_exit(void)
{
}

module_init(duct_ledger_init);
module_exit(duct_ledger_exit);
MODULE_DESCRIPTION("xen-duct: counts free grant references, for tests");
MODULE_LICENSE("GPL");
