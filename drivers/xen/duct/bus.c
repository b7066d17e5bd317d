// SPDX-License-Identifier: GPL-2.0
/* The bus "duct": links and the devices of services, and their drivers. */
#include <linux/slab.h>

#include "compat/compat.h"
#include "core.h"

LIST_HEAD(duct_drivers);

static const struct duct_device_id *duct_match_id(const struct duct_driver *drv,
						  const struct duct_device *dd)
{
	const struct duct_device_id *id;

	if (!(drv->roles & dd->role))
		return NULL;
	for (id = drv->id_table; id->service[0]; id++)
		if (!strncmp(id->service, dd->service, DUCT_NAME_LEN))
			return id;
	return NULL;
}

static int duct_bus_match(struct device *dev, duct_compat_match_driver *driver)
{
	const struct duct_driver *drv = container_of(driver, const struct duct_driver, driver);

	/* Links are on the bus to be seen there; no driver is for them. */
	return dev->type == &duct_device_type && duct_match_id(drv, to_duct_device(dev));
}

static int duct_bus_uevent(duct_compat_uevent_device *dev, struct kobj_uevent_env *env)
{
	const struct duct_device *dd;

	if (dev->type != &duct_device_type)
		return 0;
	dd = container_of(dev, const struct duct_device, dev);
	return add_uevent_var(env, "MODALIAS=duct:%s", dd->service) ?:
	       add_uevent_var(env, "DUCT_SERVICE=%s", dd->service) ?:
	       add_uevent_var(env, "DUCT_INSTANCE=%u", dd->instance) ?:
	       add_uevent_var(env, "DUCT_PEER=%u", dd->peer);
}

/* The driver opens nothing any more. */
static void duct_bus_close(struct duct_device_core *core)
{
	duct_channel_close_all(core);
	cancel_delayed_work_sync(&core->show);
	kobject_put(core->channels_dir);
	core->channels_dir = NULL;
}

static int duct_bus_probe(struct device *dev)
{
	struct duct_driver *drv = to_duct_driver(dev->driver);
	struct duct_device *dd = to_duct_device(dev);
	struct duct_device_core *core = to_duct_device_core(dd);
	int err;

	core->channels_dir = kobject_create_and_add("channels", &dev->kobj);
	if (!core->channels_dir)
		return -ENOMEM;
	dd->id = duct_match_id(drv, dd);
	duct_device_join_features(core, drv->features);
	err = drv->probe(dd);
	if (err) {
		duct_bus_close(core);
		return err;
	}
	duct_device_show(core);
	core->keep = drv->keep;
	duct_service_bound(core->service, true);
	return 0;
}

static void duct_bus_remove(struct device *dev)
{
	struct duct_driver *drv = to_duct_driver(dev->driver);
	struct duct_device_core *core = to_duct_device_core(to_duct_device(dev));

	if (drv->remove)
		drv->remove(&core->pub);
	duct_bus_close(core);
	core->keep = false;
	duct_service_bound(core->service, false);
}

struct bus_type duct_bus = {
	.name = "duct",
	.match = duct_bus_match,
	.uevent = duct_bus_uevent,
	.probe = duct_bus_probe,
	.remove = duct_bus_remove,
};

/* Tells every link that a driver came or is going. Return: 0; -ENOMEM for one that came */
static int duct_driver_tell(struct duct_driver *drv, bool here)
{
	struct duct_link *link;
	int err = 0;

	list_for_each_entry(link, &duct_links, node)
		err = err ?: duct_services_driver(link, drv, here);
	return err;
}

/**
 * __duct_driver_register() - use duct_driver_register(). [sleep]
 * @drv: id_table, roles and probe filled in
 * @owner: the module
 * @name: of the driver
 *
 * probe() may run before this returns.
 *
 * Return: 0; -EINVAL when something is missing or the roles do not go together;
 * what driver_register() says; -ENOMEM
 */
int __duct_driver_register(struct duct_driver *drv, struct module *owner, const char *name)
{
	int err;

	if (!drv->id_table || !drv->probe || !drv->roles ||
	    drv->roles & ~(DUCT_CONNECT | DUCT_SERVE | DUCT_PEER) ||
	    (drv->roles & DUCT_PEER && drv->roles != DUCT_PEER))
		return -EINVAL;
	drv->driver.name = name;
	drv->driver.owner = owner;
	drv->driver.bus = &duct_bus;
	err = driver_register(&drv->driver);
	if (err)
		return err;
	mutex_lock(&duct_lock);
	list_add_tail(&drv->node, &duct_drivers);
	err = duct_driver_tell(drv, true);
	mutex_unlock(&duct_lock);
	if (err)
		duct_driver_unregister(drv);
	return err;
}
EXPORT_SYMBOL_GPL(__duct_driver_register);

/**
 * duct_driver_unregister() - remove() runs for each device. [sleep]
 * @drv: no callback of it runs after this
 */
void duct_driver_unregister(struct duct_driver *drv)
{
	mutex_lock(&duct_lock);
	list_del_init(&drv->node);
	duct_driver_tell(drv, false);
	mutex_unlock(&duct_lock);
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(duct_driver_unregister);

int duct_bus_init(void)
{
	return bus_register(&duct_bus);
}

void duct_bus_exit(void)
{
	bus_unregister(&duct_bus);
}
