/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations of grants and event channels that fail when a test says so. Test builds alone
 * (CONFIG_DUCT_INJECT) have this: what is in xenbus/ is compiled with it before all else,
 * so that the names of the kernel's functions are those of the ones here.
 */
#ifndef _DUCT_TESTS_INJECT_H
#define _DUCT_TESTS_INJECT_H

#include <linux/interrupt.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include <asm/xen/hypercall.h>

int duct_inject_grant_op(unsigned int cmd, void *ops, unsigned int n);
int duct_inject_map_refs(struct gnttab_map_grant_ref *ops, struct gnttab_map_grant_ref *kops,
			 struct page **pages, unsigned int n);
int duct_inject_grant(domid_t domid, unsigned long frame, int readonly);
int duct_inject_port(struct xenbus_device *dev, evtchn_port_t *port);
int duct_inject_bind(evtchn_port_t port, irq_handler_t handler, unsigned long flags,
		     const char *name, void *arg);
int duct_inject_connect(struct xenbus_device *dev, evtchn_port_t port, irq_handler_t handler,
			unsigned long flags, const char *name, void *arg);

#ifndef DUCT_INJECT_ITSELF
#define HYPERVISOR_grant_table_op duct_inject_grant_op
#define gnttab_map_refs duct_inject_map_refs
#define gnttab_grant_foreign_access duct_inject_grant
#define xenbus_alloc_evtchn duct_inject_port
#define bind_evtchn_to_irqhandler_lateeoi duct_inject_bind
#define bind_interdomain_evtchn_to_irqhandler_lateeoi duct_inject_connect
#endif

#endif /* _DUCT_TESTS_INJECT_H */
