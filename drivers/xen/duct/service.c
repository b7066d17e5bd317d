// SPDX-License-Identifier: GPL-2.0
/*
 * Services on a link: who offers, who uses, and when there is a device for it.
 *
 * What both ends say decides whether a device is wanted; one ordered work per
 * service then makes or removes it and tells its channels up and down, so the
 * control work never waits for a driver.
 */
#include <linux/kmod.h>
#include <linux/slab.h>

#include "chunk.h"
#include "core.h"
#include "slot.h"

static void duct_service_free(struct kref *kref)
{
	struct duct_service *service = container_of(kref, struct duct_service, kref);

	put_device(&service->link->dev);
	kfree(service);
}

void duct_service_put(struct duct_service *service)
{
	kref_put(&service->kref, duct_service_free);
}

void duct_service_fill(const struct duct_service *service, struct duct_ctl_service *id)
{
	memcpy(id->name, service->name, sizeof(id->name));
	id->instance = service->instance;
	id->role = service->role;
}

struct duct_service *duct_service_find(struct duct_link *link, const u8 *name, u32 instance,
				       u32 role)
{
	struct duct_service *service;

	lockdep_assert_held(&link->lock);
	list_for_each_entry(service, &link->services, node)
		if (service->role == role && service->instance == instance &&
		    !memcmp(service->name, name, DUCT_SERVICE_NAME))
			return service;
	return NULL;
}

/* The service that a message of the peer is about, in our role; or NULL. */
struct duct_service *duct_service_of(struct duct_link *link, const struct duct_ctl_service *id)
{
	return duct_service_find(link, id->name, id->instance, duct_role_opposite(id->role));
}

static void duct_wishes_drop(struct duct_service *service)
{
	struct duct_wish *wish, *next;

	list_for_each_entry_safe(wish, next, &service->wishes, node) {
		list_del(&wish->node);
		kfree(wish);
	}
	service->wishes_len = 0;
}

static int duct_service_emit_one(struct duct_service *service, u32 owe, u32 type)
{
	union duct_ctl msg = { .type = type };
	int err;

	if (!(service->owe & owe))
		return 0;
	duct_service_fill(service, &msg.offer.service);
	if (type == DUCT_CTL_ANNOUNCE || type == DUCT_CTL_BIND)
		msg.offer.features = service->local_features;
	err = duct_link_send(service->link, &msg);
	if (!err)
		service->owe &= ~owe;
	return err;
}

static int duct_service_emit(struct duct_link *link, struct duct_out *out)
{
	struct duct_service *service = container_of(out, struct duct_service, out);

	return duct_service_emit_one(service, DUCT_OWE_WITHDRAW, DUCT_CTL_WITHDRAW) ?:
	       duct_service_emit_one(service, DUCT_OWE_UNBIND, DUCT_CTL_UNBIND) ?:
	       duct_service_emit_one(service, DUCT_OWE_ANNOUNCE, DUCT_CTL_ANNOUNCE) ?:
	       duct_service_emit_one(service, DUCT_OWE_BIND, DUCT_CTL_BIND);
}

/*
 * Says @say to the peer, or takes back @unsay if that was not sent yet: then
 * the peer knows what is true already.
 */
static void duct_service_owe(struct duct_service *service, u32 say, u32 unsay)
{
	if (service->owe & unsay && unsay & (DUCT_OWE_ANNOUNCE | DUCT_OWE_BIND))
		service->owe &= ~unsay;
	else
		service->owe |= say;
	duct_link_out(service->link, &service->out);
}

/* Runs the service's work. link->lock, or a reference, is held. */
void duct_service_queue(struct duct_service *service)
{
	kref_get(&service->kref);
	if (!queue_work(duct_wq, &service->work))
		duct_service_put(service);
}

/* Whether there should be a device, as things are. */
static bool duct_service_wants(struct duct_service *service)
{
	struct duct_link *link = service->link;

	if (!link->greeted || !duct_policy_allows(link->policy, service->name, service->instance))
		return false;
	switch (service->role) {
	case DUCT_ROLE_CONNECT:
		return service->offered;
	case DUCT_ROLE_SERVE:
		return service->local && service->bound;
	default:
		return service->local && service->offered;
	}
}

static void duct_service_update(struct duct_service *service)
{
	bool wanted = duct_service_wants(service);

	lockdep_assert_held(&service->link->lock);
	if (wanted == service->wanted)
		return;
	service->wanted = wanted;
	if (wanted)
		service->life++;
	else
		duct_wishes_drop(service);
	duct_service_queue(service);
}

/* Announces or withdraws, as the driver here came or went. */
static void duct_service_announce(struct duct_service *service)
{
	bool offer = service->local && service->role != DUCT_ROLE_CONNECT &&
		     service->link->greeted &&
		     duct_policy_allows(service->link->policy, service->name, service->instance);

	if (offer == service->announced)
		return;
	service->announced = offer;
	if (offer)
		duct_service_owe(service, DUCT_OWE_ANNOUNCE, DUCT_OWE_WITHDRAW);
	else
		duct_service_owe(service, DUCT_OWE_WITHDRAW, DUCT_OWE_ANNOUNCE);
	if (!offer)
		service->bound = false;
}

/*
 * Keeps a device whose driver asked for that over the loss of link or peer, and
 * starts its channels anew. Return: true if the device may stay
 */
static bool duct_service_keep(struct duct_service *service)
{
	struct duct_device_core *dev = service->dev;
	struct duct_channel_core *ch;

	/* A link that is being destroyed keeps nothing, even if a probe() has just ended. */
	if (!dev->keep || list_empty(&service->node))
		return false;
	if (service->wanted && dev->life != service->life) {
		dev->life = service->life;
		/* The peer has forgotten what was wished of its last driver. */
		list_for_each_entry(ch, &dev->channels, node)
			if (!ch->up)
				duct_channel_forget(ch);
		/* Unless its probe() ended only after the peer was back, and has said so. */
		if (service->role == DUCT_ROLE_CONNECT && !service->bound) {
			service->bound = true;
			duct_service_owe(service, DUCT_OWE_BIND, DUCT_OWE_UNBIND);
		}
	}
	return true;
}

/* Brings the device in line with what is wanted; without locks in between. */
static void duct_service_settle(struct duct_service *service)
{
	struct duct_link *link = service->link;
	int err = 0;

	mutex_lock(&link->lock);
	for (;;) {
		struct duct_device_core *dev = service->dev;
		bool right = dev ? service->wanted && dev->life == service->life : !service->wanted;

		if (right || (dev && duct_service_keep(service)))
			break;
		service->dev = NULL;
		mutex_unlock(&link->lock);
		if (dev)
			duct_device_del(dev);
		else
			err = duct_device_add(service);
		mutex_lock(&link->lock);
		if (err) {
			if (duct_link_may_log(link))
				dev_err(&link->dev, "no device for %s.%u: %d\n",
					service->name, service->instance, err);
			break;
		}
	}
	mutex_unlock(&link->lock);
}

/*
 * Calls @tell for each channel of a device, by number, with link->lock held. That may drop the
 * lock, and a driver may close any channel from any callback: after that it starts again.
 */
static void duct_service_each(struct duct_device_core *dev,
			      bool (*tell)(struct duct_channel_core *ch))
{
	struct duct_channel_core *ch;
	u32 number = 0;
	bool again;

	do {
		again = false;
		list_for_each_entry(ch, &dev->channels, node) {
			if (ch->pub.number < number)
				continue;
			number = ch->pub.number + 1;
			again = tell(ch);
			if (again)
				break;
		}
	} while (again && number);
}

/* Calls down() and then up() of the device's channels, with its lock held. */
static void duct_service_tell(struct duct_service *service)
{
	struct duct_device_core *dev = service->dev;
	struct duct_link *link = service->link;

	if (!dev)
		return;
	device_lock(&dev->pub.dev);
	mutex_lock(&link->lock);
	duct_service_each(dev, duct_channel_tell_down);
	if (service->wanted && dev->life == service->life) {
		/* Between down() and up(): what a new epoch may have changed. */
		dev->pub.epoch = link->epoch;
		dev->pub.peer = link->peer;
		dev->pub.self = link->self;
		dev->pub.features = service->peer_features & service->local_features;
		duct_service_each(dev, duct_channel_tell_up);
	}
	mutex_unlock(&link->lock);
	device_unlock(&dev->pub.dev);
}

static void duct_service_work(struct work_struct *work)
{
	struct duct_service *service = container_of(work, struct duct_service, work);

	duct_service_settle(service);
	duct_service_tell(service);
	/* This may have been the last device that kept the link. */
	if (!READ_ONCE(service->link->ops))
		duct_link_forget(service->link);
	duct_service_put(service);
}

static struct duct_service *duct_service_get_or_new(struct duct_link *link, const u8 *name,
						    u32 instance, u32 role)
{
	struct duct_service *service = duct_service_find(link, name, instance, role);

	if (service)
		return service;
	service = kzalloc(sizeof(*service), GFP_KERNEL);
	if (!service)
		return NULL;
	get_device(&link->dev);
	service->link = link;
	memcpy(service->name, name, DUCT_SERVICE_NAME);
	service->instance = instance;
	service->role = role;
	kref_init(&service->kref);
	INIT_WORK(&service->work, duct_service_work);
	INIT_LIST_HEAD(&service->wishes);
	INIT_LIST_HEAD(&service->out.node);
	service->out.emit = duct_service_emit;
	list_add_tail(&service->node, &link->services);
	return service;
}

/* ---- drivers here ---- */

struct duct_driver_scan {
	struct duct_link *link;
	const struct duct_driver *drv;
	bool here;
};

static bool duct_driver_knows(const struct duct_driver *drv, const u8 *name)
{
	const struct duct_device_id *id;

	for (id = drv->id_table; id->service[0]; id++)
		if (!strncmp(id->service, (const char *)name, DUCT_NAME_LEN))
			return true;
	return false;
}

/* Another driver that is here for the same, when one goes. duct_lock is held. */
static const struct duct_driver *duct_driver_other(const u8 *name, u32 role)
{
	struct duct_driver *drv;

	list_for_each_entry(drv, &duct_drivers, node)
		if (drv->roles & role && duct_driver_knows(drv, name))
			return drv;
	return NULL;
}

/* Return: 0 or -ENOMEM, with @here alone */
static int duct_service_driver(struct duct_driver_scan *scan, const u8 *name, u32 instance,
			       u32 role)
{
	struct duct_service *service;
	const struct duct_driver *drv;

	if (!(scan->drv->roles & role))
		return 0;
	if (scan->here)
		service = duct_service_get_or_new(scan->link, name, instance, role);
	else
		service = duct_service_find(scan->link, name, instance, role);
	if (!service)
		return scan->here ? -ENOMEM : 0;
	drv = scan->here ? scan->drv : duct_driver_other(name, role);
	service->local = drv;
	if (drv)
		service->local_features = drv->features;
	duct_service_announce(service);
	duct_service_update(service);
	return 0;
}

static int duct_service_scan(void *arg, const u8 *name, u32 instance)
{
	struct duct_driver_scan *scan = arg;

	if (!duct_driver_knows(scan->drv, name))
		return 0;
	return duct_service_driver(scan, name, instance, DUCT_ROLE_SERVE) ?:
	       duct_service_driver(scan, name, instance, DUCT_ROLE_PEER) ?:
	       duct_service_driver(scan, name, instance, DUCT_ROLE_CONNECT);
}

/*
 * A driver was registered, or is going. duct_lock is held.
 * Return: 0; -ENOMEM: not all of its services are known here; never when it goes
 */
int duct_services_driver(struct duct_link *link, const struct duct_driver *drv, bool here)
{
	struct duct_driver_scan scan = { .link = link, .drv = drv, .here = here };
	int err = 0;

	lockdep_assert_held(&duct_lock);
	mutex_lock(&link->lock);
	if (link->policy)
		err = duct_policy_for_each(link->policy, duct_service_scan, &scan);
	mutex_unlock(&link->lock);
	return err;
}

/* A driver's device is bound, or not any more: tell the serving end. */
void duct_service_bound(struct duct_service *service, bool bound)
{
	struct duct_link *link = service->link;

	mutex_lock(&link->lock);
	/* While the peer is not there it is nobody's: duct_service_keep() says it later. */
	if (service->role == DUCT_ROLE_CONNECT && service->wanted && service->bound != bound) {
		service->bound = bound;
		if (bound)
			duct_service_owe(service, DUCT_OWE_BIND, DUCT_OWE_UNBIND);
		else
			duct_service_owe(service, DUCT_OWE_UNBIND, DUCT_OWE_BIND);
	}
	if (!bound)
		duct_service_queue(service);
	mutex_unlock(&link->lock);
}

/* ---- the link's life ---- */

/*
 * A new policy: services of the drivers that are here. duct_lock and link->lock.
 * Return: 0 or -ENOMEM
 */
int duct_services_start(struct duct_link *link)
{
	struct duct_driver *drv;
	int err = 0;

	lockdep_assert_held(&duct_lock);
	list_for_each_entry(drv, &duct_drivers, node) {
		struct duct_driver_scan scan = { .link = link, .drv = drv, .here = true };

		err = duct_policy_for_each(link->policy, duct_service_scan, &scan);
		if (err)
			break;
	}
	return err;
}

/* The peer greeted: announce. */
void duct_service_up_all(struct duct_link *link)
{
	struct duct_service *service;

	duct_chunk_first(link);
	list_for_each_entry(service, &link->services, node) {
		duct_service_announce(service);
		duct_service_update(service);
	}
}

/* The epoch ends: nothing that the peer said counts any more. */
void duct_services_stop(struct duct_link *link)
{
	struct duct_service *service;

	lockdep_assert_held(&link->lock);
	list_for_each_entry(service, &link->services, node) {
		service->announced = false;
		service->offered = false;
		service->bound = false;
		service->owe = 0;
		duct_wishes_drop(service);
		duct_service_update(service);
	}
}

/* A chunk has arrived: channels that waited for memory. */
void duct_services_retry(struct duct_link *link)
{
	struct duct_service *service;
	struct duct_channel_core *ch;

	list_for_each_entry(service, &link->services, node) {
		if (!service->dev)
			continue;
		list_for_each_entry(ch, &service->dev->channels, node)
			duct_slot_try_bind(ch);
	}
}

/* The link goes for good: remove the devices, free the services. [sleep] */
void duct_services_end(struct duct_link *link)
{
	struct duct_service *service;

	mutex_lock(&link->lock);
	while (!list_empty(&link->services)) {
		service = list_first_entry(&link->services, struct duct_service, node);
		list_del_init(&service->node);
		mutex_unlock(&link->lock);
		/* No link, so nothing is wanted: this removes the device. */
		duct_service_queue(service);
		flush_work(&service->work);
		duct_service_put(service);
		mutex_lock(&link->lock);
	}
	mutex_unlock(&link->lock);
}

/* ---- what the peer says ---- */

static const char *duct_receive_announce(struct duct_link *link, const struct duct_ctl_offer *msg)
{
	const struct duct_ctl_service *id = &msg->service;
	struct duct_service *service;

	if (!duct_policy_allows(link->policy, id->name, id->instance)) {
		/* Not for us to know why it tries; nothing is loaded or made. */
		link->stats.stale++;
		if (duct_link_may_log(link))
			dev_notice(&link->dev, "dom%u offers %s.%u, which is not allowed here\n",
				   link->peer, id->name, id->instance);
		return NULL;
	}
	service = duct_service_get_or_new(link, id->name, id->instance,
					  duct_role_opposite(id->role));
	if (!service)
		return duct_no_memory;
	if (service->offered)
		return "announced twice";
	service->offered = true;
	service->peer_features = msg->features;
	if (!service->local)
		request_module_nowait("duct:%s", service->name);
	duct_service_update(service);
	return NULL;
}

static void duct_receive_withdraw(struct duct_link *link, const struct duct_ctl_withdraw *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);

	if (!service || !service->offered) {
		link->stats.stale++;
		return;
	}
	service->offered = false;
	if (service->role == DUCT_ROLE_CONNECT && service->bound) {
		/* Our BIND may come there behind the next announcement, and is not for that. */
		service->bound = false;
		duct_service_owe(service, DUCT_OWE_UNBIND, DUCT_OWE_BIND);
	}
	duct_service_update(service);
}

static const char *duct_receive_bind(struct duct_link *link, const struct duct_ctl_offer *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);

	if (!service || !service->announced) {
		link->stats.stale++;	/* withdrawn meanwhile */
		return NULL;
	}
	if (service->bound)
		return "bound twice";
	service->bound = true;
	service->peer_features = msg->features;
	duct_service_update(service);
	return NULL;
}

static void duct_receive_unbind(struct duct_link *link, const struct duct_ctl_withdraw *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);

	if (!service || !service->bound) {
		link->stats.stale++;
		return;
	}
	service->bound = false;
	duct_service_update(service);
}

static struct duct_wish *duct_wish_find(struct duct_service *service, u32 number)
{
	struct duct_wish *wish;

	list_for_each_entry(wish, &service->wishes, node)
		if (wish->number == number)
			return wish;
	return NULL;
}

/* Frontend: the backend's wish for a channel, or NULL. */
const struct duct_ctl_wish *duct_service_wish(struct duct_service *service, u32 number)
{
	struct duct_wish *wish = duct_wish_find(service, number);

	return wish ? &wish->wish : NULL;
}

/* Frontend: the wish was met or refused. */
void duct_service_wish_done(struct duct_service *service, u32 number)
{
	struct duct_wish *wish = duct_wish_find(service, number);

	if (!wish)
		return;
	list_del(&wish->node);
	service->wishes_len--;
	kfree(wish);
}

static const char *duct_receive_open(struct duct_link *link, const struct duct_ctl_open *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);
	struct duct_channel_core *ch;
	struct duct_wish *wish;

	if (!service || !(service->announced || service->offered)) {
		link->stats.stale++;
		return NULL;
	}
	/* The last one counts. */
	duct_service_wish_done(service, msg->number);
	/* A wish holds memory here: as many as channels, none beyond. */
	if (service->wishes_len >= duct_policy_channels(link->policy))
		return "more channels wished than the budget has";
	wish = kzalloc(sizeof(*wish), GFP_KERNEL);
	if (!wish)
		return duct_no_memory;
	wish->number = msg->number;
	wish->wish = msg->wish;
	list_add_tail(&wish->node, &service->wishes);
	service->wishes_len++;
	ch = duct_channel_find(service, msg->number);
	if (ch)
		duct_slot_try_bind(ch);
	return NULL;
}

static void duct_receive_cancel(struct duct_link *link, const struct duct_ctl_open *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);

	if (service)
		duct_service_wish_done(service, msg->number);
	else
		link->stats.stale++;
}

static void duct_receive_refused(struct duct_link *link, const struct duct_ctl_refused *msg)
{
	static const int reasons[] = {
		[DUCT_REFUSED_MISMATCH] = -EPROTO,
		[DUCT_REFUSED_BUDGET] = -EDQUOT,
		[DUCT_REFUSED_MEMORY] = -ENOMEM,
	};
	struct duct_service *service = duct_service_of(link, &msg->service);
	struct duct_channel_core *ch = service ? duct_channel_find(service, msg->number) : NULL;

	if (ch && ch->wished && !ch->up)
		duct_channel_refused(ch, reasons[array_index_nospec(msg->reason,
								    ARRAY_SIZE(reasons))]);
	else
		link->stats.stale++;
}

/*
 * A message about services, well formed. Return: NULL, or how it breaks the
 * protocol; what merely crossed with ours is counted as stale.
 */
const char *duct_service_receive(struct duct_link *link, const union duct_ctl *msg)
{
	lockdep_assert_held(&link->lock);
	switch (msg->type) {
	case DUCT_CTL_ANNOUNCE:
		return duct_receive_announce(link, &msg->offer);
	case DUCT_CTL_WITHDRAW:
		duct_receive_withdraw(link, &msg->withdraw);
		return NULL;
	case DUCT_CTL_BIND:
		return duct_receive_bind(link, &msg->offer);
	case DUCT_CTL_UNBIND:
		duct_receive_unbind(link, &msg->withdraw);
		return NULL;
	case DUCT_CTL_OPEN:
		return duct_receive_open(link, &msg->open);
	case DUCT_CTL_CANCEL:
		duct_receive_cancel(link, &msg->open);
		return NULL;
	case DUCT_CTL_REFUSED:
		duct_receive_refused(link, &msg->refused);
		return NULL;
	}
	return "no service message";
}
