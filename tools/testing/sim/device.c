// SPDX-License-Identifier: GPL-2.0
/*
 * The driver core: which driver is for which device, and who is told. And sysfs: what can
 * be read is on a list, so that it can be read at any moment.
 */
#include <stdlib.h>

#include "sim.h"

#define SHOWN	128u
#define MANY	64u

static struct {
	struct kobject *kobj;
	struct device *dev;	/* NULL: an object with operations of its own */
	u32 domain;
} shown[SHOWN];

/* ---- objects ---- */

static void show_begin(struct kobject *kobj, struct device *dev)
{
	u32 i;

	for (i = 0; i < SHOWN && shown[i].kobj; i++)
		;
	if (i == SHOWN)
		sim_fail("too much in sysfs");
	shown[i].kobj = kobj;
	shown[i].dev = dev;
	shown[i].domain = sim_domain_now();
	kobj->state_in_sysfs = true;
}

/* Nobody reads it after this. */
static void show_end(struct kobject *kobj)
{
	u32 i;

	if (!kobj->state_in_sysfs)
		return;
	for (i = 0; i < SHOWN; i++)
		if (shown[i].kobj == kobj)
			shown[i].kobj = NULL;
	kobj->state_in_sysfs = false;
	wait_event(kobj->drained, !READ_ONCE(kobj->readers));
}

void kobject_init(struct kobject *kobj, const struct kobj_type *ktype)
{
	kref_init(&kobj->kref);
	kobj->ktype = ktype;
}

static int set_name(struct kobject *kobj, const char *fmt, va_list args)
{
	char name[64];

	vsnprintf(name, sizeof(name), fmt, args);
	kfree(kobj->name);
	kobj->name = kstrdup(name, GFP_KERNEL);
	return kobj->name ? 0 : -ENOMEM;
}

int kobject_set_name(struct kobject *kobj, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = set_name(kobj, fmt, args);
	va_end(args);
	return err;
}

/* Without a format it has its name. */
int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = fmt ? set_name(kobj, fmt, args) : 0;
	va_end(args);
	if (err)
		return err;
	kref_get(&parent->kref);
	kobj->parent = parent;
	show_begin(kobj, NULL);
	return 0;
}

static void kobject_free(struct kref *kref)
{
	struct kobject *kobj = container_of(kref, struct kobject, kref);
	struct kobject *parent = kobj->parent;
	char *name = kobj->name;

	if (kobj->state_in_sysfs)
		sim_fail("\"%s\" is freed while it is in sysfs", name);
	kobj->ktype->release(kobj);
	kfree(name);
	if (parent)
		kobject_put(parent);
}

void kobject_put(struct kobject *kobj)
{
	if (kobj)
		kref_put(&kobj->kref, kobject_free);
}

void kobject_del(struct kobject *kobj)
{
	struct kobject *parent = kobj->parent;

	show_end(kobj);
	kobj->parent = NULL;
	if (parent)
		kobject_put(parent);
}

static void dynamic_release(struct kobject *kobj)
{
	kfree(kobj);
}

static const struct kobj_type dynamic_type = { .release = dynamic_release };

struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	struct kobject *kobj = kzalloc(sizeof(*kobj), GFP_KERNEL);

	if (!kobj)
		return NULL;
	kobject_init(kobj, &dynamic_type);
	kobj->name = kstrdup(name, GFP_KERNEL);
	if (!kobj->name) {
		kfree(kobj);
		return NULL;
	}
	kref_get(&parent->kref);
	kobj->parent = parent;
	return kobj;
}

/* ---- devices ---- */

static void device_release(struct kobject *kobj)
{
	struct device *dev = container_of(kobj, struct device, kobj);

	dev->type->release(dev);
}

static const struct kobj_type device_ktype = { .release = device_release };

void device_initialize(struct device *dev)
{
	kobject_init(&dev->kobj, &device_ktype);
	mutex_init(&dev->mutex);
	INIT_LIST_HEAD(&dev->node);
}

int dev_set_name(struct device *dev, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = set_name(&dev->kobj, fmt, args);
	va_end(args);
	return err;
}

struct device *get_device(struct device *dev)
{
	kref_get(&dev->kobj.kref);
	return dev;
}

void put_device(struct device *dev)
{
	kobject_put(&dev->kobj);
}

static int probe_with(struct device *dev, struct device_driver *drv)
{
	int err;

	if (dev->driver || !dev->added || !dev->bus->match(dev, drv))
		return -ENODEV;
	dev->driver = drv;
	err = dev->bus->probe(dev);
	if (err) {
		dev->driver = NULL;
		dev->driver_data = NULL;
	}
	return err;
}

static bool registered(struct bus_type *bus, const struct device_driver *drv)
{
	struct list_head *at;

	for (at = bus->drivers.next; at != &bus->drivers; at = at->next)
		if (at == &drv->node)
			return true;
	return false;
}

/* Drivers may come and go while one probes. */
static void attach(struct device *dev)
{
	struct device_driver *drv[8];
	struct list_head *at;
	u32 n = 0, i;

	device_lock(dev);
	for (at = dev->bus->drivers.next; at != &dev->bus->drivers; at = at->next)
		drv[n++] = list_entry(at, struct device_driver, node);
	for (i = 0; i < n; i++)
		if (registered(dev->bus, drv[i]) && !probe_with(dev, drv[i]))
			break;
	device_unlock(dev);
}

static void release_driver(struct device *dev)
{
	if (dev->driver)
		dev->bus->remove(dev);
	dev->driver = NULL;
	dev->driver_data = NULL;
}

int device_add(struct device *dev)
{
	if (sim_fault(SIM_ALLOC))
		return -ENOMEM;
	if (dev->parent) {
		get_device(dev->parent);
		dev->kobj.parent = &dev->parent->kobj;
	}
	/* One kind of lock for each bus: a driver of one makes devices of another. */
	dev->mutex.lock.key = dev->bus;
	dev->mutex.lock.name = dev->bus->name;
	dev->added = true;
	list_add_tail(&dev->node, &dev->bus->devices);
	show_begin(&dev->kobj, dev);
	sim_point();
	attach(dev);
	return 0;
}

void device_unregister(struct device *dev)
{
	sim_might_sleep("device_unregister");
	show_end(&dev->kobj);
	device_lock(dev);
	release_driver(dev);
	dev->added = false;
	list_del_init(&dev->node);
	device_unlock(dev);
	put_device(dev);
}

int device_reprobe(struct device *dev)
{
	device_lock(dev);
	release_driver(dev);
	device_unlock(dev);
	attach(dev);
	return 0;
}

/* ---- buses and drivers ---- */

int bus_register(struct bus_type *bus)
{
	if (sim_fault(SIM_ALLOC))
		return -ENOMEM;
	INIT_LIST_HEAD(&bus->devices);
	INIT_LIST_HEAD(&bus->drivers);
	return 0;
}

void bus_unregister(struct bus_type *bus)
{
	if (!list_empty(&bus->devices) || !list_empty(&bus->drivers))
		sim_fail("the bus \"%s\" goes with devices or drivers on it", bus->name);
}

/* All devices of a bus, each held. */
static u32 devices_of(struct bus_type *bus, struct device **dev)
{
	struct device *at;
	u32 n = 0;

	sim_alone = true;
	list_for_each_entry(at, &bus->devices, node) {
		if (n == MANY)
			sim_fail("too many devices");
		dev[n++] = get_device(at);
	}
	sim_alone = false;
	return n;
}

int driver_attach(struct device_driver *drv)
{
	struct device *dev[MANY];
	u32 i, n;

	n = devices_of(drv->bus, dev);
	for (i = 0; i < n; i++) {
		device_lock(dev[i]);
		probe_with(dev[i], drv);
		device_unlock(dev[i]);
		put_device(dev[i]);
	}
	return 0;
}

int driver_register(struct device_driver *drv)
{
	if (sim_fault(SIM_ALLOC))
		return -ENOMEM;
	list_add_tail(&drv->node, &drv->bus->drivers);
	return driver_attach(drv);
}

void driver_unregister(struct device_driver *drv)
{
	struct device *dev[MANY];
	u32 i, n;

	list_del(&drv->node);
	n = devices_of(drv->bus, dev);
	for (i = 0; i < n; i++) {
		device_lock(dev[i]);
		if (dev[i]->driver == drv)
			release_driver(dev[i]);
		device_unlock(dev[i]);
		put_device(dev[i]);
	}
}

/* ---- reading sysfs ---- */

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return n;
}

static void read_group(u32 at, const struct attribute_group *group)
{
	struct kobject *kobj = shown[at].kobj;
	struct device *dev = shown[at].dev;
	char buf[PAGE_SIZE];
	u32 i;

	for (i = 0; group->attrs[i]; i++) {
		struct device_attribute *attr =
			container_of(group->attrs[i], struct device_attribute, attr);

		if (dev)
			attr->show(dev, attr, buf);
		else
			kobj->ktype->sysfs_ops->show(kobj, group->attrs[i], buf);
		if (strcmp(buf, "0\n"))
			sim_trace("%s/%s: %s", kobj->name, group->attrs[i]->name, buf);
		sim_point();
	}
}

static void read_one(u32 at)
{
	struct kobject *kobj = shown[at].kobj;
	const struct attribute_group **groups;

	groups = shown[at].dev ? shown[at].dev->type->groups : kobj->ktype->default_groups;
	kobj->readers++;
	for (; groups && *groups; groups++)
		read_group(at, *groups);
	if (!--kobj->readers)
		wake_up_all(&kobj->drained);
}

/* Everything that a domain shows, while it goes on. */
void sim_devices_read(u32 domain)
{
	u32 i;

	for (i = 0; i < SHOWN; i++)
		if (shown[i].kobj && shown[i].domain == domain)
			read_one(i);
}

/* The domain is another one now; its tasks are still frozen. */
void sim_devices_restore(u32 domain)
{
	u32 i;

	for (i = 0; i < SHOWN; i++) {
		struct device *dev = shown[i].kobj ? shown[i].dev : NULL;

		if (dev && shown[i].domain == domain && dev->type->pm)
			dev->type->pm->restore(dev);
	}
}

void sim_devices_kill(u32 domain)
{
	u32 i;

	for (i = 0; i < SHOWN; i++)
		if (shown[i].domain == domain)
			shown[i].kobj = NULL;
}

/* ---- numbers, debugfs ---- */

int ida_alloc(struct ida *ida, gfp_t gfp)
{
	int id;

	if (sim_fault(SIM_ALLOC))
		return -ENOMEM;
	for (id = 0; ida->used >> id & 1; id++)
		;
	ida->used |= 1ULL << id;
	return id;
}

void ida_free(struct ida *ida, unsigned int id)
{
	ida->used &= ~(1ULL << id);
}

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return NULL;
}

void debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,
			 const struct file_operations *fops)
{
}

void debugfs_remove_recursive(struct dentry *dir)
{
}
