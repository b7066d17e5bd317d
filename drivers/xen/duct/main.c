// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

#include "compat/compat.h"
#include "core.h"
#include "xenbus/memory.h"

struct workqueue_struct *duct_wq;
struct workqueue_struct *duct_recv_wq;
struct workqueue_struct *duct_cpu_wq;

uint duct_max_doors = 8;
module_param_named(max_doors, duct_max_doors, uint, 0644);
MODULE_PARM_DESC(max_doors, "most event channels of a link; never more than CPUs");

uint duct_start_index;
module_param_named(start_index, duct_start_index, uint, 0600);
MODULE_PARM_DESC(start_index, "where ring indexes of new channels begin, a multiple of 16; for tests");

static int __init duct_init(void)
{
	int err = -ENOMEM;

	duct_wq = alloc_workqueue("duct", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!duct_wq)
		return -ENOMEM;
	duct_recv_wq = alloc_workqueue("duct_recv", WQ_UNBOUND | WQ_FREEZABLE,
				       WQ_UNBOUND_MAX_ACTIVE);
	if (!duct_recv_wq)
		goto err_wq;
	duct_cpu_wq = alloc_workqueue("duct_cpu",
				      DUCT_COMPAT_WQ_PERCPU | WQ_FREEZABLE | WQ_HIGHPRI, 0);
	if (!duct_cpu_wq)
		goto err_recv_wq;
	err = duct_channel_init();
	if (err)
		goto err_cpu_wq;
	err = duct_bus_init();
	if (err)
		goto err_channel;
	duct_debugfs_init();
	return 0;

err_channel:
	duct_channel_exit();
err_cpu_wq:
	destroy_workqueue(duct_cpu_wq);
err_recv_wq:
	destroy_workqueue(duct_recv_wq);
err_wq:
	destroy_workqueue(duct_wq);
	return err;
}

static void __exit duct_exit(void)
{
	/* The wires are gone; what is left is links that destroy themselves. */
	flush_workqueue(duct_wq);
	duct_debugfs_exit();
	duct_bus_exit();
	duct_channel_exit();
	destroy_workqueue(duct_cpu_wq);
	destroy_workqueue(duct_recv_wq);
	destroy_workqueue(duct_wq);
	duct_grant_exit();
	duct_local_exit();
	/* Callbacks of kfree_rcu() and of the driver core. */
	rcu_barrier();
}

module_init(duct_init);
module_exit(duct_exit);
MODULE_DESCRIPTION("xen-duct: services between Xen domains");
MODULE_LICENSE("GPL");
