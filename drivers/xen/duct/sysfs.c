// SPDX-License-Identifier: GPL-2.0
/* sysfs: see Documentation/ABI/testing/sysfs-bus-duct. */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core.h"
#include "park.h"

/* ---- links ---- */

static ssize_t uuid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", &to_duct_link(dev)->uuid);
}
static DEVICE_ATTR_RO(uuid);

static ssize_t side_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", duct_link_is_front(to_duct_link(dev)) ? "front" : "back");
}
static DEVICE_ATTR_RO(side);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct duct_link *link = to_duct_link(dev);

	return sysfs_emit(buf, "%s\n", READ_ONCE(link->greeted) ? "up" : READ_ONCE(link->state));
}
static DEVICE_ATTR_RO(state);

static ssize_t fault_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", duct_link_fault(to_duct_link(dev)) ?: "");
}
static DEVICE_ATTR_RO(fault);

/* A counter of all doors: the member of that offset. */
static u64 duct_doors_sum(const struct duct_link *link, size_t offset)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < DUCT_DOORS; i++)
		sum += READ_ONCE(*(const u64 *)((const u8 *)&link->door[i] + offset));
	return sum;
}

#define DUCT_LINK_ATTR(name, format, value)						\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf) \
{											\
	struct duct_link *link = to_duct_link(dev);					\
	ssize_t len;									\
											\
	mutex_lock(&link->lock);							\
	len = sysfs_emit(buf, format "\n", value);					\
	mutex_unlock(&link->lock);							\
	return len;									\
}											\
static DEVICE_ATTR_RO(name)

DUCT_LINK_ATTR(peer, "%u", link->peer);
DUCT_LINK_ATTR(self, "%u", link->self);
DUCT_LINK_ATTR(epoch, "%u", link->epoch);
DUCT_LINK_ATTR(incarnation, "%llu", link->incarnation);
DUCT_LINK_ATTR(peer_incarnation, "%llu", link->peer_incarnation);
DUCT_LINK_ATTR(channels, "%u", link->channels);
DUCT_LINK_ATTR(channels_budget, "%u", link->policy ? duct_policy_channels(link->policy) : 0);
DUCT_LINK_ATTR(pages, "%u", link->pages);
DUCT_LINK_ATTR(region_pages, "%u", link->region_pages);
DUCT_LINK_ATTR(pages_budget, "%u", link->policy ? duct_policy_pages(link->policy) : 0);
DUCT_LINK_ATTR(doors, "%u", link->doors);
DUCT_LINK_ATTR(events, "%llu", duct_doors_sum(link, offsetof(struct duct_door, events)));
DUCT_LINK_ATTR(spurious, "%llu", duct_doors_sum(link, offsetof(struct duct_door, spurious)));
DUCT_LINK_ATTR(rung, "%lld", (long long)atomic64_read(&link->stats.rung));
DUCT_LINK_ATTR(faults, "%lld", (long long)atomic64_read(&link->stats.faults));
DUCT_LINK_ATTR(control_in, "%llu", link->stats.control_in);
DUCT_LINK_ATTR(control_out, "%llu", link->stats.control_out);
DUCT_LINK_ATTR(stale, "%llu", link->stats.stale);

static struct attribute *duct_link_attrs[] = {
	&dev_attr_uuid.attr,
	&dev_attr_side.attr,
	&dev_attr_state.attr,
	&dev_attr_fault.attr,
	&dev_attr_peer.attr,
	&dev_attr_self.attr,
	&dev_attr_epoch.attr,
	&dev_attr_incarnation.attr,
	&dev_attr_peer_incarnation.attr,
	&dev_attr_channels.attr,
	&dev_attr_channels_budget.attr,
	&dev_attr_pages.attr,
	&dev_attr_region_pages.attr,
	&dev_attr_pages_budget.attr,
	&dev_attr_doors.attr,
	&dev_attr_events.attr,
	&dev_attr_spurious.attr,
	&dev_attr_rung.attr,
	&dev_attr_faults.attr,
	&dev_attr_control_in.attr,
	&dev_attr_control_out.attr,
	&dev_attr_stale.attr,
	NULL
};

static const struct attribute_group duct_link_group = { .attrs = duct_link_attrs };
const struct attribute_group *duct_link_groups[] = { &duct_link_group, NULL };

/* ---- devices ---- */

#define DUCT_DEVICE_ATTR(file, field, format)						\
static ssize_t device_##field##_show(struct device *dev, struct device_attribute *attr,	\
				     char *buf)						\
{											\
	return sysfs_emit(buf, format "\n", to_duct_device(dev)->field);		\
}											\
static struct device_attribute dev_attr_device_##field =				\
	__ATTR(file, 0444, device_##field##_show, NULL)

DUCT_DEVICE_ATTR(service, service, "%s");
DUCT_DEVICE_ATTR(instance, instance, "%u");
DUCT_DEVICE_ATTR(peer, peer, "%u");
DUCT_DEVICE_ATTR(self, self, "%u");
DUCT_DEVICE_ATTR(epoch, epoch, "%u");
DUCT_DEVICE_ATTR(features, features, "0x%llx");

static ssize_t role_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const names[] = {
		[DUCT_ROLE_CONNECT] = "connect",
		[DUCT_ROLE_SERVE] = "serve",
		[DUCT_ROLE_PEER] = "peer",
	};

	return sysfs_emit(buf, "%s\n", names[to_duct_device(dev)->role]);
}
static DEVICE_ATTR_RO(role);

static ssize_t modalias_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "duct:%s\n", to_duct_device(dev)->service);
}
static DEVICE_ATTR_RO(modalias);

static struct attribute *duct_device_attrs[] = {
	&dev_attr_device_service.attr,
	&dev_attr_device_instance.attr,
	&dev_attr_device_peer.attr,
	&dev_attr_device_self.attr,
	&dev_attr_device_epoch.attr,
	&dev_attr_device_features.attr,
	&dev_attr_role.attr,
	&dev_attr_modalias.attr,
	NULL
};

static const struct attribute_group duct_device_group = { .attrs = duct_device_attrs };
const struct attribute_group *duct_device_groups[] = { &duct_device_group, NULL };

/* ---- channels ---- */

struct duct_channel_attr {
	struct attribute attr;
	ssize_t (*show)(struct duct_channel_core *ch, char *buf);
};

#define DUCT_CHANNEL_ATTR(file, format, value)						\
static ssize_t channel_##file##_show(struct duct_channel_core *ch, char *buf)		\
{											\
	return sysfs_emit(buf, format "\n", value);					\
}											\
static struct duct_channel_attr channel_attr_##file = {					\
	.attr = { .name = #file, .mode = 0444 },					\
	.show = channel_##file##_show,							\
}

static const char *duct_channel_state(struct duct_channel_core *ch)
{
	switch (READ_ONCE(ch->tx_err)) {
	case 0:
		return "up";
	case -ENOTCONN:
		return "waiting";
	case -EPIPE:
		return "closed by peer";
	case -EPROTO:
		return "broken";
	case -EDQUOT:
		return "over budget";
	case -ESHUTDOWN:
		return "stopped";
	case -EAGAIN:
		return "parked";
	default:
		return "down";
	}
}

static u32 duct_channel_slot(struct duct_channel_core *ch)
{
	struct duct_slot *slot;
	u32 index;

	rcu_read_lock();
	slot = rcu_dereference(ch->slot);
	index = slot ? slot->index : 0;
	rcu_read_unlock();
	return index;
}

DUCT_CHANNEL_ATTR(state, "%s", duct_channel_state(ch));
DUCT_CHANNEL_ATTR(error, "%d", READ_ONCE(ch->tx_err));
DUCT_CHANNEL_ATTR(fault, "%s", READ_ONCE(ch->fault) ?: "");
DUCT_CHANNEL_ATTR(slot, "%u", duct_channel_slot(ch));
DUCT_CHANNEL_ATTR(max_msg, "%u", READ_ONCE(ch->pub.max_msg));
DUCT_CHANNEL_ATTR(tx_bytes, "%u", READ_ONCE(ch->pub.tx_bytes));
DUCT_CHANNEL_ATTR(bindings, "%u", READ_ONCE(ch->serial));
DUCT_CHANNEL_ATTR(resumed, "%llu", READ_ONCE(ch->stats.resumed));
DUCT_CHANNEL_ATTR(out_messages, "%llu", READ_ONCE(ch->stats.out_messages));
DUCT_CHANNEL_ATTR(out_bytes, "%llu", READ_ONCE(ch->stats.out_bytes));
DUCT_CHANNEL_ATTR(out_full_total, "%llu", READ_ONCE(ch->stats.out_full));
DUCT_CHANNEL_ATTR(out_rings, "%llu", READ_ONCE(ch->stats.out_rings));
DUCT_CHANNEL_ATTR(out_events, "%llu", READ_ONCE(ch->stats.out_events));
DUCT_CHANNEL_ATTR(in_messages, "%llu", READ_ONCE(ch->stats.in_messages));
DUCT_CHANNEL_ATTR(in_bytes, "%llu", READ_ONCE(ch->stats.in_bytes));
DUCT_CHANNEL_ATTR(in_empty_total, "%llu", READ_ONCE(ch->stats.in_empty));
DUCT_CHANNEL_ATTR(in_copies, "%lld", (long long)atomic64_read(&ch->stats.in_copies));
DUCT_CHANNEL_ATTR(in_maps, "%lld", (long long)atomic64_read(&ch->stats.in_maps));
DUCT_CHANNEL_ATTR(wakeups, "%llu", READ_ONCE(ch->stats.wakeups));
DUCT_CHANNEL_ATTR(calls_out, "%llu", READ_ONCE(ch->stats.calls_out));
DUCT_CHANNEL_ATTR(calls_in, "%llu", READ_ONCE(ch->stats.calls_in));
DUCT_CHANNEL_ATTR(calls_failed, "%llu", READ_ONCE(ch->stats.calls_failed));
DUCT_CHANNEL_ATTR(refused, "%llu", READ_ONCE(ch->stats.refused));
DUCT_CHANNEL_ATTR(faults, "%llu", READ_ONCE(ch->stats.faults));

static struct attribute *duct_channel_attrs[] = {
	&channel_attr_state.attr,
	&channel_attr_error.attr,
	&channel_attr_fault.attr,
	&channel_attr_slot.attr,
	&channel_attr_max_msg.attr,
	&channel_attr_tx_bytes.attr,
	&channel_attr_bindings.attr,
	&channel_attr_resumed.attr,
	&channel_attr_out_messages.attr,
	&channel_attr_out_bytes.attr,
	&channel_attr_out_full_total.attr,
	&channel_attr_out_rings.attr,
	&channel_attr_out_events.attr,
	&channel_attr_in_messages.attr,
	&channel_attr_in_bytes.attr,
	&channel_attr_in_empty_total.attr,
	&channel_attr_in_copies.attr,
	&channel_attr_in_maps.attr,
	&channel_attr_wakeups.attr,
	&channel_attr_calls_out.attr,
	&channel_attr_calls_in.attr,
	&channel_attr_calls_failed.attr,
	&channel_attr_refused.attr,
	&channel_attr_faults.attr,
	NULL
};
ATTRIBUTE_GROUPS(duct_channel);

static ssize_t duct_channel_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct duct_channel_core *ch = container_of(kobj, struct duct_channel_core, kobj);

	return container_of(attr, struct duct_channel_attr, attr)->show(ch, buf);
}

static const struct sysfs_ops duct_channel_sysfs_ops = { .show = duct_channel_show };

static void duct_channel_release(struct kobject *kobj)
{
	duct_channel_free(container_of(kobj, struct duct_channel_core, kobj));
}

const struct kobj_type duct_channel_ktype = {
	.release = duct_channel_release,
	.sysfs_ops = &duct_channel_sysfs_ops,
	.default_groups = duct_channel_groups,
};

/* ---- their directories ---- */

/*
 * A directory of 24 files at each end is half of what opening and closing a channel cost:
 * who closes it sooner does without.
 */
#define DUCT_SHOW_DELAY		(HZ / 10)

/* By its number, or as what it is. Return: 0; -ENOMEM */
int duct_channel_set_name(struct duct_channel_core *ch)
{
	u32 number = ch->pub.number, id = number & ~(DUCT_NUMBER_KIND | DUCT_NUMBER_FRONT);
	bool front = number & DUCT_NUMBER_FRONT;

	switch (number & DUCT_NUMBER_KIND) {
	case DUCT_NUMBER_EVENT:
		return kobject_set_name(&ch->kobj, "event%u", number & ~DUCT_NUMBER_KIND);
	case DUCT_NUMBER_REGION:
		return kobject_set_name(&ch->kobj, "%s%u",
					duct_link_is_front(ch->link) == front ? "region" :
										"attached", id);
	default:
		return kobject_set_name(&ch->kobj, "%u", number);
	}
}

/*
 * The next channel that was opened until @until and has no directory, which it now has, or tried
 * to have; or NULL, and whether there are @younger ones.
 */
static struct duct_channel_core *duct_device_unshown(struct duct_device_core *dev,
						     unsigned long until, bool *younger)
{
	struct duct_link *link = dev->service->link;
	struct duct_channel_core *ch, *found = NULL;

	*younger = false;
	mutex_lock(&link->lock);
	list_for_each_entry(ch, &dev->channels, node) {
		if (ch->shown)
			continue;
		if (time_after(ch->opened, until)) {
			*younger = true;
			continue;
		}
		ch->shown = true;
		found = ch;
		break;
	}
	mutex_unlock(&link->lock);
	return found;
}

/* Return: whether some have none yet */
static bool duct_device_show_until(struct duct_device_core *dev, unsigned long until)
{
	struct duct_channel_core *ch;
	bool younger;

	mutex_lock(&dev->show_lock);
	while ((ch = duct_device_unshown(dev, until, &younger)))
		if (kobject_add(&ch->kobj, dev->channels_dir, NULL))
			dev_err(&dev->pub.dev, "channel %s: no memory for sysfs\n",
				kobject_name(&ch->kobj));
	mutex_unlock(&dev->show_lock);
	return younger;
}

/* Gives each channel that has none a directory. [sleep] */
void duct_device_show(struct duct_device_core *dev)
{
	duct_device_show_until(dev, jiffies);
}

void duct_device_show_work(struct work_struct *work)
{
	struct duct_device_core *dev = container_of(to_delayed_work(work), struct duct_device_core,
						    show);

	if (duct_device_show_until(dev, jiffies - DUCT_SHOW_DELAY))
		queue_delayed_work(duct_wq, &dev->show, DUCT_SHOW_DELAY);
}

/* The channel was opened. link->lock is held. */
void duct_channel_show_soon(struct duct_channel_core *ch)
{
	ch->opened = jiffies;
	queue_delayed_work(duct_wq, &to_duct_device_core(ch->pub.dd)->show, DUCT_SHOW_DELAY);
}

/* The channel is none of its device's any more. [sleep] */
void duct_channel_remove(struct duct_channel_core *ch)
{
	struct duct_device_core *dev = to_duct_device_core(ch->pub.dd);

	mutex_lock(&dev->show_lock);
	mutex_lock(&ch->link->lock);
	list_del_init(&ch->node);
	mutex_unlock(&ch->link->lock);
	/* Who opens the number again gets the same name. */
	if (ch->kobj.state_in_sysfs)
		kobject_del(&ch->kobj);
	mutex_unlock(&dev->show_lock);
}
