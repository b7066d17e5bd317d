// SPDX-License-Identifier: GPL-2.0
/*
 * The backend: maps the memory of the frontend. xenbus calls only queue work;
 * the work follows the table of state.c.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <xen/xen.h>

#include "memory.h"
#include "nodes.h"

/**
 * struct duct_back_door - one event channel
 * @back: whose
 * @irq: 0 if there is none
 */
struct duct_back_door {
	struct duct_back *back;
	int irq;
};

/**
 * struct duct_back - one link, from probe to remove
 * @dev: the xenbus device
 * @nodes: the same, for its nodes
 * @watch: on our own state: the toolstack writes it when it detaches
 * @work: follows the state table
 * @lock: the work against remove; covers the rest
 * @gone: remove() has begun
 * @state: ours, as in the table
 * @lost: the frontend was gone, and nobody had detached it
 * @gave_up: no new try with the peer's incarnation @peer_incarnation
 * @link: the link
 * @page: the control page, NULL when not mapped
 * @door: by number; 0 is ours, the others are the link's
 * @incarnation: ours, as offered
 * @peer_incarnation: the frontend's that we connected to
 */
struct duct_back {
	struct xenbus_device *dev;
	struct duct_nodes nodes;
	struct xenbus_watch watch;
	struct work_struct work;
	struct mutex lock;
	bool gone;
	unsigned int state;
	bool lost;
	bool gave_up;
	struct duct_link *link;
	struct duct_mapping *page;
	struct duct_back_door door[DUCT_DOORS];
	u64 incarnation;
	u64 peer_incarnation;
};

static struct workqueue_struct *duct_back_wq;

/* ---- the wire ---- */

/* Binding raises an event at once: the irq is the one it is given. */
static irqreturn_t duct_back_event(int irq, void *arg)
{
	struct duct_back_door *door = arg;
	struct duct_back *back = door->back;
	bool real = duct_link_event(back->link, door - back->door);

	xen_irq_lateeoi(irq, real ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int duct_back_door_bind(void *wire, u32 number, u32 port)
{
	struct duct_back *back = wire;
	struct duct_back_door *door = &back->door[number];
	int irq;

	door->back = back;
	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(back->dev, port, duct_back_event, 0,
							    dev_name(&back->dev->dev), door);
	if (irq < 0)
		return irq;
	door->irq = irq;
	return 0;
}

static void duct_back_door_end(void *wire, u32 number)
{
	struct duct_back *back = wire;
	struct duct_back_door *door = &back->door[number];

	if (door->irq)
		unbind_from_irqhandler(door->irq, door);
	door->irq = 0;
}

static void duct_back_notify(void *wire, u32 door)
{
	struct duct_back *back = wire;

	notify_remote_via_irq(back->door[door].irq);
}

static void duct_back_fault(void *wire)
{
	struct duct_back *back = wire;

	queue_work(duct_back_wq, &back->work);
}

static const struct duct_wire_ops duct_back_ops = {
	.door_bind = duct_back_door_bind,
	.door_end = duct_back_door_end,
	.notify = duct_back_notify,
	.fault = duct_back_fault,
};

/* ---- connect and release ---- */

/* Ends the epoch and unmaps all. */
static void duct_back_release(struct duct_back *back)
{
	if (!back->page)
		return;
	duct_link_stop(back->link);
	duct_link_release(back->link);
	duct_back_door_end(back, 0);
	duct_xen_memory.unmap(back->page);
	back->page = NULL;
}

static int duct_back_map_page(struct duct_back *back)
{
	struct xenbus_device *dev = back->dev;
	struct duct_mapping *page;
	u32 ref;
	int err;

	/* 0 to 7 are the hypervisor's own; the grant table ends far below 2^31. */
	err = duct_node_u32(&back->nodes, dev->otherend, "ring-ref", S32_MAX, &ref);
	if (err)
		return err;
	page = duct_xen_memory.map(dev->otherend_id, &ref, 1, true);
	if (IS_ERR(page)) {
		duct_nodes_error(&back->nodes, PTR_ERR(page), "mapping ring-ref %u", ref);
		return PTR_ERR(page);
	}
	back->page = page;
	return 0;
}

static int duct_back_first_door(struct duct_back *back)
{
	struct xenbus_device *dev = back->dev;
	u32 port;
	int err;

	err = duct_node_u32(&back->nodes, dev->otherend, "event-channel", S32_MAX, &port);
	if (err)
		return err;
	err = duct_back_door_bind(back, 0, port);
	if (err)
		duct_nodes_error(&back->nodes, err, "binding event-channel %u", port);
	return err;
}

static int duct_back_connect(struct duct_back *back)
{
	struct xenbus_device *dev = back->dev;
	struct duct_policy *policy;
	int err;

	err = duct_node_u64(&back->nodes, dev->otherend, "incarnation", U64_MAX,
			    &back->peer_incarnation) ?:
	      duct_node_version_chosen(&back->nodes);
	if (err)
		return err;
	policy = duct_policy_read(&back->nodes, dev->nodename, duct_side_back);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	err = duct_back_map_page(back);
	if (err)
		goto out;
	err = duct_back_first_door(back);
	if (err)
		goto err_release;
	err = duct_link_start(back->link, back->page->addr, policy, back->incarnation,
			      back->peer_incarnation);
	if (err) {
		duct_nodes_error(&back->nodes, err, "starting the link");
		goto err_release;
	}
	goto out;

err_release:
	duct_back_release(back);
out:
	duct_policy_put(policy);
	return err;
}

/*
 * The state goes with the incarnation in one transaction: a frontend that finds
 * us waiting finds whom it answers, too.
 */
static int duct_back_offer(struct duct_back *back)
{
	struct xenbus_device *dev = back->dev;
	struct xenbus_transaction xbt;
	int err;

	back->incarnation = duct_new_incarnation();
	back->lost = false;
	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			break;
		err = duct_nodes_removed(xbt, dev->nodename) ?:
		      xenbus_printf(xbt, dev->nodename, "min-version", "%u", DUCT_VERSION_MIN) ?:
		      xenbus_printf(xbt, dev->nodename, "max-version", "%u", DUCT_VERSION_MAX) ?:
		      xenbus_printf(xbt, dev->nodename, "features", "%u", 0) ?:
		      xenbus_printf(xbt, dev->nodename, "incarnation", "%llu",
				    back->incarnation) ?:
		      xenbus_printf(xbt, dev->nodename, "state", "%d", XenbusStateInitWait);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			break;
		}
		err = xenbus_transaction_end(xbt, 0);
	} while (err == -EAGAIN);
	if (!err)
		dev->state = XenbusStateInitWait;
	else if (err != -ENOENT)
		duct_nodes_error(&back->nodes, err, "writing the backend's nodes");
	return err;
}

/* @path and the two levels above it, "backend/duct", as far as they are empty. */
static void duct_back_remove_nodes(struct xenbus_transaction xbt, char *path)
{
	unsigned int level, n;
	char **left;

	xenbus_rm(xbt, path, "");
	for (level = 0; level < 2; level++) {
		*strrchr(path, '/') = '\0';
		left = xenbus_directory(xbt, path, "", &n);
		if (IS_ERR(left))
			return;
		kfree(left);
		if (n)
			return;
		xenbus_rm(xbt, path, "");
	}
}

/*
 * The frontend's directory is gone, and xl does not know our kind: remove our own
 * directory, upon which xenbus removes the device. In one transaction: a link that
 * is attached meanwhile must not go with an empty directory.
 */
static void duct_back_vanish(struct duct_back *back)
{
	struct xenbus_transaction xbt;
	int err, removed;
	char *path;

	duct_back_release(back);
	do {
		path = kstrdup(back->dev->nodename, GFP_KERNEL);
		if (!path || xenbus_transaction_start(&xbt)) {
			kfree(path);
			return;
		}
		removed = duct_nodes_removed(xbt, path);
		duct_back_remove_nodes(xbt, path);
		err = xenbus_transaction_end(xbt, removed && removed != -ENOENT);
		kfree(path);
	} while (err == -EAGAIN);
	/*
	 * Who detaches removes both directories at once. Else the guest is gone, and perhaps
	 * restored, whatever state we are in: its frontend may have been between two lives.
	 */
	if (!err && !removed)
		back->lost = true;
}

/* ---- the state table ---- */

static void duct_back_switch(struct duct_back *back, unsigned int state)
{
	back->state = state;
	duct_link_set_state(back->link, state);
	if (state != duct_state_initialising)
		xenbus_switch_state(back->dev, state);
	/* Who has just detached it said so in the same node: the frontend is to see it. */
	if (state == duct_state_connected && !xenbus_dev_is_online(back->dev))
		xenbus_switch_state(back->dev, XenbusStateClosing);
}

static unsigned int duct_back_peer(struct duct_back *back)
{
	unsigned int peer = duct_compat_driver_state(back->dev, back->dev->otherend);

	/* That one is ours to say. */
	if (peer >= duct_state_renewed)
		return DUCT_STATES;
	if (back->state == duct_state_connected &&
	    (peer == duct_state_initialised || peer == duct_state_connected) &&
	    duct_node_incarnation(&back->nodes, "incarnation") != back->peer_incarnation)
		return duct_state_renewed;
	/* Published for an earlier life of ours: it has not seen this one yet. */
	if (back->state == duct_state_initwait && peer == duct_state_initialised &&
	    duct_node_incarnation(&back->nodes, "peer-incarnation") != back->incarnation)
		return duct_state_renewed;
	/* It was back before we had closed, and answered a life of ours that ended then. */
	if (back->state == duct_state_closed &&
	    (peer == duct_state_initialised || peer == duct_state_closed) &&
	    xenbus_dev_is_online(back->dev) &&
	    duct_node_incarnation(&back->nodes, "incarnation") != back->peer_incarnation) {
		back->gave_up = false;
		return duct_state_renewed;
	}
	if (peer == duct_state_initialising)
		back->gave_up = false;
	return peer;
}

/* Return: 0, or why this end gives up with this life of the peer */
static int duct_back_act(struct duct_back *back, unsigned int action, unsigned int peer)
{
	switch (action) {
	case duct_action_offer:
		return duct_back_offer(back);
	case duct_action_connect:
		return duct_back_connect(back);
	case duct_action_reconnect:
		duct_back_release(back);
		return duct_back_connect(back);
	case duct_action_release:
		duct_back_release(back);
		break;
	case duct_action_vanish:
		duct_back_vanish(back);
		break;
	case duct_action_bad:
		duct_nodes_error(&back->nodes, -EPROTO, "frontend in state %s while we are %s",
				 duct_state_name(peer), duct_state_name(back->state));
		return -EPROTO;
	}
	return 0;
}

static void duct_back_give_up(struct duct_back *back)
{
	back->gave_up = true;
	duct_back_release(back);
	duct_back_switch(back, duct_state_closed);
}

/* The core wants the link closed: it is broken, or the peer said goodbye. */
static void duct_back_closing(struct duct_back *back)
{
	const char *why = duct_link_fault(back->link);

	if (why) {
		duct_nodes_broken(&back->nodes, "frontend", why);
		back->gave_up = true;
	}
	duct_back_release(back);
	duct_back_switch(back, duct_state_closed);
}

/* One step. Return: true if there may be another */
static bool duct_back_step(struct duct_back *back)
{
	struct duct_step step;
	unsigned int peer;

	if (back->page && duct_link_closing(back->link)) {
		duct_back_closing(back);
		return true;
	}
	peer = duct_back_peer(back);
	if (back->gave_up && peer != duct_state_unknown)
		return false;
	step = duct_state_step(duct_side_back, back->state, peer);
	/* Detached while the frontend is not there to answer, or begins once more. */
	if (((back->state == duct_state_initwait && step.next == duct_state_initwait) ||
	     (back->state == duct_state_closed && step.next == duct_state_initialising)) &&
	    !xenbus_dev_is_online(back->dev))
		step.next = duct_state_closed;
	/* Detached and attached before we looked: the frontend waits for what is gone. */
	if (step.next == duct_state_initwait && back->state == duct_state_initwait &&
	    duct_compat_driver_state(back->dev, back->dev->nodename) == XenbusStateInitialising)
		step.action = duct_action_offer;
	if (duct_back_act(back, step.action, peer)) {
		duct_back_give_up(back);
		return false;
	}
	if (step.action == duct_action_vanish) {
		back->state = step.next;
		return false;
	}
	if (step.next == back->state)
		return false;
	duct_back_switch(back, step.next);
	return true;
}

static void duct_back_work(struct work_struct *work)
{
	struct duct_back *back = container_of(work, struct duct_back, work);

	mutex_lock(&back->lock);
	while (!back->gone && duct_back_step(back))
		;
	mutex_unlock(&back->lock);
}

/* ---- xenbus ---- */

static void duct_back_changed(struct xenbus_device *dev, enum xenbus_state state)
{
	struct duct_back *back = dev_get_drvdata(&dev->dev);

	queue_work(duct_back_wq, &back->work);
}

static void duct_back_watched(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct duct_back *back = container_of(watch, struct duct_back, watch);

	queue_work(duct_back_wq, &back->work);
}

static int duct_back_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct duct_link_config cfg = {
		.ops = &duct_back_ops,
		.memory = &duct_xen_memory,
		.side = duct_side_back,
		.peer = dev->otherend_id,
		.self = duct_node_self(),
	};
	struct duct_back *back;
	int err;

	back = kzalloc(sizeof(*back), GFP_KERNEL);
	if (!back)
		return -ENOMEM;
	back->dev = dev;
	duct_nodes_init(&back->nodes, dev);
	err = duct_node_uuid(&back->nodes, dev->nodename, &cfg.uuid);
	if (err)
		goto err_free;
	back->state = duct_state_initialising;
	mutex_init(&back->lock);
	INIT_WORK(&back->work, duct_back_work);
	cfg.wire = back;
	back->link = duct_link_attach(&cfg);
	if (IS_ERR(back->link)) {
		err = PTR_ERR(back->link);
		duct_nodes_error(&back->nodes, err, "attaching link %pUb", &cfg.uuid);
		goto err_free;
	}
	dev_set_drvdata(&dev->dev, back);
	/* The node may be from an earlier life: remember what it says, not what was cached. */
	dev->state = duct_compat_driver_state(dev, dev->nodename);
	err = xenbus_watch_pathfmt(dev, &back->watch, duct_nodes_will_handle, duct_back_watched,
				   "%s/state", dev->nodename);
	if (err)
		goto err_detach;
	/* The watches fire at once, and the work goes on from there. */
	return 0;

err_detach:
	dev_set_drvdata(&dev->dev, NULL);
	duct_link_detach(back->link);
err_free:
	kfree(back);
	return err;
}

static duct_compat_remove_t duct_back_remove(struct xenbus_device *dev)
{
	struct duct_back *back = dev_get_drvdata(&dev->dev);

	unregister_xenbus_watch(&back->watch);
	kfree(back->watch.node);
	mutex_lock(&back->lock);
	back->gone = true;
	mutex_unlock(&back->lock);
	cancel_work_sync(&back->work);
	duct_link_goodbye(back->link);
	duct_back_release(back);
	duct_back_switch(back, duct_state_closed);
	/*
	 * Detached. Else it may be back: this module is unloaded; or the guest is gone without
	 * a word, and is perhaps restored.
	 */
	if (!back->lost && !xenbus_exists(XBT_NIL, dev->nodename, "state"))
		duct_link_end(back->link);
	duct_link_detach(back->link);
	/* The core may have asked for the work until the link was stopped. */
	cancel_work_sync(&back->work);
	dev_set_drvdata(&dev->dev, NULL);
	kfree(back);
	duct_compat_removed();
}

static const struct xenbus_device_id duct_back_ids[] = { { "duct" }, { "" } };

static struct xenbus_driver duct_back_driver = {
	.ids = duct_back_ids,
	.probe = duct_back_probe,
	.remove = duct_back_remove,
	.otherend_changed = duct_back_changed,
	.allow_rebind = true,
	.not_essential = true,
};

static int __init duct_back_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	duct_back_wq = alloc_workqueue("duct_back", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!duct_back_wq)
		return -ENOMEM;
	/* Owner NULL: a bound device must not pin the module. */
	err = __xenbus_register_backend(&duct_back_driver, NULL, KBUILD_MODNAME);
	if (err)
		destroy_workqueue(duct_back_wq);
	return err;
}

static void __exit duct_back_exit(void)
{
	xenbus_unregister_driver(&duct_back_driver);
	destroy_workqueue(duct_back_wq);
}

module_init(duct_back_init);
module_exit(duct_back_exit);
MODULE_ALIAS("xen-backend:duct");
MODULE_DESCRIPTION("xen-duct: backend");
MODULE_LICENSE("GPL");
