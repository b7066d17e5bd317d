// SPDX-License-Identifier: GPL-2.0
/* Devices: one end of a service, as Linux sees it. */
#include <linux/slab.h>

#include "core.h"

static void duct_device_release(struct device *dev)
{
	struct duct_device_core *core = to_duct_device_core(to_duct_device(dev));

	kobject_put(core->channels_dir);
	duct_policy_put(core->policy);
	duct_service_put(core->service);
	kfree(core);
}

const struct device_type duct_device_type = {
	.name = "duct_device",
	.groups = duct_device_groups,
	.release = duct_device_release,
};

static char duct_role_letter(u32 role)
{
	return role == DUCT_ROLE_SERVE ? 's' : role == DUCT_ROLE_CONNECT ? 'c' : 'p';
}

static struct duct_device_core *duct_device_new(struct duct_service *service)
{
	struct duct_device_core *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	struct duct_link *link = service->link;
	struct duct_device *dd;

	if (!dev)
		return NULL;
	dd = &dev->pub;
	INIT_LIST_HEAD(&dev->channels);
	INIT_DELAYED_WORK(&dev->show, duct_device_show_work);
	mutex_init(&dev->show_lock);
	kref_get(&service->kref);
	dev->service = service;
	strscpy(dd->service, (const char *)service->name, sizeof(dd->service));
	dd->instance = service->instance;
	dd->role = service->role;
	device_initialize(&dd->dev);
	dd->dev.bus = &duct_bus;
	dd->dev.type = &duct_device_type;
	dd->dev.parent = &link->dev;

	mutex_lock(&link->lock);
	dev->life = service->life;
	dev->policy = duct_policy_get(link->policy);
	dd->peer = link->peer;
	dd->self = link->self;
	dd->epoch = link->epoch;
	dd->features = service->peer_features;
	mutex_unlock(&link->lock);
	return dev;
}

/**
 * duct_device_add() - make a service's device; its driver is probed. [sleep]
 * @service: service->dev is set before any probe
 *
 * Return: 0 or what the driver core says
 */
int duct_device_add(struct duct_service *service)
{
	struct duct_device_core *dev = duct_device_new(service);
	struct duct_link *link = service->link;
	int err;

	if (!dev)
		return -ENOMEM;
	err = dev_set_name(&dev->pub.dev, "%s.%s.%u.%c", dev_name(&link->dev), dev->pub.service,
			   dev->pub.instance, duct_role_letter(dev->pub.role));
	if (err)
		goto err_put;
	mutex_lock(&link->lock);
	service->dev = dev;
	mutex_unlock(&link->lock);
	err = device_add(&dev->pub.dev);
	if (err)
		goto err_unset;
	return 0;

err_unset:
	mutex_lock(&link->lock);
	service->dev = NULL;
	mutex_unlock(&link->lock);
err_put:
	put_device(&dev->pub.dev);
	return err;
}

/* What the driver here has, and the peer's that is there now. [sleep] */
void duct_device_join_features(struct duct_device_core *dev, u64 features)
{
	struct duct_service *service = dev->service;

	mutex_lock(&service->link->lock);
	service->local_features = features;
	dev->pub.features = service->peer_features & features;
	mutex_unlock(&service->link->lock);
}

/* The reverse; remove() of the driver runs. service->dev is NULL already. [sleep] */
void duct_device_del(struct duct_device_core *dev)
{
	device_unregister(&dev->pub.dev);
}

/**
 * duct_param() - the toolstack's value for this end. [any]
 * @dd: the device
 * @key: name of the parameter
 * @def: what to return if it was not given
 *
 * Return: the value or @def; lives as long as the device
 */
const char *duct_param(struct duct_device *dd, const char *key, const char *def)
{
	struct duct_device_core *dev = to_duct_device_core(dd);

	return duct_policy_value(dev->policy, dev->service->name, dd->instance, key) ?: def;
}
EXPORT_SYMBOL_GPL(duct_param);

/**
 * duct_present() - is the other end there? [sleep]
 * @dd: the device, of a driver that keeps it; also of another device
 *
 * Return: true while the link is up and the peer's driver is there. False may be for ever:
 * a link that was detached is parked, since its domain may come back
 */
bool duct_present(struct duct_device *dd)
{
	struct duct_device_core *dev = to_duct_device_core(dd);
	bool present;

	mutex_lock(&dev->service->link->lock);
	present = dev->service->wanted && dev->life == dev->service->life;
	mutex_unlock(&dev->service->link->lock);
	return present;
}
EXPORT_SYMBOL_GPL(duct_present);

/**
 * duct_may_log() - may a line that the peer can cause be written now? [any]
 * @dd: the device
 *
 * Ten a minute for all of a link, the core's among them: see duct_err().
 *
 * Return: true if so; it counts as written
 */
bool duct_may_log(struct duct_device *dd)
{
	return duct_link_may_log(to_duct_device_core(dd)->service->link);
}
EXPORT_SYMBOL_GPL(duct_may_log);
