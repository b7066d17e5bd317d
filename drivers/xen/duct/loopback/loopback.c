// SPDX-License-Identifier: GPL-2.0
/*
 * The loopback wire: both ends of a link in one kernel, no Xen. What the Xen
 * wires do by event channels is done by irq_work; for grants see memory.c.
 */
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "../wire.h"

struct duct_loop_end;

/**
 * struct duct_loop_door - one end of a door
 * @end: whose
 * @event: raises the event here; runs in hard irq
 */
struct duct_loop_door {
	struct duct_loop_end *end;
	struct irq_work event;
};

/**
 * struct duct_loop_end - one end of the pair
 * @loop: the pair
 * @link: its link
 * @door: by number
 */
struct duct_loop_end {
	struct duct_loop *loop;
	struct duct_link *link;
	struct duct_loop_door door[DUCT_DOORS];
};

/**
 * struct duct_loop - a pair of links
 * @end: by side
 * @page: the control page, NULL when stopped
 * @work: closes a link that broke or whose end said goodbye
 * @lock: starting and stopping
 */
struct duct_loop {
	struct duct_loop_end end[DUCT_SIDES];
	struct page *page;
	struct work_struct work;
	struct mutex lock;
};

static char *services = "echo.0,perf.0";
module_param(services, charp, 0444);
MODULE_PARM_DESC(services, "what is allowed on the link, separated by commas");

static char *params[DUCT_SIDES];
module_param_named(front, params[duct_side_front], charp, 0444);
MODULE_PARM_DESC(front, "parameters at that end: SERVICE/KEY=VALUE, separated by commas");
module_param_named(back, params[duct_side_back], charp, 0444);
MODULE_PARM_DESC(back, "the same at the other end");

/* The parameter "running" is read and written under its lock, until after our exit. */
static struct duct_loop *duct_the_loop;	/* kernel_param_lock() */

/* ---- the wire ---- */

/* A port is the door's number. */
static int duct_loop_door_make(void *wire, u32 door, u32 *port)
{
	*port = door;
	return 0;
}

static int duct_loop_door_bind(void *wire, u32 door, u32 port)
{
	return port == door ? 0 : -EINVAL;
}

static void duct_loop_door_end(void *wire, u32 door)
{
	struct duct_loop_end *end = wire;

	irq_work_sync(&end->door[door].event);
}

static void duct_loop_notify(void *wire, u32 door)
{
	struct duct_loop_end *end = wire;
	enum duct_side other = end == &end->loop->end[duct_side_front] ?
			       duct_side_back : duct_side_front;

	irq_work_queue(&end->loop->end[other].door[door].event);
}

static void duct_loop_event(struct irq_work *work)
{
	struct duct_loop_door *door = container_of(work, struct duct_loop_door, event);

	duct_link_event(door->end->link, door - door->end->door);
}

static void duct_loop_fault(void *wire)
{
	struct duct_loop_end *end = wire;

	schedule_work(&end->loop->work);
}

static const struct duct_wire_ops duct_loop_ops = {
	.door_make = duct_loop_door_make,
	.door_bind = duct_loop_door_bind,
	.door_end = duct_loop_door_end,
	.notify = duct_loop_notify,
	.fault = duct_loop_fault,
};

/* ---- a life of the pair ---- */

/* "SERVICE/KEY=VALUE" */
static int duct_loop_param(struct duct_policy *policy, char *text)
{
	char *service = strsep(&text, "/"), *key = strsep(&text, "=");

	return text ? duct_policy_param(policy, service, key, text) : -EINVAL;
}

static int duct_loop_each(struct duct_policy *policy, const char *text,
			  int (*fn)(struct duct_policy *policy, char *one))
{
	char *list = kstrdup(text ?: "", GFP_KERNEL), *rest = list, *one;
	int err = list ? 0 : -ENOMEM;

	while (!err && (one = strsep(&rest, ",")))
		if (*one)
			err = fn(policy, one);
	kfree(list);
	return err;
}

static int duct_loop_allow(struct duct_policy *policy, char *service)
{
	return duct_policy_allow(policy, service);
}

static struct duct_policy *duct_loop_policy(enum duct_side side)
{
	struct duct_policy *policy = duct_policy_new();
	int err;

	if (!policy)
		return ERR_PTR(-ENOMEM);
	err = duct_loop_each(policy, services, duct_loop_allow) ?:
	      duct_loop_each(policy, params[side], duct_loop_param);
	if (!err)
		return policy;
	duct_policy_put(policy);
	return ERR_PTR(err);
}

static void duct_loop_stop(struct duct_loop *loop)
{
	lockdep_assert_held(&loop->lock);
	if (!loop->page)
		return;
	/* The backend first: it unmaps, then the frontend frees. */
	duct_link_stop(loop->end[duct_side_back].link);
	duct_link_stop(loop->end[duct_side_front].link);
	duct_link_release(loop->end[duct_side_back].link);
	duct_link_release(loop->end[duct_side_front].link);
	duct_loop_door_end(&loop->end[duct_side_front], 0);
	duct_loop_door_end(&loop->end[duct_side_back], 0);
	__free_page(loop->page);
	loop->page = NULL;
}

static int duct_loop_start_end(struct duct_loop *loop, enum duct_side side, u64 incarnation)
{
	struct duct_policy *policy = duct_loop_policy(side);
	int err;

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	err = duct_link_start(loop->end[side].link, page_address(loop->page), policy,
			      incarnation, ~incarnation);
	duct_policy_put(policy);
	return err;
}

static int duct_loop_start(struct duct_loop *loop)
{
	u64 incarnation = get_random_u64() | 1;
	int err;

	lockdep_assert_held(&loop->lock);
	loop->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!loop->page)
		return -ENOMEM;
	err = duct_loop_start_end(loop, duct_side_front, incarnation) ?:
	      duct_loop_start_end(loop, duct_side_back, ~incarnation);
	if (err)
		duct_loop_stop(loop);
	return err;
}

static void duct_loop_work(struct work_struct *work)
{
	struct duct_loop *loop = container_of(work, struct duct_loop, work);

	mutex_lock(&loop->lock);
	if (loop->page && (duct_link_closing(loop->end[duct_side_front].link) ||
			   duct_link_closing(loop->end[duct_side_back].link)))
		duct_loop_stop(loop);
	mutex_unlock(&loop->lock);
}

/* Writing 1 ends the epoch and starts the next; 0 only ends it. */
static int duct_loop_set_running(const char *text, const struct kernel_param *param)
{
	struct duct_loop *loop = duct_the_loop;
	bool run;
	int err = kstrtobool(text, &run);

	if (err)
		return err;
	if (!loop)
		return -ENODEV;
	mutex_lock(&loop->lock);
	duct_loop_stop(loop);
	err = run ? duct_loop_start(loop) : 0;
	mutex_unlock(&loop->lock);
	return err;
}

static int duct_loop_get_running(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%d\n", duct_the_loop && duct_the_loop->page);
}

static const struct kernel_param_ops duct_loop_running_ops = {
	.set = duct_loop_set_running,
	.get = duct_loop_get_running,
};
module_param_cb(running, &duct_loop_running_ops, NULL, 0600);
MODULE_PARM_DESC(running, "write 1 for a new epoch, 0 to take the link down");

static void duct_loop_detach(struct duct_loop *loop)
{
	int side;

	for (side = 0; side < DUCT_SIDES; side++)
		if (!IS_ERR_OR_NULL(loop->end[side].link))
			duct_link_detach(loop->end[side].link);
	cancel_work_sync(&loop->work);
	kfree(loop);
}

static int __init duct_loop_init(void)
{
	struct duct_loop *loop = kzalloc(sizeof(*loop), GFP_KERNEL);
	struct duct_link_config cfg = {
		.ops = &duct_loop_ops,
		.memory = &duct_local_memory,
		.peer = DOMID_SELF,
		.self = DOMID_SELF,
	};
	int side, door, err = 0;

	if (!loop)
		return -ENOMEM;
	mutex_init(&loop->lock);
	INIT_WORK(&loop->work, duct_loop_work);
	uuid_gen(&cfg.uuid);
	for (side = 0; side < DUCT_SIDES && !err; side++) {
		loop->end[side].loop = loop;
		for (door = 0; door < DUCT_DOORS; door++) {
			loop->end[side].door[door].end = &loop->end[side];
			init_irq_work(&loop->end[side].door[door].event, duct_loop_event);
		}
		cfg.side = side;
		cfg.wire = &loop->end[side];
		loop->end[side].link = duct_link_attach(&cfg);
		err = PTR_ERR_OR_ZERO(loop->end[side].link);
	}
	mutex_lock(&loop->lock);
	if (!err)
		err = duct_loop_start(loop);
	mutex_unlock(&loop->lock);
	if (err) {
		duct_loop_detach(loop);
		return err;
	}
	kernel_param_lock(THIS_MODULE);
	duct_the_loop = loop;
	kernel_param_unlock(THIS_MODULE);
	return 0;
}

static void __exit duct_loop_exit(void)
{
	struct duct_loop *loop = duct_the_loop;

	kernel_param_lock(THIS_MODULE);
	duct_the_loop = NULL;
	kernel_param_unlock(THIS_MODULE);
	mutex_lock(&loop->lock);
	duct_loop_stop(loop);
	mutex_unlock(&loop->lock);
	duct_loop_detach(loop);
}

module_init(duct_loop_init);
module_exit(duct_loop_exit);
MODULE_DESCRIPTION("xen-duct: both ends in one kernel");
MODULE_LICENSE("GPL");
