/* SPDX-License-Identifier: GPL-2.0 */
/* The driver core, modules and their parameters, sysfs: see ../device.c. */
#ifndef _SIM_KERNEL_DEVICE_H
#define _SIM_KERNEL_DEVICE_H

#include "memory.h"

/* ---- modules: SIM_MODULE is the name of the one that is compiled ---- */

static inline __printf(1, 2) void sim_unused(const char *fmt, ...) { }

struct module;
#define THIS_MODULE		((struct module *)NULL)
#define KBUILD_MODNAME		"duct"
#define MODULE_LICENSE(x)	extern int sim_no_export
#define MODULE_DESCRIPTION(x)	extern int sim_no_export
#define MODULE_ALIAS(x)		extern int sim_no_export
#define MODULE_PARM_DESC(n, x)	extern int sim_no_export
#define module_init(f)		int _sim_cat(sim_init_, SIM_MODULE)(void) { return f(); }
#define module_exit(f)		void _sim_cat(sim_exit_, SIM_MODULE)(void) { f(); }
#define module_driver(d, reg, unreg)						\
	static int sim_driver_init(void) { return reg(&(d)); }			\
	module_init(sim_driver_init)						\
	static void sim_driver_exit(void) { unreg(&(d)); }			\
	module_exit(sim_driver_exit)
/* In uint's. */
#define module_param_named(n, var, type, perm) \
	unsigned int *sim_param_##n(void); unsigned int *sim_param_##n(void) { return &(var); } \
	extern int sim_no_export
#define module_param_cb(n, ops, arg, perm) \
	const void *sim_param_##n(void); const void *sim_param_##n(void) { return ops; } \
	extern int sim_no_export
#define request_module_nowait(...)	((void)0)

struct kernel_param;
struct kernel_param_ops {
	int (*get)(char *buf, const struct kernel_param *param);
};

/* ---- sysfs ---- */

struct kobject;
struct device;

struct attribute {
	const char *name;
	umode_t mode;
};

struct attribute_group {
	struct attribute **attrs;
};

struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr, char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr, const char *buf,
			 size_t n);
};

struct sysfs_ops {
	ssize_t (*show)(struct kobject *kobj, struct attribute *attr, char *buf);
};

#define __ATTR(n, m, s, w) { .attr = { .name = #n, .mode = m }, .show = s, .store = w }
#define DEVICE_ATTR_RO(n) \
	struct device_attribute dev_attr_##n = __ATTR(n, 0444, n##_show, NULL)
#define ATTRIBUTE_GROUPS(n)							\
	static const struct attribute_group n##_group = { .attrs = n##_attrs };	\
	static const struct attribute_group *n##_groups[] = { &n##_group, NULL }
__printf(2, 3) int sysfs_emit(char *buf, const char *fmt, ...);

/* ---- objects ---- */

struct kobj_type {
	void (*release)(struct kobject *kobj);
	const struct sysfs_ops *sysfs_ops;
	const struct attribute_group **default_groups;
};

struct kobject {
	char *name;
	struct kref kref;
	const struct kobj_type *ktype;
	struct kobject *parent;
	bool state_in_sysfs;
	int readers;
	wait_queue_head_t drained;
};

void kobject_init(struct kobject *kobj, const struct kobj_type *ktype);
__printf(2, 3) int kobject_set_name(struct kobject *kobj, const char *fmt, ...);
__printf(3, 4) int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...);
struct kobject *kobject_create_and_add(const char *name, struct kobject *parent);
void kobject_del(struct kobject *kobj);
void kobject_put(struct kobject *kobj);
#define kobject_name(k)		((const char *)(k)->name)

/* ---- devices ---- */

struct kobj_uevent_env;
#define add_uevent_var(env, ...)	((void)(env), sim_unused(__VA_ARGS__), 0)

struct dev_pm_ops {
	int (*restore)(struct device *dev);
};

struct device_type {
	const char *name;
	const struct attribute_group **groups;
	const struct dev_pm_ops *pm;
	void (*release)(struct device *dev);
};

struct device_driver {
	const char *name;
	struct module *owner;
	struct bus_type *bus;
	struct list_head node;
};

struct device {
	struct kobject kobj;
	struct mutex mutex;
	struct bus_type *bus;
	const struct device_type *type;
	struct device *parent;
	struct device_driver *driver;
	void *driver_data;
	bool added;
	struct list_head node;
};

struct bus_type {
	const char *name;
	int (*match)(struct device *dev, struct device_driver *drv);
	int (*uevent)(struct device *dev, struct kobj_uevent_env *env);
	int (*probe)(struct device *dev);
	void (*remove)(struct device *dev);
	struct list_head devices;
	struct list_head drivers;
};

int bus_register(struct bus_type *bus);
void bus_unregister(struct bus_type *bus);
int driver_register(struct device_driver *drv);
int driver_attach(struct device_driver *drv);
void driver_unregister(struct device_driver *drv);
void device_initialize(struct device *dev);
__printf(2, 3) int dev_set_name(struct device *dev, const char *fmt, ...);
int device_add(struct device *dev);
void device_unregister(struct device *dev);
int device_reprobe(struct device *dev);
struct device *get_device(struct device *dev);
void put_device(struct device *dev);
#define device_lock(d)		mutex_lock(&(d)->mutex)
#define device_unlock(d)	mutex_unlock(&(d)->mutex)
#define dev_name(d)		((const char *)(d)->kobj.name)
#define dev_get_drvdata(d)	((d)->driver_data)
#define dev_set_drvdata(d, p)	((d)->driver_data = (p))
#define dev_err(d, ...)		((void)(d), sim_trace(__VA_ARGS__))
#define dev_notice(d, ...)	((void)(d), sim_trace(__VA_ARGS__))
#define dev_dbg(d, ...)		((void)(d), sim_trace(__VA_ARGS__))
#define dev_err_ratelimited(d, ...) ((void)(d), sim_trace(__VA_ARGS__))

struct ida {
	u64 used;
};

#define DEFINE_IDA(i)		struct ida i
int ida_alloc(struct ida *ida, gfp_t gfp);
void ida_free(struct ida *ida, unsigned int id);

/* ---- debugfs ---- */

struct seq_file;
struct dentry {
	void *data;
	int (*show)(struct seq_file *m, void *unused);
	struct dentry *file;
};

struct seq_file {
	void *private;
};

struct file_operations {
	int (*show)(struct seq_file *m, void *unused);
};

#define DEFINE_SHOW_ATTRIBUTE(n) \
	static const struct file_operations n##_fops = { .show = n##_show }
#define seq_printf(m, ...)	((void)(m), sim_unused(__VA_ARGS__))
struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
void debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,
			 const struct file_operations *fops);
void debugfs_remove_recursive(struct dentry *dir);

/* ---- tracepoints ---- */

#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)		__VA_ARGS__
#define TRACE_EVENT(name, proto, ...)	static inline void trace_##name(proto) { }
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, args)	TRACE_EVENT(name, _SIM_PROTO(proto))
#define _SIM_PROTO(...)		__VA_ARGS__

#endif /* _SIM_KERNEL_DEVICE_H */
