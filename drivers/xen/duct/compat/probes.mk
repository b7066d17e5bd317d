# SPDX-License-Identifier: GPL-2.0
# What this kernel has: each probe compiles one line against its headers.

duct-probe = $(shell printf '%s\n' $(2) | $(CC) $(LINUXINCLUDE) $(KBUILD_CPPFLAGS) \
	$(KBUILD_CFLAGS) $(KBUILD_CFLAGS_MODULE) -DMODULE -DKBUILD_MODNAME='"probe"' \
	-DKBUILD_BASENAME='"probe"' -Werror -Wno-missing-prototypes -Wno-missing-declarations \
	-x c -c -o /dev/null - >/dev/null 2>&1 && echo -DDUCT_HAVE_$(1))

duct-compat-flags := \
	$(call duct-probe,CONST_MATCH,'$(pound)include <linux/device.h>' \
		'int m(struct device *d, const struct device_driver *r) { return 0; }' \
		'struct bus_type b = { .match = m };') \
	$(call duct-probe,CONST_UEVENT,'$(pound)include <linux/device.h>' \
		'int u(const struct device *d, struct kobj_uevent_env *e) { return 0; }' \
		'struct bus_type b = { .uevent = u };') \
	$(call duct-probe,VOID_REMOVE,'$(pound)include <xen/xenbus.h>' \
		'void r(struct xenbus_device *d) { }' \
		'struct xenbus_driver b = { .remove = r };') \
	$(call duct-probe,DRIVER_STATE_DEV,'$(pound)include <xen/xenbus.h>' \
		'int s(void) { return xenbus_read_driver_state((struct xenbus_device *)0, ""); }') \
	$(call duct-probe,CONST_DEVNODE,'$(pound)include <linux/device.h>' \
		'char *n(const struct device *d, umode_t *m, kuid_t *u, kgid_t *g) { return 0; }' \
		'struct device_type t = { .devnode = n };') \
	$(call duct-probe,COPY_SPLICE_READ,'$(pound)include <linux/fs.h>' \
		'void *f(void) { return copy_splice_read; }') \
	$(call duct-probe,NO_LLSEEK,'$(pound)include <linux/fs.h>' \
		'void *f(void) { return no_llseek; }') \
	$(call duct-probe,SINGLE_RANGE,'$(pound)include <linux/uio.h>' \
		'void *f(void) { return import_single_range; }') \
	$(call duct-probe,WQ_PERCPU,'$(pound)include <linux/workqueue.h>' \
		'int f(void) { return WQ_PERCPU; }') \
	$(call duct-probe,VM_FLAGS_SET,'$(pound)include <linux/mm.h>' \
		'void f(struct vm_area_struct *v) { vm_flags_set(v, VM_IO); }') \
	$(call duct-probe,PAGE_POOL_HELPERS,'$(pound)include <net/page_pool/helpers.h>') \
	$(call duct-probe,VSOCK_NET,'$(pound)include <linux/virtio_vsock.h>' \
		'int s(struct sk_buff *b, struct net *n) { return 0; }' \
		'struct virtio_transport t = { .send_pkt = s };') \
	$(call duct-probe,VSOCK_UNSENT,'$(pound)include <linux/virtio_vsock.h>' \
		'void *f(void) { return virtio_transport_unsent_bytes; }') \
	$(call duct-probe,VSOCK_READ_SKB,'$(pound)include <linux/virtio_vsock.h>' \
		'void *f(void) { return virtio_transport_read_skb; }') \
	$(call duct-probe,VSOCK_RCVLOWAT,'$(pound)include <linux/virtio_vsock.h>' \
		'void *f(void) { return virtio_transport_notify_set_rcvlowat; }')
