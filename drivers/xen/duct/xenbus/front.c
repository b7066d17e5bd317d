// SPDX-License-Identifier: GPL-2.0
/*
 * The frontend: owns the memory of a link, and publishes its control page in
 * xenstore. xenbus calls only queue work; the work follows the table of state.c.
 */
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <xen/xen.h>

#include "memory.h"
#include "nodes.h"

/**
 * struct duct_front_door - one event channel
 * @front: whose
 * @irq: 0 if there is none
 */
struct duct_front_door {
	struct duct_front *front;
	int irq;
};

/**
 * struct duct_front_move - probes a device again; outlives its duct_front
 * @work: does it
 * @dev: held from when it is queued
 */
struct duct_front_move {
	struct work_struct work;
	struct xenbus_device *dev;
};

/**
 * struct duct_front - one link, from probe to remove
 * @dev: the xenbus device
 * @nodes: the same, for its nodes
 * @backend: its domain, since probe: a restored guest's may be another already
 * @watch: on our backend's path: the toolstack moves the link to another one
 * @move: xenwatch's; NULL: it has been queued
 * @work: follows the state table
 * @lock: the work against remove; covers the rest
 * @gone: remove() has begun
 * @state: ours, as in the table
 * @gave_up: no new try with the peer's incarnation @peer_incarnation
 * @link: NULL until the UUID is known
 * @page: the control page, NULL when there is none
 * @share: of it
 * @door: by number; 0 is ours, the others are the link's
 * @port: of door 0
 * @incarnation: ours, as published
 * @peer_incarnation: the backend's that we published for
 */
struct duct_front {
	struct xenbus_device *dev;
	struct duct_nodes nodes;
	domid_t backend;
	struct xenbus_watch watch;
	struct duct_front_move *move;
	struct work_struct work;
	struct mutex lock;
	bool gone;
	unsigned int state;
	bool gave_up;
	struct duct_link *link;
	struct page *page;
	struct duct_share *share;
	struct duct_front_door door[DUCT_DOORS];
	u32 port;
	u64 incarnation;
	u64 peer_incarnation;
};

static struct workqueue_struct *duct_front_wq;
static struct work_struct duct_front_bind;

/* ---- the wire ---- */

/* The event can come before bind returns: the irq is the one it is given. */
static irqreturn_t duct_front_event(int irq, void *arg)
{
	struct duct_front_door *door = arg;
	struct duct_front *front = door->front;
	bool real = duct_link_event(front->link, door - front->door);

	xen_irq_lateeoi(irq, real ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int duct_front_door_make(void *wire, u32 number, u32 *port)
{
	struct duct_front *front = wire;
	struct duct_front_door *door = &front->door[number];
	int err = xenbus_alloc_evtchn(front->dev, port);

	if (err)
		return err;
	door->front = front;
	err = bind_evtchn_to_irqhandler_lateeoi(*port, duct_front_event, 0,
						dev_name(&front->dev->dev), door);
	if (err < 0) {
		duct_close_port(*port, front->dev->otherend_id);
		return err;
	}
	door->irq = err;
	return 0;
}

static void duct_front_door_end(void *wire, u32 number)
{
	struct duct_front *front = wire;
	struct duct_front_door *door = &front->door[number];

	if (door->irq)
		unbind_from_irqhandler(door->irq, door);
	door->irq = 0;
}

static void duct_front_notify(void *wire, u32 door)
{
	struct duct_front *front = wire;

	notify_remote_via_irq(front->door[door].irq);
}

static void duct_front_fault(void *wire)
{
	struct duct_front *front = wire;

	queue_work(duct_front_wq, &front->work);
}

static const struct duct_wire_ops duct_front_ops = {
	.door_make = duct_front_door_make,
	.door_end = duct_front_door_end,
	.notify = duct_front_notify,
	.fault = duct_front_fault,
};

/* ---- the control page and door 0 ---- */

static int duct_front_make_page(struct duct_front *front)
{
	front->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!front->page)
		return -ENOMEM;
	front->share = duct_xen_memory.share(front->dev->otherend_id, &front->page, 1, true);
	if (!IS_ERR(front->share))
		return 0;
	__free_page(front->page);
	front->page = NULL;
	return PTR_ERR(front->share);
}

static int duct_front_write(struct duct_front *front)
{
	struct xenbus_device *dev = front->dev;
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = duct_nodes_removed(xbt, dev->nodename) ?:
		      xenbus_printf(xbt, dev->nodename, "version", "%u", DUCT_VERSION_MAX) ?:
		      xenbus_printf(xbt, dev->nodename, "features", "%u", 0) ?:
		      xenbus_printf(xbt, dev->nodename, "incarnation", "%llu",
				    front->incarnation) ?:
		      xenbus_printf(xbt, dev->nodename, "peer-incarnation", "%llu",
				    front->peer_incarnation) ?:
		      xenbus_printf(xbt, dev->nodename, "ring-ref", "%u", front->share->refs[0]) ?:
		      xenbus_printf(xbt, dev->nodename, "event-channel", "%u", front->port);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			return err;
		}
		err = xenbus_transaction_end(xbt, 0);
	} while (err == -EAGAIN);
	return err;
}

/* Ends the epoch; the pages stay shared until duct_front_release(). */
static void duct_front_quiesce(struct duct_front *front)
{
	if (!front->page)
		return;
	duct_link_stop(front->link);
	duct_front_door_end(front, 0);
}

static void duct_front_release(struct duct_front *front)
{
	if (!front->page)
		return;
	duct_front_quiesce(front);
	duct_link_release(front->link);
	duct_xen_memory.unshare(front->share);
	__free_page(front->page);
	front->page = NULL;
}

static int duct_front_attach(struct duct_front *front)
{
	struct duct_link_config cfg = {
		.ops = &duct_front_ops,
		.memory = &duct_xen_memory,
		.wire = front,
		.side = duct_side_front,
		.peer = front->dev->otherend_id,
		.self = duct_node_self(),
	};
	struct duct_link *link;
	int err;

	if (front->link)
		return 0;
	err = duct_node_uuid(&front->nodes, front->dev->otherend, &cfg.uuid);
	if (err)
		return err;
	link = duct_link_attach(&cfg);
	if (IS_ERR(link)) {
		duct_nodes_error(&front->nodes, PTR_ERR(link), "attaching link %pUb", &cfg.uuid);
		return PTR_ERR(link);
	}
	front->link = link;
	return 0;
}

static int duct_front_publish(struct duct_front *front)
{
	struct duct_policy *policy;
	int err;

	front->peer_incarnation = duct_node_incarnation(&front->nodes, "incarnation");
	err = duct_node_versions_offered(&front->nodes) ?: duct_front_attach(front);
	if (err)
		return err;
	policy = duct_policy_read(&front->nodes, front->dev->otherend, duct_side_front);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	front->incarnation = duct_new_incarnation();
	err = duct_front_make_page(front);
	if (err) {
		duct_nodes_error(&front->nodes, err, "granting the control page");
		goto out;
	}
	err = duct_front_door_make(front, 0, &front->port);
	if (err) {
		duct_nodes_error(&front->nodes, err, "making an event channel");
		goto err_release;
	}
	err = duct_link_start(front->link, page_address(front->page), policy,
			      front->incarnation, front->peer_incarnation);
	if (err) {
		duct_nodes_error(&front->nodes, err, "starting the link");
		goto err_release;
	}
	err = duct_front_write(front);
	if (!err)
		goto out;
	if (err != -ENOENT)
		duct_nodes_error(&front->nodes, err, "writing the frontend's nodes");

err_release:
	duct_front_release(front);
out:
	duct_policy_put(policy);
	return err;
}

/* ---- the state table ---- */

/* The node alone, if it is still there. Return: 0 or -errno */
static int duct_front_write_state(struct duct_front *front, unsigned int state)
{
	const char *node = front->dev->nodename;
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = duct_nodes_removed(xbt, node) ?:
		      xenbus_printf(xbt, node, "state", "%u", state);
		err = xenbus_transaction_end(xbt, err) ?: err;
	} while (err == -EAGAIN);
	return err;
}

/*
 * Since 7.1 the core takes the node's Initialising, while it remembers anything else, for a
 * new device, and removes this one. It reads the two in xenwatch, one after the other, and
 * we write them in a work: so it remembers Initialising before the node says so, and until
 * the backend has answered what came after it, by way of xenwatch.
 */
static void duct_front_switch(struct duct_front *front, unsigned int state)
{
	int err;

	front->state = state;
	if (front->link)
		duct_link_set_state(front->link, state);
	if (state != duct_state_initialising && state != duct_state_initialised) {
		xenbus_switch_state(front->dev, state);
		return;
	}
	front->dev->state = XenbusStateInitialising;
	err = duct_front_write_state(front, state);
	if (err && err != -ENOENT)
		duct_nodes_error(&front->nodes, err, "writing state %u", state);
}

/*
 * Of the one that it was probed for, the path. Else see duct_front_watched(). Both change while
 * our works are frozen.
 */
static bool duct_front_has_backend(struct duct_front *front)
{
	return front->dev->otherend && front->dev->otherend_id == front->backend;
}

static unsigned int duct_front_peer(struct duct_front *front)
{
	bool published = front->state == duct_state_initialised ||
			 front->state == duct_state_connected;
	unsigned int peer;

	if (!duct_front_has_backend(front))
		return duct_state_unknown;
	peer = duct_compat_driver_state(front->dev, front->dev->otherend);
	/* That one is ours to say. */
	if (peer >= duct_state_renewed)
		return DUCT_STATES;
	if ((published || front->gave_up) && peer >= duct_state_initwait &&
	    peer <= duct_state_connected &&
	    duct_node_incarnation(&front->nodes, "incarnation") != front->peer_incarnation) {
		front->gave_up = false;
		return duct_state_renewed;
	}
	return peer;
}

/* Return: 0, or why this end gives up with this life of the peer */
static int duct_front_act(struct duct_front *front, unsigned int action, unsigned int peer)
{
	switch (action) {
	case duct_action_publish:
		return duct_front_publish(front);
	case duct_action_quiesce:
		duct_front_quiesce(front);
		break;
	case duct_action_release:
		duct_front_release(front);
		break;
	case duct_action_bad:
		duct_nodes_error(&front->nodes, -EPROTO, "backend in state %s while we are %s",
				 duct_state_name(peer), duct_state_name(front->state));
		return -EPROTO;
	}
	return 0;
}

static void duct_front_give_up(struct duct_front *front)
{
	front->gave_up = true;
	duct_front_release(front);
	duct_front_switch(front, duct_state_closed);
}

/* The core wants the link closed: it is broken, or the peer said goodbye. */
static void duct_front_closing(struct duct_front *front)
{
	const char *why = duct_link_fault(front->link);

	if (why) {
		duct_nodes_broken(&front->nodes, "backend", why);
		front->gave_up = true;
	}
	duct_front_quiesce(front);
	duct_front_switch(front, duct_state_closing);
}

/* One step. Return: true if there may be another */
static bool duct_front_step(struct duct_front *front)
{
	struct duct_step step;
	unsigned int peer;

	if (front->door[0].irq && duct_link_closing(front->link)) {
		duct_front_closing(front);
		return true;
	}
	peer = duct_front_peer(front);
	if (front->gave_up && front->state == duct_state_closed)
		return false;
	step = duct_state_step(duct_side_front, front->state, peer);
	if (duct_front_act(front, step.action, peer)) {
		duct_front_give_up(front);
		return false;
	}
	if (step.next == front->state)
		return false;
	duct_front_switch(front, step.next);
	return true;
}

static void duct_front_work(struct work_struct *work)
{
	struct duct_front *front = container_of(work, struct duct_front, work);

	mutex_lock(&front->lock);
	while (!front->gone && duct_front_step(front))
		;
	mutex_unlock(&front->lock);
}

/* ---- xenbus ---- */

static void duct_front_changed(struct xenbus_device *dev, enum xenbus_state state)
{
	struct duct_front *front = dev_get_drvdata(&dev->dev);

	queue_work(duct_front_wq, &front->work);
}

static void duct_front_move_work(struct work_struct *work)
{
	struct duct_front_move *move = container_of(work, struct duct_front_move, work);

	if (device_reprobe(&move->dev->dev))
		dev_err(&move->dev->dev, "cannot be probed for its new backend\n");
	put_device(&move->dev->dev);
	kfree(move);
}

static struct duct_front_move *duct_front_move_new(struct xenbus_device *dev)
{
	struct duct_front_move *move = kmalloc(sizeof(*move), GFP_KERNEL);

	if (move) {
		INIT_WORK(&move->work, duct_front_move_work);
		move->dev = dev;
	}
	return move;
}

/*
 * xenbus looks for the backend when it probes, and when the guest was restored: there is none
 * then if the toolstack makes the link later, and xenbus, which knows no backend any more, does
 * not look again. Or there is one in another domain, of which xenbus tells nobody.
 */
static void duct_front_watched(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct duct_front *front = container_of(watch, struct duct_front, watch);
	char *backend = xenbus_read(XBT_NIL, front->dev->nodename, "backend", NULL);

	/* Without one it is being detached, and xenbus removes it; or that has happened. */
	if (IS_ERR(backend)) {
		queue_work(duct_front_wq, &front->work);
		return;
	}
	if (front->move && (!duct_front_has_backend(front) ||
			    strcmp(backend, front->dev->otherend))) {
		get_device(&front->dev->dev);
		queue_work(duct_front_wq, &front->move->work);
		front->move = NULL;
	}
	kfree(backend);
}

static void duct_front_free(struct duct_front *front)
{
	kfree(front->move);
	kfree(front);
}

static int duct_front_probe(struct xenbus_device *dev, const struct xenbus_device_id *id)
{
	struct duct_front *front = kzalloc(sizeof(*front), GFP_KERNEL);
	int err;

	if (!front)
		return -ENOMEM;
	front->dev = dev;
	front->backend = dev->otherend_id;
	duct_nodes_init(&front->nodes, dev);
	front->move = duct_front_move_new(dev);
	if (!front->move) {
		kfree(front);
		return -ENOMEM;
	}
	mutex_init(&front->lock);
	INIT_WORK(&front->work, duct_front_work);
	dev_set_drvdata(&dev->dev, front);
	/* The node may be from an earlier life: written, whatever it says. */
	duct_front_switch(front, duct_state_initialising);
	err = xenbus_watch_pathfmt(dev, &front->watch, duct_nodes_will_handle, duct_front_watched,
				   "%s/backend", dev->nodename);
	if (err) {
		dev_set_drvdata(&dev->dev, NULL);
		duct_front_free(front);
		return err;
	}
	/* The watch on the backend is set after this, and fires at once. */
	return 0;
}

static duct_compat_remove_t duct_front_remove(struct xenbus_device *dev)
{
	struct duct_front *front = dev_get_drvdata(&dev->dev);
	bool closed;

	unregister_xenbus_watch(&front->watch);
	kfree(front->watch.node);
	mutex_lock(&front->lock);
	front->gone = true;
	closed = front->state == duct_state_closed;
	mutex_unlock(&front->lock);
	cancel_work_sync(&front->work);
	if (front->link) {
		duct_link_goodbye(front->link);
		duct_front_release(front);
	}
	/*
	 * To the next backend we are what the toolstack wrote: Initialising. Also where a restored
	 * guest loses what it had before, and the nodes of its new link are there meanwhile.
	 */
	if (front->move && duct_front_has_backend(front))
		duct_front_switch(front, duct_state_closed);
	/* Detached. Else it moves, or this module is unloaded, or the guest was restored. */
	if (front->link && closed && !xenbus_exists(XBT_NIL, dev->nodename, "state"))
		duct_link_end(front->link);
	if (front->link)
		duct_link_detach(front->link);
	/* The core may have asked for the work until the link was stopped. */
	cancel_work_sync(&front->work);
	dev_set_drvdata(&dev->dev, NULL);
	duct_front_free(front);
	duct_compat_removed();
}

static const struct xenbus_device_id duct_front_ids[] = { { "duct" }, { "" } };

static struct xenbus_driver duct_front_driver = {
	.ids = duct_front_ids,
	.probe = duct_front_probe,
	.remove = duct_front_remove,
	.otherend_changed = duct_front_changed,
	.allow_rebind = true,
	.not_essential = true,
};

/* ---- devices without a driver ---- */

/*
 * xenbus probes a device when it is made and when its driver is, and one that a restored guest
 * had before is there without nodes, until the toolstack makes its link. Who probes it meanwhile
 * fails, and xenbus does not look again: we do, whenever a backend's path is written.
 */
static void duct_front_bind_work(struct work_struct *work)
{
	/* Those that have a driver are left alone. */
	if (driver_attach(&duct_front_driver.driver))
		pr_err("duct: devices cannot be probed\n");
}

/* In xenwatch. The first event, and that after a restore, have the path of the watch. */
static void duct_front_linked(struct xenbus_watch *watch, const char *path, const char *token)
{
	queue_work(duct_front_wq, &duct_front_bind);
}

static bool duct_front_will_link(struct xenbus_watch *watch, const char *path, const char *token)
{
	const char *name = strrchr(path, '/');

	return duct_nodes_will_handle(watch, path, token) &&
	       (!strcmp(path, watch->node) || (name && !strcmp(name, "/backend")));
}

static struct xenbus_watch duct_front_links = {
	.node = "device/duct",
	.will_handle = duct_front_will_link,
	.callback = duct_front_linked,
};

static int __init duct_front_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	duct_front_wq = alloc_workqueue("duct_front", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!duct_front_wq)
		return -ENOMEM;
	INIT_WORK(&duct_front_bind, duct_front_bind_work);
	/* Owner NULL: a bound device must not pin the module. */
	err = __xenbus_register_frontend(&duct_front_driver, NULL, KBUILD_MODNAME);
	if (err)
		goto err_wq;
	err = register_xenbus_watch(&duct_front_links);
	if (err)
		goto err_driver;
	return 0;

err_driver:
	xenbus_unregister_driver(&duct_front_driver);
err_wq:
	destroy_workqueue(duct_front_wq);
	return err;
}

static void __exit duct_front_exit(void)
{
	unregister_xenbus_watch(&duct_front_links);
	cancel_work_sync(&duct_front_bind);
	xenbus_unregister_driver(&duct_front_driver);
	destroy_workqueue(duct_front_wq);
}

module_init(duct_front_init);
module_exit(duct_front_exit);
MODULE_ALIAS("xen:duct");
MODULE_DESCRIPTION("xen-duct: frontend");
MODULE_LICENSE("GPL");
