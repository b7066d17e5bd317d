// SPDX-License-Identifier: GPL-2.0
/*
 * Links: their life from the wire's point of view. A link outlives its wire
 * while a driver that keeps its devices is bound: then it is parked, and the
 * next wire with the same UUID takes it up in a new epoch.
 */
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/pm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "chunk.h"
#include "core.h"
#include "park.h"
#include "slot.h"
#include "trace.h"

DEFINE_MUTEX(duct_lock);
LIST_HEAD(duct_links);
static DEFINE_IDA(duct_link_ida);

static void duct_link_dev_release(struct device *dev)
{
	struct duct_link *link = to_duct_link(dev);

	ida_free(&duct_link_ida, link->id);
	duct_policy_put(link->policy);
	mutex_destroy(&link->lock);
	cleanup_srcu_struct(&link->mapping);
	kvfree(link);
}

/*
 * This domain was restored, or migrated. What the peer wrote is not what was last seen of
 * it: Xen takes no note of writes through grants, so a page may be older than another, and
 * than the indexes here. Nothing may look at it, and whoever did is still frozen now; the
 * wire learns only later that the peer is another one.
 */
static int duct_link_restore(struct device *dev)
{
	struct duct_link *link = to_duct_link(dev);

	mutex_lock(&link->lock);
	if (link->running)
		duct_link_quiesce(link, -ECONNRESET);
	/* Nor may the link's work, which may be queued: it would take what it finds for a fault. */
	link->running = false;
	mutex_unlock(&link->lock);
	return 0;
}

static const struct dev_pm_ops duct_link_pm = { .restore = duct_link_restore };

const struct device_type duct_link_type = {
	.name = "duct_link",
	.groups = duct_link_groups,
	.pm = &duct_link_pm,
	.release = duct_link_dev_release,
};

/*
 * Removes a link that has no wire and no device that a driver keeps. Its own
 * work, since a service's device may not be removed under any lock of ours.
 */
static void duct_link_destroy(struct work_struct *work)
{
	struct duct_link *link = container_of(work, struct duct_link, destroy);

	duct_debugfs_unlink(link);
	duct_services_end(link);
	cancel_work_sync(&link->work);
	cancel_delayed_work_sync(&link->tick);
	cancel_delayed_work_sync(&link->expire);
	device_unregister(&link->dev);
}

static void duct_link_expire(struct work_struct *work);

static struct duct_link *duct_link_new(const struct duct_link_config *cfg)
{
	struct duct_link *link = kvzalloc(sizeof(*link), GFP_KERNEL);
	int err;

	if (!link)
		return ERR_PTR(-ENOMEM);
	err = init_srcu_struct(&link->mapping);
	if (err)
		goto err_free;
	link->id = ida_alloc(&duct_link_ida, GFP_KERNEL);
	if (link->id < 0) {
		err = link->id;
		goto err_srcu;
	}
	link->side = cfg->side;
	link->uuid = cfg->uuid;
	link->peer = cfg->peer;
	link->self = cfg->self;
	link->state = "new";
	mutex_init(&link->lock);
	init_completion(&link->goodbye);
	init_llist_head(&link->todo);
	INIT_LIST_HEAD(&link->out);
	INIT_LIST_HEAD(&link->services);
	INIT_LIST_HEAD(&link->graves);
	INIT_WORK(&link->destroy, duct_link_destroy);
	INIT_DELAYED_WORK(&link->expire, duct_link_expire);
	ratelimit_state_init(&link->log, 60 * HZ, DUCT_LOG_LINES);
	ratelimit_set_flags(&link->log, RATELIMIT_MSG_ON_RELEASE);
	duct_dispatch_init(link);
	duct_chunk_init(link);
	duct_doors_init(link);
	duct_stage_init(link);

	device_initialize(&link->dev);
	link->dev.bus = &duct_bus;
	link->dev.type = &duct_link_type;
	err = dev_set_name(&link->dev, "duct%d", link->id) ?: device_add(&link->dev);
	if (err) {
		put_device(&link->dev);
		return ERR_PTR(err);
	}
	duct_debugfs_link(link);
	list_add_tail(&link->node, &duct_links);
	return link;

err_srcu:
	cleanup_srcu_struct(&link->mapping);
err_free:
	kvfree(link);
	return ERR_PTR(err);
}

/**
 * duct_link_attach() - find or make the link that a wire is for. [sleep]
 * @cfg: the wire
 *
 * Return: the link, the wire's until duct_link_detach(); ERR_PTR(): -EEXIST if
 * another wire has it, -ENOMEM
 */
struct duct_link *duct_link_attach(const struct duct_link_config *cfg)
{
	struct duct_link *link;

	mutex_lock(&duct_lock);
	list_for_each_entry(link, &duct_links, node) {
		if (link->side != cfg->side || !uuid_equal(&link->uuid, &cfg->uuid))
			continue;
		if (link->ops)
			link = ERR_PTR(-EEXIST);
		else
			cancel_delayed_work(&link->expire);
		goto found;
	}
	link = duct_link_new(cfg);
found:
	if (!IS_ERR(link)) {
		mutex_lock(&link->lock);
		link->ops = cfg->ops;
		link->wire = cfg->wire;
		link->memory = cfg->memory;
		link->peer = cfg->peer;
		link->self = cfg->self;
		mutex_unlock(&link->lock);
	}
	mutex_unlock(&duct_lock);
	return link;
}
EXPORT_SYMBOL_GPL(duct_link_attach);

static bool duct_link_kept(struct duct_link *link)
{
	struct duct_service *service;

	list_for_each_entry(service, &link->services, node)
		if (service->dev && service->dev->keep)
			return true;
	return false;
}

/*
 * A link without a wire waits for one as long as a device is kept, or goes: one look at that,
 * for a probe() may end at any time and have its device kept. duct_lock and link->lock.
 */
static void duct_link_alone(struct duct_link *link)
{
	lockdep_assert_held(&duct_lock);
	lockdep_assert_held(&link->lock);
	if (link->ops || list_empty(&link->node))
		return;
	if (duct_link_kept(link)) {
		queue_delayed_work(duct_wq, &link->expire, duct_resume_timeout * HZ);
	} else {
		list_del_init(&link->node);
		queue_work(duct_wq, &link->destroy);
	}
}

/* A device has gone, or has come to be kept. [sleep] */
void duct_link_forget(struct duct_link *link)
{
	mutex_lock(&duct_lock);
	mutex_lock(&link->lock);
	duct_link_alone(link);
	mutex_unlock(&link->lock);
	mutex_unlock(&duct_lock);
}

/**
 * duct_link_end() - the toolstack took the link away: no device is kept. [sleep]
 * @link: duct_link_detach() follows, or was long ago
 */
void duct_link_end(struct duct_link *link)
{
	struct duct_service *service;

	mutex_lock(&link->lock);
	list_for_each_entry(service, &link->services, node) {
		if (service->dev) {
			service->dev->keep = false;
			duct_service_queue(service);
		}
	}
	mutex_unlock(&link->lock);
}
EXPORT_SYMBOL_GPL(duct_link_end);

/* Nobody came back for it. */
static void duct_link_expire(struct work_struct *work)
{
	struct duct_link *link = container_of(to_delayed_work(work), struct duct_link, expire);

	/* Against duct_link_attach(). */
	mutex_lock(&duct_lock);
	if (!link->ops)
		duct_link_end(link);
	mutex_unlock(&duct_lock);
}

/**
 * duct_link_detach() - the wire goes; the link was stopped and released. [sleep]
 * @link: not the wire's any more
 */
void duct_link_detach(struct duct_link *link)
{
	mutex_lock(&duct_lock);
	mutex_lock(&link->lock);
	WARN_ON(link->running);
	link->ops = NULL;
	link->wire = NULL;
	link->state = "parked";
	duct_link_alone(link);
	mutex_unlock(&link->lock);
	mutex_unlock(&duct_lock);
}
EXPORT_SYMBOL_GPL(duct_link_detach);

/**
 * duct_link_start() - a new epoch: the control page is there. [sleep]
 * @link: stopped and released
 * @page: the control page; the frontend's is zeroed
 * @policy: counted here too
 * @incarnation: ours
 * @peer_incarnation: the peer's that this connection is with
 *
 * Return: 0 or -ENOMEM
 */
int duct_link_start(struct duct_link *link, void *page, struct duct_policy *policy,
		    u64 incarnation, u64 peer_incarnation)
{
	struct duct_control_page __peer *shared = (struct duct_control_page __force __peer *)page;
	bool front = duct_link_is_front(link);
	struct duct_slot *slot;
	int err = -ENOMEM;

	mutex_lock(&duct_lock);
	mutex_lock(&link->lock);
	slot = duct_slot_new(link, DUCT_SLOT_CONTROL, 0);
	if (!slot)
		goto out;
	duct_tx_init(&slot->tx, front ? &shared->to_back : &shared->to_front,
		     front ? shared->data_to_back : shared->data_to_front,
		     DUCT_CONTROL_ROOM, 0);
	duct_rx_init(&slot->rx, front ? &shared->to_front : &shared->to_back,
		     front ? shared->data_to_front : shared->data_to_back,
		     DUCT_CONTROL_ROOM, 0);
	swap(link->policy, policy);
	duct_policy_get(link->policy);
	duct_policy_put(policy);
	/* Only what is not there yet needs memory; nobody is told before the peer greets. */
	link->greeted = false;
	err = duct_services_start(link);
	if (err) {
		kfree(slot);
		goto out;
	}
	if (front)
		link->epoch++;
	link->incarnation = incarnation;
	link->peer_incarnation = peer_incarnation;
	link->said_hello = false;
	link->goodbye_in = false;
	link->goodbye_out = false;
	link->chunk_failed = false;
	link->fault = NULL;
	reinit_completion(&link->goodbye);
	link->running = true;
	link->control = slot;
	rcu_assign_pointer(link->slots[DUCT_SLOT_CONTROL], slot);
	duct_doors_start(link, shared);
	duct_dispatch_start(link);
out:
	mutex_unlock(&link->lock);
	mutex_unlock(&duct_lock);
	return err;
}
EXPORT_SYMBOL_GPL(duct_link_start);

/**
 * duct_link_stop() - the end of an epoch. [sleep]
 * @link: started or not
 *
 * Everything in flight fails with -ECONNRESET. After this nothing of ours uses
 * the control page, and the backend has unmapped the arena; the frontend's is
 * still shared, see duct_link_release(). The wire may deliver events until then.
 */
void duct_link_stop(struct duct_link *link)
{
	struct duct_slot *control;

	mutex_lock(&link->lock);
	control = link->control;
	if (link->running) {
		duct_link_quiesce(link, -ECONNRESET);
		trace_duct_epoch(link->id, link->epoch, false);
	}
	link->running = false;
	link->control = NULL;
	RCU_INIT_POINTER(link->slots[DUCT_SLOT_CONTROL], NULL);
	WRITE_ONCE(link->door[0].in, NULL);
	duct_link_drop_out(link);
	/* Nobody waits for a goodbye that cannot come any more. */
	complete_all(&link->goodbye);
	mutex_unlock(&link->lock);
	cancel_delayed_work_sync(&link->tick);
	/* Event handlers that still look at the control page. */
	synchronize_rcu();
	kfree(control);
}
EXPORT_SYMBOL_GPL(duct_link_stop);

/**
 * duct_link_release() - take back what was lent, and, as frontend, the arena; the
 * peer should have let go, what it did not is kept by the wire. [sleep]
 * @link: stopped
 */
void duct_link_release(struct duct_link *link)
{
	mutex_lock(&link->lock);
	duct_lend_release_all(link);
	duct_chunk_release_all(link);
	mutex_unlock(&link->lock);
}
EXPORT_SYMBOL_GPL(duct_link_release);

/**
 * duct_link_goodbye() - an orderly close: tell the peer, and wait until it has
 * let go, but not for long. [sleep]
 * @link: started or not
 */
void duct_link_goodbye(struct duct_link *link)
{
	bool wait;

	mutex_lock(&link->lock);
	wait = link->running && link->greeted && !link->fault && !link->goodbye_in;
	if (wait) {
		duct_link_quiesce(link, -ECONNRESET);
		duct_link_out(link, &link->bye);
	}
	mutex_unlock(&link->lock);
	if (!wait)
		return;
	/* Two seconds: 40 round trips of the slowest emulated machine. */
	if (!wait_for_completion_timeout(&link->goodbye, 2 * HZ))
		dev_notice(&link->dev, "dom%u did not let go within 2 s\n", link->peer);
}
EXPORT_SYMBOL_GPL(duct_link_goodbye);

/* Whether a line that the peer can cause may be written now. */
bool duct_link_may_log(struct duct_link *link)
{
	return __ratelimit(&link->log);
}

/*
 * The one exit for a peer that breaks the protocol of the link: nothing is read
 * from it any more, the wire closes the link, everything in flight ends with
 * -EPROTO. link->lock is held.
 */
void duct_link_break(struct duct_link *link, const char *why)
{
	lockdep_assert_held(&link->lock);
	if (link->fault || !link->running)
		return;
	link->fault = why;
	atomic64_inc(&link->stats.faults);
	trace_duct_fault(link->id, DUCT_SLOT_CONTROL);
	if (duct_link_may_log(link))
		dev_err(&link->dev, "dom%u broke the protocol: %s\n", link->peer, why);
	duct_link_quiesce(link, -EPROTO);
	duct_link_out(link, &link->bye);
	link->ops->fault(link->wire);
}

/**
 * duct_link_closing() - whether the wire should close the link: it is broken,
 * or the peer has said goodbye. [sleep]
 * @link: the link
 *
 * Return: true if so
 */
bool duct_link_closing(struct duct_link *link)
{
	bool closing;

	mutex_lock(&link->lock);
	closing = link->fault || link->goodbye_in;
	mutex_unlock(&link->lock);
	return closing;
}
EXPORT_SYMBOL_GPL(duct_link_closing);

/**
 * duct_link_fault() - why the link is broken. [any]
 * @link: the link
 *
 * Return: words, or NULL if it is not
 */
const char *duct_link_fault(struct duct_link *link)
{
	return READ_ONCE(link->fault);
}
EXPORT_SYMBOL_GPL(duct_link_fault);

/**
 * duct_link_set_state() - what sysfs and the trace say about the handshake. [any]
 * @link: the link
 * @state: enum duct_state
 */
void duct_link_set_state(struct duct_link *link, unsigned int state)
{
	WRITE_ONCE(link->state, duct_state_name(state));
	trace_duct_state(link->id, state);
}
EXPORT_SYMBOL_GPL(duct_link_set_state);
