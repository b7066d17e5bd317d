// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that runs out: each allocation of each operation fails once, those of who asks,
 * and those of the works that do the rest. Then the operation says so, or it is as if nothing
 * had been; nobody waits in vain; without the fault it works, on the same link.
 *
 * Whoever loads this sets, in /sys/kernel/debug/failslab and fail_page_alloc,
 * ignore-gfp-wait to N, and min-order to 0 in the latter: or only what cannot sleep fails.
 */
#include <linux/fs.h>
#include <linux/sizes.h>

#include "bulk.h"
#include "fail.h"
#include "regions.h"

#define FAULTS_MOST	2000u	/* allocations of any operation: it does not end */

struct faults;

/* Whose allocations fail. */
enum faults_of {
	FAULTS_TASK,	/* of who asks */
	FAULTS_WORKS,	/* of the works, up to the end */
	FAULTS_END,	/* of who ends it */
};

/**
 * struct faults_op - what is done once for each allocation of it
 * @run: does it, or asks for it. Return: 0 or -errno
 * @done: what was asked for is there
 * @undo: of all that run() may have begun. It lacks no memory, or does without it; a wait
 *        that does is behind fail_pause()
 */
struct faults_op {
	int (*run)(struct faults *f);
	bool (*done)(struct faults *f);
	void (*undo)(struct faults *f);
};

/**
 * struct faults - one test
 * @test: KUnit's
 * @kit: the kit's
 * @op: what is done
 * @driver: of the devices
 * @a: one end, of the frontend
 * @b: the other
 * @cfg: of their channel
 * @running: the loopback's parameter, open
 * @bulk: of tests that lend
 * @how: it is served
 * @dir: of what is lent
 * @call: its call
 * @all: of tests with regions
 * @ev: of tests with events
 */
struct faults {
	struct kunit *test;
	struct kit *kit;
	const struct faults_op *op;
	struct kit_driver *driver;
	struct kit_end *a;
	struct kit_end *b;
	struct duct_channel_config cfg;
	struct file *running;
	struct bulk *bulk;
	enum bulk_how how;
	enum dma_data_direction dir;
	struct call *call;
	struct regions *all;
	struct duct_event *ev[2];
};

static struct faults *faults_new(struct kunit *test, const struct faults_op *op)
{
	struct faults *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct kit *kit = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->kit = kit;
	f->op = op;
	return f;
}

/* Until it is there, or will not come, since an allocation has failed. Return: it is there */
static bool faults_settle(struct faults *f)
{
	unsigned long until = jiffies + KIT_WAIT;

	while (!f->op->done(f) && !(fail_hit() && fail_idle()) && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	return f->op->done(f);
}

/* Return: it worked, though allocation @nth failed, if there is one */
static bool faults_once(struct faults *f, enum faults_of of, u32 nth)
{
	int err;

	fail_begin(of == FAULTS_WORKS ? FAIL_WORKS : FAIL_TASK, of == FAULTS_END ? 0 : nth);
	err = f->op->run(f);
	fail_pause();
	if (!err && !faults_settle(f))
		err = -ETIMEDOUT;
	if (of == FAULTS_END)
		fail_begin(FAIL_TASK, nth);
	f->op->undo(f);
	fail_end();
	return !err;
}

/* Return: how many allocations there were, or a few more */
static u32 faults_each(struct faults *f, enum faults_of of, const char *what)
{
	u32 step = max(kit_step, 1u), nth, tried = 0, failed = 0;

	for (nth = 1; nth < FAULTS_MOST; nth += step) {
		bool worked = faults_once(f, of, nth);

		if (!fail_hit()) {
			KUNIT_EXPECT_TRUE_MSG(f->test, worked, "nothing failed, and it did not work");
			break;
		}
		tried++;
		failed += !worked;
		worked = faults_once(f, of, 0);
		KUNIT_EXPECT_TRUE_MSG(f->test, worked, "no more, after allocation %u %s failed", nth,
				      what);
		if (!worked && kit_hurry)
			break;
	}
	KUNIT_EXPECT_LT(f->test, nth, FAULTS_MOST);
	kunit_info(f->test, "%u allocations %s failed, %u times it was an error", tried, what,
		   failed);
	return nth - 1;
}

/* @least: allocations that there must be, or nothing was tested. */
static void faults_all(struct faults *f, u32 least)
{
	u32 n;

	KUNIT_ASSERT_TRUE(f->test, faults_once(f, FAULTS_TASK, 0));
	n = faults_each(f, FAULTS_TASK, "of the task");
	n += faults_each(f, FAULTS_WORKS, "of the works");
	faults_each(f, FAULTS_END, "of the end");
	KUNIT_EXPECT_GE(f->test, n, least);
}

/* ---- an epoch: the first chunk, devices, probes that open a channel ---- */

static int faults_write(struct faults *f, const char *text)
{
	loff_t pos = 0;
	ssize_t n = kernel_write(f->running, text, 1, &pos);

	return n < 0 ? n : 0;
}

static int faults_epoch_run(struct faults *f)
{
	return faults_write(f, "1");
}

static bool faults_epoch_done(struct faults *f)
{
	return READ_ONCE(f->a->is_up) && READ_ONCE(f->b->is_up);
}

/* Ending one needs no memory: what is open closes, and devices go. */
static void faults_epoch_undo(struct faults *f)
{
	while (faults_write(f, "0"))
		schedule_timeout_uninterruptible(1);
	fail_pause();
	kit_wait(f->kit, !kit_bound(f->driver));
	WRITE_ONCE(f->a->is_up, false);
	WRITE_ONCE(f->b->is_up, false);
}

static int faults_epoch_probe(struct kit_driver *driver, struct duct_device *dd)
{
	struct faults *f = driver->priv;

	return kit_open(kit_side(dd) == KIT_FRONT ? f->a : f->b, dd, 0, &f->cfg);
}

static const struct faults_op faults_epoch_op = {
	.run = faults_epoch_run,
	.done = faults_epoch_done,
	.undo = faults_epoch_undo,
};

static void faults_epoch(struct kunit *test)
{
	struct faults *f = faults_new(test, &faults_epoch_op);

	f->cfg.max_calls = 4;
	f->cfg.max_answer = 64;
	f->a = kit_end(f->kit);
	f->b = kit_end(f->kit);
	f->running = filp_open("/sys/module/duct_loopback/parameters/running", O_WRONLY, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->running);
	f->driver = kit_driver(f->kit, "kit", DUCT_PEER);
	f->driver->priv = f;
	f->driver->on_probe = faults_epoch_probe;
	faults_write(f, "0");
	kit_register(f->driver);
	faults_all(f, 80);
	faults_write(f, "1");
	filp_close(f->running, NULL);
}

/* ---- a driver that comes and goes ---- */

static int faults_driver_run(struct faults *f)
{
	int err = __duct_driver_register(&f->driver->drv, THIS_MODULE, "faults");

	f->driver->registered = !err;
	return err;
}

static bool faults_driver_done(struct faults *f)
{
	return kit_bound(f->driver) == 2;
}

static void faults_driver_undo(struct faults *f)
{
	/* Without memory Linux leaves a link in sysfs behind, and warns when it is made again. */
	fail_pause();
	kit_unregister(f->driver);
}

static const struct faults_op faults_driver_op = {
	.run = faults_driver_run,
	.done = faults_driver_done,
	.undo = faults_driver_undo,
};

static void faults_driver(struct kunit *test)
{
	struct faults *f = faults_new(test, &faults_driver_op);

	f->driver = kit_driver(f->kit, "kit", DUCT_PEER);
	faults_all(f, 20);
}

/* ---- a channel ---- */

static int faults_open_run(struct faults *f)
{
	return kit_open(f->a, kit_peer(f->driver, KIT_FRONT), 0, &f->cfg) ?:
	       kit_open(f->b, kit_peer(f->driver, KIT_BACK), 0, &f->cfg);
}

/* And it carries something each way. */
static bool faults_open_done(struct faults *f)
{
	if (!READ_ONCE(f->a->is_up) || !READ_ONCE(f->b->is_up))
		return false;
	kit_exchange(f->a, f->b);
	return true;
}

static void faults_open_undo(struct faults *f)
{
	if (!IS_ERR_OR_NULL(f->a->ch))
		kit_close(f->a);
	if (!IS_ERR_OR_NULL(f->b->ch))
		kit_close(f->b);
}

static const struct faults_op faults_open_op = {
	.run = faults_open_run,
	.done = faults_open_done,
	.undo = faults_open_undo,
};

static void faults_open_with(struct kunit *test, u32 flags, u32 max_calls)
{
	struct faults *f = faults_new(test, &faults_open_op);

	f->cfg.flags = flags;
	f->cfg.max_calls = max_calls;
	f->cfg.max_answer = max_calls ? 64 : 0;
	f->a = kit_end(f->kit);
	f->b = kit_end(f->kit);
	f->driver = kit_peers(f->kit, true);
	faults_all(f, 8);
}

static void faults_open(struct kunit *test)
{
	faults_open_with(test, 0, 4);
}

static void faults_open_resumable(struct kunit *test)
{
	faults_open_with(test, DUCT_RESUMABLE, 0);
}

/* ---- messages and calls ---- */

static int faults_send_run(struct faults *f)
{
	char answer[8];
	ssize_t n;

	n = duct_call(f->a->ch, "send", 4, answer, sizeof(answer), KIT_WAIT);
	return n < 0 ? n : duct_send(f->a->ch, "", 1, 0);
}

static bool faults_send_done(struct faults *f)
{
	return true;
}

static void faults_send_undo(struct faults *f)
{
}

static const struct faults_op faults_send_op = {
	.run = faults_send_run,
	.done = faults_send_done,
	.undo = faults_send_undo,
};

static int faults_recv(struct kit_end *end, struct duct_msg *msg)
{
	return msg->request ? duct_reply(msg->request, "answer", 6) : 0;
}

/* Nothing of it needs memory: that is what the contexts of the API rest on. */
static void faults_send(struct kunit *test)
{
	struct faults *f = faults_new(test, &faults_send_op);
	struct duct_channel_config cfg = {
		.ops = &kit_recv_ops, .max_calls = 4, .max_answer = 64,
	};

	f->a = kit_end(f->kit);
	f->b = kit_end(f->kit);
	f->b->on_recv = faults_recv;
	f->driver = kit_peers(f->kit, true);
	kit_connect(f->driver, f->a, KIT_FRONT, &cfg, f->b, &cfg, 0);
	faults_all(f, 0);
}

/* ---- memory lent ---- */

static int faults_bulk_run(struct faults *f)
{
	if (f->dir == DMA_TO_DEVICE)
		bulk_look(f->bulk, 1, true, false);
	return bulk_call(f->bulk, f->call, f->how, 1, f->dir);
}

/* It ends in any case; whether well is what counts. */
static bool faults_bulk_done(struct faults *f)
{
	return calls_ended(f->call) && !f->call->err;
}

static void faults_bulk_undo(struct faults *f)
{
	if (f->call->err == -EINPROGRESS)
		duct_call_cancel(&f->call->call);
	fail_pause();
	bulk_look(f->bulk, 1, false, false);
}

static const struct faults_op faults_bulk_op = {
	.run = faults_bulk_run,
	.done = faults_bulk_done,
	.undo = faults_bulk_undo,
};

static void faults_bulk_with(struct kunit *test, enum bulk_how how, bool whole)
{
	struct faults *f = faults_new(test, &faults_bulk_op);

	f->how = how;
	f->bulk = bulk_start(test, KIT_FRONT, SZ_64K);
	f->bulk->flags = DUCT_MAY_MAP;
	f->call = calls_new(f->kit);
	if (whole)
		bulk_whole(f->bulk, 16);
	else
		bulk_random(f->bulk);
	for (f->dir = DMA_TO_DEVICE; f->dir <= DMA_FROM_DEVICE; f->dir++)
		faults_all(f, 3);
	bulk_expect_settled(test, f->bulk);
}

static void faults_bulk_copy(struct kunit *test)
{
	faults_bulk_with(test, BULK_COPY, false);
}

static void faults_bulk_pages(struct kunit *test)
{
	faults_bulk_with(test, BULK_TO_PAGES, true);
}

static void faults_bulk_map(struct kunit *test)
{
	kit_write(test->priv, "/sys/module/xen_duct/parameters/map_pages", "1");
	faults_bulk_with(test, BULK_MAP, true);
	kit_write(test->priv, "/sys/module/xen_duct/parameters/map_pages", "512");
}

/* ---- regions ---- */

static int faults_region_run(struct faults *f)
{
	struct regions_end *owner = &f->all->owner, *peer = &f->all->peer[0];
	struct duct_region *r;
	int err;

	r = duct_region_create(SZ_64K, &regions_ops, owner);
	if (IS_ERR(r))
		return PTR_ERR(r);
	owner->r = r;
	err = duct_region_offer(r, regions_device(f->all, true, 0), REGIONS_ID, true);
	if (err)
		return err;
	peer->dd = regions_device(f->all, false, 0);
	r = duct_region_attach(peer->dd, REGIONS_ID, &regions_ops, peer);
	if (IS_ERR(r))
		return PTR_ERR(r);
	peer->r = r;
	return 0;
}

static bool faults_region_done(struct faults *f)
{
	return regions_is_up(&f->all->owner) && regions_is_up(&f->all->peer[0]);
}

static void faults_region_undo(struct faults *f)
{
	if (f->all->peer[0].r)
		regions_put(&f->all->peer[0]);
	if (f->all->owner.r)
		regions_put(&f->all->owner);
}

static const struct faults_op faults_region_op = {
	.run = faults_region_run,
	.done = faults_region_done,
	.undo = faults_region_undo,
};

static void faults_region(struct kunit *test)
{
	struct faults *f = faults_new(test, &faults_region_op);

	f->all = regions_start(test, kit_param_side(test), SZ_64K, true);
	regions_put(&f->all->owner);
	faults_all(f, 30);
}

/* ---- events ---- */

static void faults_rung(struct duct_event *ev, void *arg, u32 n)
{
}

static int faults_event_run(struct faults *f)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct duct_event *ev = duct_event_open(kit_peer(f->driver, i), 3, faults_rung, f);

		if (IS_ERR(ev))
			return PTR_ERR(ev);
		f->ev[i] = ev;
	}
	return duct_event_trigger(f->ev[0], 1);
}

static bool faults_event_done(struct faults *f)
{
	return true;
}

static void faults_event_undo(struct faults *f)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		duct_event_close(f->ev[i]);
		f->ev[i] = NULL;
	}
}

static const struct faults_op faults_event_op = {
	.run = faults_event_run,
	.done = faults_event_done,
	.undo = faults_event_undo,
};

static void faults_event(struct kunit *test)
{
	struct faults *f = faults_new(test, &faults_event_op);

	f->driver = kit_peers(f->kit, true);
	faults_all(f, 2);
}

/* ---- each test ---- */

static int faults_init(struct kunit *test)
{
	int err = kit_init(test);

	return err ?: fail_init();
}

static void faults_exit(struct kunit *test)
{
	fail_end();
	kit_exit(test);
	if (test->priv)
		fail_exit();
}

static struct kunit_case faults_cases[] = {
	KUNIT_CASE(faults_epoch),
	KUNIT_CASE(faults_driver),
	KUNIT_CASE(faults_open),
	KUNIT_CASE(faults_open_resumable),
	KUNIT_CASE(faults_send),
	KUNIT_CASE(faults_bulk_copy),
	KUNIT_CASE(faults_bulk_pages),
	KUNIT_CASE(faults_bulk_map),
	KUNIT_CASE_PARAM(faults_region, kit_sides),
	KUNIT_CASE(faults_event),
	{}
};

struct kunit_suite duct_faults_suite = {
	.name = "duct_faults",
	.init = faults_init,
	.exit = faults_exit,
	.test_cases = faults_cases,
};
