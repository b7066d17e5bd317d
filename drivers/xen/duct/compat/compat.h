/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel differences, found by compile probes (compat/probes.mk), never by
 * version numbers: stable kernels port things back.
 */
#ifndef _DUCT_COMPAT_H
#define _DUCT_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

/* bus_type.match takes a const driver since 6.11. */
#ifdef DUCT_HAVE_CONST_MATCH
#define duct_compat_match_driver const struct device_driver
#else
#define duct_compat_match_driver struct device_driver
#endif

/* bus_type.uevent takes a const device since 6.3. */
#ifdef DUCT_HAVE_CONST_UEVENT
#define duct_compat_uevent_device const struct device
#else
#define duct_compat_uevent_device struct device
#endif

/* xenbus_driver.remove returns nothing since 6.2, and in later 6.1 stables. */
#ifdef DUCT_HAVE_VOID_REMOVE
#define duct_compat_remove_t void
#define duct_compat_removed()
#else
#define duct_compat_remove_t int
#define duct_compat_removed() return 0
#endif

/* xenbus_read_driver_state() wants the device since 7.0. */
#ifdef DUCT_HAVE_DRIVER_STATE_DEV
#define duct_compat_driver_state(dev, path) xenbus_read_driver_state(dev, path)
#else
#define duct_compat_driver_state(dev, path) xenbus_read_driver_state(path)
#endif

/* A work queue that is not unbound has to say that it is per CPU, or 7.2 warns. */
#ifdef DUCT_HAVE_WQ_PERCPU
#define DUCT_COMPAT_WQ_PERCPU WQ_PERCPU
#else
#define DUCT_COMPAT_WQ_PERCPU 0
#endif

/* Since 6.3 vm_area_struct.vm_flags is read only. */
#ifdef DUCT_HAVE_VM_FLAGS_SET
#define duct_compat_vm_flags_set vm_flags_set
#define duct_compat_vm_flags_clear vm_flags_clear
#else
static inline void duct_compat_vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void duct_compat_vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* device_type.devnode takes a const device since 6.2. */
#ifdef DUCT_HAVE_CONST_DEVNODE
#define duct_compat_devnode_device const struct device
#else
#define duct_compat_devnode_device struct device
#endif

/* The generic way to splice from a file that is read by read_iter(), since 6.5. */
#ifdef DUCT_HAVE_COPY_SPLICE_READ
#define duct_compat_splice_read copy_splice_read
#else
#define duct_compat_splice_read generic_file_splice_read
#endif

/* What cannot be sought needs no operation for that since 6.12. */
#ifdef DUCT_HAVE_NO_LLSEEK
#define duct_compat_no_llseek no_llseek
#else
#define duct_compat_no_llseek NULL
#endif

/* User memory that is not in pieces; it needs no iovec since 6.4. */
#ifdef DUCT_HAVE_SINGLE_RANGE
#define duct_compat_import(dir, buf, len, iov, it) import_single_range(dir, buf, len, iov, it)
#else
#define duct_compat_import(dir, buf, len, iov, it) ((void)(iov), import_ubuf(dir, buf, len, it))
#endif

#endif /* _DUCT_COMPAT_H */
