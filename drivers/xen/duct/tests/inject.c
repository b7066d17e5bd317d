// SPDX-License-Identifier: GPL-2.0
/*
 * See inject.h. The parameter "inject" of xen_duct:
 *
 *   echo OPERATION NTH STATUS   from now on, the NTH of these fails so, and no other
 *   cat                         how many have failed since
 *
 * Pages of a hypercall count one by one. A page that fails is left out of the hypercall;
 * with "ref", "dom" or "addr" for a status the hypervisor is asked for it with a number that
 * is none, and says itself what it thinks of that.
 */
#define DUCT_INJECT_ITSELF
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "inject.h"

enum inject_op {
	INJECT_NONE,
	INJECT_MAP,
	INJECT_UNMAP,
	INJECT_COPY,
	INJECT_GRANT,
	INJECT_PORT,
	INJECT_BIND,
	INJECT_CONNECT,
};

static const char * const inject_names[] = {
	[INJECT_NONE] = "none",
	[INJECT_MAP] = "map",
	[INJECT_UNMAP] = "unmap",
	[INJECT_COPY] = "copy",
	[INJECT_GRANT] = "grant",
	[INJECT_PORT] = "port",
	[INJECT_BIND] = "bind",
	[INJECT_CONNECT] = "connect",
};

/* A status is negative; these are asked of the hypervisor. */
enum {
	INJECT_REF = 1,
	INJECT_DOM,
	INJECT_ADDR,
};

static DEFINE_SPINLOCK(inject_lock);	/* all of these */
static enum inject_op inject_op;
static u32 inject_left;
static int inject_status;
static u32 inject_hits;

static int inject_set(const char *text, const struct kernel_param *param)
{
	char op[16], status[16];
	int i, value = 0;
	u32 nth;

	if (sscanf(text, "%15s %u %15s", op, &nth, status) != 3)
		return -EINVAL;
	i = match_string(inject_names, ARRAY_SIZE(inject_names), op);
	if (i < 0)
		return i;
	if (!strcmp(status, "ref"))
		value = INJECT_REF;
	else if (!strcmp(status, "dom"))
		value = INJECT_DOM;
	else if (!strcmp(status, "addr"))
		value = INJECT_ADDR;
	else if (kstrtoint(status, 0, &value))
		return -EINVAL;
	spin_lock_irq(&inject_lock);
	inject_op = i;
	inject_left = nth;
	inject_status = value;
	inject_hits = 0;
	spin_unlock_irq(&inject_lock);
	return 0;
}

static int inject_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%u\n", READ_ONCE(inject_hits));
}

static const struct kernel_param_ops inject_ops = { .set = inject_set, .get = inject_get };
module_param_cb(inject, &inject_ops, NULL, 0600);
MODULE_PARM_DESC(inject, "test builds: what fails; see tests/inject.c");

/* Return: 0, or what one of the next @n operations fails with: that after *@at others */
static int inject_due(enum inject_op op, u32 n, u32 *at)
{
	unsigned long irq;
	int status = 0;

	spin_lock_irqsave(&inject_lock, irq);
	if (inject_op == op && inject_left) {
		if (inject_left <= n) {
			*at = inject_left - 1;
			status = inject_status;
			inject_hits++;
			inject_left = 0;
		} else {
			inject_left -= n;
		}
	}
	spin_unlock_irqrestore(&inject_lock, irq);
	return status;
}

static int inject_one(enum inject_op op)
{
	u32 at;

	return inject_due(op, 1, &at);
}

static void inject_wrong(struct gnttab_map_grant_ref *op, int what)
{
	if (what == INJECT_REF)
		op->ref = 0x7fffffff;
	else if (what == INJECT_DOM)
		op->dom = DOMID_IDLE;
	else
		op->host_addr = ~0xfffULL;
}

static size_t inject_size(unsigned int cmd)
{
	return cmd == GNTTABOP_map_grant_ref ? sizeof(struct gnttab_map_grant_ref) :
	       cmd == GNTTABOP_unmap_grant_ref ? sizeof(struct gnttab_unmap_grant_ref) :
	       sizeof(struct gnttab_copy);
}

static void inject_say(unsigned int cmd, void *op, int status)
{
	if (cmd == GNTTABOP_map_grant_ref)
		((struct gnttab_map_grant_ref *)op)->status = status;
	else if (cmd == GNTTABOP_unmap_grant_ref)
		((struct gnttab_unmap_grant_ref *)op)->status = status;
	else
		((struct gnttab_copy *)op)->status = status;
}

int duct_inject_grant_op(unsigned int cmd, void *ops, unsigned int n)
{
	enum inject_op op = cmd == GNTTABOP_map_grant_ref ? INJECT_MAP :
			    cmd == GNTTABOP_unmap_grant_ref ? INJECT_UNMAP : INJECT_COPY;
	size_t size = inject_size(cmd);
	u32 at;
	int status = inject_due(op, n, &at), err = 0;

	if (!status)
		return HYPERVISOR_grant_table_op(cmd, ops, n);
	if (status > 0 && op == INJECT_MAP) {
		inject_wrong((struct gnttab_map_grant_ref *)ops + at, status);
		return HYPERVISOR_grant_table_op(cmd, ops, n);
	}
	if (at)
		err = HYPERVISOR_grant_table_op(cmd, ops, at);
	inject_say(cmd, ops + at * size, status);
	if (!err && at + 1 < n)
		err = HYPERVISOR_grant_table_op(cmd, ops + (at + 1) * size, n - at - 1);
	return err;
}
EXPORT_SYMBOL_GPL(duct_inject_grant_op);

/* It does more than the hypercall: the hypervisor is given what it refuses. */
int duct_inject_map_refs(struct gnttab_map_grant_ref *ops, struct gnttab_map_grant_ref *kops,
			 struct page **pages, unsigned int n)
{
	u32 at;
	int status = inject_due(INJECT_MAP, n, &at), err;

	if (status)
		inject_wrong(&ops[at], status > 0 ? status : INJECT_REF);
	err = gnttab_map_refs(ops, kops, pages, n);
	if (status < 0)
		ops[at].status = status;
	return err;
}
EXPORT_SYMBOL_GPL(duct_inject_map_refs);

int duct_inject_grant(domid_t domid, unsigned long frame, int readonly)
{
	return inject_one(INJECT_GRANT) ?: gnttab_grant_foreign_access(domid, frame, readonly);
}
EXPORT_SYMBOL_GPL(duct_inject_grant);

int duct_inject_port(struct xenbus_device *dev, evtchn_port_t *port)
{
	return inject_one(INJECT_PORT) ?: xenbus_alloc_evtchn(dev, port);
}
EXPORT_SYMBOL_GPL(duct_inject_port);

int duct_inject_bind(evtchn_port_t port, irq_handler_t handler, unsigned long flags,
		     const char *name, void *arg)
{
	return inject_one(INJECT_BIND) ?:
	       bind_evtchn_to_irqhandler_lateeoi(port, handler, flags, name, arg);
}
EXPORT_SYMBOL_GPL(duct_inject_bind);

int duct_inject_connect(struct xenbus_device *dev, evtchn_port_t port, irq_handler_t handler,
			unsigned long flags, const char *name, void *arg)
{
	return inject_one(INJECT_CONNECT) ?:
	       bind_interdomain_evtchn_to_irqhandler_lateeoi(dev, port, handler, flags, name, arg);
}
EXPORT_SYMBOL_GPL(duct_inject_connect);
