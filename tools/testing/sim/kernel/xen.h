/* SPDX-License-Identifier: GPL-2.0 */
/* Xen, as Linux shows it: grants, event channels, xenbus. See ../grant.c, ../evtchn.c,
 * ../store.c and ../xenbus.c. The domain is one without page tables of Xen's (PVH).
 */
#ifndef _SIM_KERNEL_XEN_H
#define _SIM_KERNEL_XEN_H

#include "device.h"

typedef u16 domid_t;
typedef u32 grant_ref_t;
typedef u32 grant_handle_t;
typedef u32 evtchn_port_t;
typedef unsigned long xen_pfn_t;

#define DOMID_SELF		((domid_t)0x7ff0)
#define DOMID_INVALID		((domid_t)0x7ff4)
#define xen_domain()		true
#define xen_pv_domain()		false
#define xen_initial_domain()	false
#define XENFEAT_gnttab_map_avail_bits 7
#define xen_feature(f)		((void)(f), false)

/* ---- grants ---- */

#define INVALID_GRANT_HANDLE	((grant_handle_t)-1)
#define GNTTABOP_map_grant_ref	0
#define GNTTABOP_unmap_grant_ref 1
#define GNTTABOP_copy		5
#define GNTMAP_host_map		2
#define GNTMAP_readonly		4
#define GNTMAP_contains_pte	16
#define GNTCOPY_source_gref	1
#define GNTCOPY_dest_gref	2
#define GNTST_okay		0
#define GNTST_general_error	(-1)
#define GNTST_bad_domain	(-2)
#define GNTST_bad_gntref	(-3)
#define GNTST_bad_handle	(-4)
#define GNTST_bad_virt_addr	(-5)
#define GNTST_bad_dev_addr	(-6)
#define GNTST_no_device_space	(-7)
#define GNTST_permission_denied	(-8)
#define GNTST_bad_page		(-9)
#define GNTST_bad_copy_arg	(-10)
#define GNTST_address_too_big	(-11)
#define GNTST_eagain		(-12)
#define GNTST_no_space		(-13)

struct gnttab_map_grant_ref {
	u64 host_addr;
	u32 flags;
	grant_ref_t ref;
	domid_t dom;
	s16 status;
	grant_handle_t handle;
	u64 dev_bus_addr;
};

struct gnttab_unmap_grant_ref {
	u64 host_addr;
	u64 dev_bus_addr;
	grant_handle_t handle;
	s16 status;
};

struct gnttab_copy {
	struct gnttab_copy_ptr {
		union {
			grant_ref_t ref;
			xen_pfn_t gmfn;
		} u;
		domid_t domid;
		u16 offset;
	} source, dest;
	u16 len;
	u16 flags;
	s16 status;
};

struct gntab_unmap_queue_data {
	struct gnttab_unmap_grant_ref *unmap_ops;
	struct gnttab_unmap_grant_ref *kunmap_ops;
	struct page **pages;
	unsigned int count;
};

static inline void gnttab_set_map_op(struct gnttab_map_grant_ref *op, phys_addr_t addr, u32 flags,
				     grant_ref_t ref, domid_t dom)
{
	*op = (struct gnttab_map_grant_ref){
		.host_addr = addr, .flags = flags, .ref = ref, .dom = dom };
}

static inline void gnttab_set_unmap_op(struct gnttab_unmap_grant_ref *op, phys_addr_t addr,
				       u32 flags, grant_handle_t handle)
{
	*op = (struct gnttab_unmap_grant_ref){ .host_addr = addr, .handle = handle };
}

int gnttab_grant_foreign_access(domid_t domid, unsigned long frame, int readonly);
int gnttab_try_end_foreign_access(grant_ref_t ref);
int gnttab_end_foreign_access_ref(grant_ref_t ref);
void gnttab_free_grant_reference(grant_ref_t ref);
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page);
int gnttab_alloc_pages(int n, struct page **pages);
void gnttab_free_pages(int n, struct page **pages);
int gnttab_map_refs(struct gnttab_map_grant_ref *op, void *kop, struct page **pages,
		    unsigned int n);
int gnttab_unmap_refs_sync(struct gntab_unmap_queue_data *item);
int xen_alloc_unpopulated_pages(unsigned int n, struct page **pages);
void xen_free_unpopulated_pages(unsigned int n, struct page **pages);
int HYPERVISOR_grant_table_op(unsigned int cmd, void *op, unsigned int n);

/* ---- event channels ---- */

#define EVTCHNOP_close		3
#define EVTCHNOP_status		5
#define EVTCHNSTAT_closed	0
#define EVTCHNSTAT_unbound	1
#define EVTCHNSTAT_interdomain	2
#define XEN_EOI_FLAG_SPURIOUS	1

struct evtchn_close {
	evtchn_port_t port;
};

struct evtchn_status {
	domid_t dom;
	evtchn_port_t port;
	u32 status;
	union {
		struct { domid_t dom; } unbound;
		struct { domid_t dom; evtchn_port_t port; } interdomain;
	} u;
};

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *arg);
#define IRQ_HANDLED		1

struct xenbus_device;

int HYPERVISOR_event_channel_op(int cmd, void *arg);
int bind_evtchn_to_irqhandler_lateeoi(evtchn_port_t port, irq_handler_t handler,
				      unsigned long flags, const char *name, void *arg);
int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev, evtchn_port_t port,
						  irq_handler_t handler, unsigned long flags,
						  const char *name, void *arg);
void unbind_from_irqhandler(unsigned int irq, void *arg);
void notify_remote_via_irq(int irq);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);

/* ---- xenbus ---- */

enum xenbus_state {
	XenbusStateUnknown,
	XenbusStateInitialising,
	XenbusStateInitWait,
	XenbusStateInitialised,
	XenbusStateConnected,
	XenbusStateClosing,
	XenbusStateClosed,
};

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL			((struct xenbus_transaction){ 0 })

struct xenbus_watch;
typedef bool (*xenbus_will_handle_t)(struct xenbus_watch *watch, const char *path,
				     const char *token);
typedef void (*xenbus_callback_t)(struct xenbus_watch *watch, const char *path,
				  const char *token);

struct xenbus_watch {
	struct list_head node_list;
	const char *node;
	unsigned int nr_pending;
	xenbus_will_handle_t will_handle;
	xenbus_callback_t callback;
	u32 domain;
};

struct xenbus_device {
	const char *devicetype;
	const char *nodename;
	const char *otherend;
	int otherend_id;
	struct xenbus_watch otherend_watch;
	struct device dev;
	enum xenbus_state state;
};

struct xenbus_device_id {
	char devicetype[32];
};

struct xenbus_driver {
	const char *name;
	const struct xenbus_device_id *ids;
	bool allow_rebind;
	bool not_essential;
	int (*probe)(struct xenbus_device *dev, const struct xenbus_device_id *id);
	void (*otherend_changed)(struct xenbus_device *dev, enum xenbus_state state);
	void (*remove)(struct xenbus_device *dev);
	struct device_driver driver;
	bool backend;
};

#define to_xenbus_device(d)	container_of(d, struct xenbus_device, dev)
#define to_xenbus_driver(d)	container_of(d, struct xenbus_driver, driver)

int __xenbus_register_frontend(struct xenbus_driver *drv, struct module *owner, const char *name);
int __xenbus_register_backend(struct xenbus_driver *drv, struct module *owner, const char *name);
void xenbus_unregister_driver(struct xenbus_driver *drv);
int xenbus_transaction_start(struct xenbus_transaction *t);
int xenbus_transaction_end(struct xenbus_transaction t, int abort);
void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node,
		  unsigned int *len);
char **xenbus_directory(struct xenbus_transaction t, const char *dir, const char *node,
			unsigned int *n);
int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node);
int xenbus_rm(struct xenbus_transaction t, const char *dir, const char *node);
__printf(4, 5) int xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node,
				 const char *fmt, ...);
int xenbus_scanf(struct xenbus_transaction t, const char *dir, const char *node, const char *fmt,
		 ...);
unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int def);
int register_xenbus_watch(struct xenbus_watch *watch);
void unregister_xenbus_watch(struct xenbus_watch *watch);
__printf(5, 6) int xenbus_watch_pathfmt(struct xenbus_device *dev, struct xenbus_watch *watch,
					xenbus_will_handle_t will_handle,
					xenbus_callback_t callback, const char *fmt, ...);
int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state);
enum xenbus_state xenbus_read_driver_state(const char *path);
int xenbus_dev_is_online(struct xenbus_device *dev);
int xenbus_alloc_evtchn(struct xenbus_device *dev, evtchn_port_t *port);

#endif /* _SIM_KERNEL_XEN_H */
