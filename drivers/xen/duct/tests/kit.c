// SPDX-License-Identifier: GPL-2.0
/* See kit.h. */
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "kit.h"

/* ---- drivers ---- */

static struct kit_driver *kit_driver_of(struct duct_device *dd)
{
	return container_of(dd->dev.driver, struct kit_driver, drv.driver);
}

static void kit_driver_note(struct kit_driver *driver, struct duct_device *from,
			    struct duct_device *to)
{
	unsigned int i;

	spin_lock(&driver->kit->lock);
	for (i = 0; i < KIT_DEVICES && driver->dd[i] != from; i++)
		;
	WARN_ON(i == KIT_DEVICES);
	driver->dd[i] = to;
	spin_unlock(&driver->kit->lock);
}

static int kit_probe(struct duct_device *dd)
{
	struct kit_driver *driver = kit_driver_of(dd);
	int err = driver->err;

	if (driver->on_probe)
		err = driver->on_probe(driver, dd) ?: err;
	atomic_inc(&driver->probes);
	if (!err)
		kit_driver_note(driver, NULL, dd);
	wake_up_all(&driver->kit->wait);
	return err;
}

static void kit_remove(struct duct_device *dd)
{
	struct kit_driver *driver = kit_driver_of(dd);

	struct kit_end *end;

	kit_driver_note(driver, dd, NULL);
	if (driver->on_remove)
		driver->on_remove(driver, dd);
	list_for_each_entry(end, &driver->kit->ends, node)
		if (!driver->leave && end->dd == dd)
			kit_close(end);
	atomic_inc(&driver->removes);
	wake_up_all(&driver->kit->wait);
}

struct kit_driver *kit_driver(struct kit *kit, const char *service, unsigned int roles)
{
	struct kit_driver *driver = kunit_kzalloc(kit->test, sizeof(*driver), GFP_KERNEL);
	struct duct_device_id *ids = kunit_kzalloc(kit->test, 2 * sizeof(*ids), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, driver);
	KUNIT_ASSERT_NOT_NULL(kit->test, ids);
	strscpy(ids[0].service, service, sizeof(ids[0].service));
	ids[0].driver_data = 1;
	driver->kit = kit;
	driver->drv.id_table = ids;
	driver->drv.roles = roles;
	driver->drv.probe = kit_probe;
	driver->drv.remove = kit_remove;
	list_add(&driver->node, &kit->drivers);
	return driver;
}

void kit_register(struct kit_driver *driver)
{
	char *name = kunit_kzalloc(driver->kit->test, 32, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(driver->kit->test, name);
	snprintf(name, 32, "%s-%u-%u", driver->drv.id_table[0].service, driver->drv.roles,
		 prandom_u32_state(&driver->kit->rnd));
	err = __duct_driver_register(&driver->drv, THIS_MODULE, name);
	KUNIT_ASSERT_EQ(driver->kit->test, err, 0);
	driver->registered = true;
}

/* Whether a link has a device of the driver's service in that role. */
static bool kit_listed(struct kit_driver *driver, char role)
{
	static const unsigned int instances[] = { 0, 1, 65535 };
	unsigned int link, i;
	char path[80], text[8];

	for (link = 0; link < 2; link++) {
		for (i = 0; i < ARRAY_SIZE(instances); i++) {
			snprintf(path, sizeof(path), "/sys/bus/duct/devices/duct%u.%s.%u.%c/role",
				 link, driver->drv.id_table[0].service, instances[i], role);
			if (!kit_read(path, text, sizeof(text)))
				return true;
		}
	}
	return false;
}

/*
 * A driver that comes soon enough is bound to a device that is about to go, and
 * to the next one. For a test that counts: nobody tells when a device has gone.
 */
static void kit_vanished(struct kit_driver *driver, char role)
{
	unsigned long until = jiffies + KIT_WAIT;

	while (kit_listed(driver, role) && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(driver->kit->test, kit_listed(driver, role));
}

void kit_unregister_only(struct kit_driver *driver)
{
	if (driver->registered)
		duct_driver_unregister(&driver->drv);
	driver->registered = false;
}

void kit_unregister(struct kit_driver *driver)
{
	kit_unregister_only(driver);
	if (driver->drv.roles & DUCT_PEER)
		kit_vanished(driver, 'p');
	if (driver->drv.roles & DUCT_SERVE)
		kit_vanished(driver, 's');
}

unsigned int kit_side(const struct duct_device *dd)
{
	unsigned int link = 0;

	WARN_ON(sscanf(dev_name(&dd->dev), "duct%u.", &link) != 1);
	return link % 2;
}

struct duct_device *kit_device(struct kit_driver *driver, unsigned int side, unsigned int role,
			       unsigned int instance)
{
	struct duct_device *dd, *found = NULL;
	unsigned int i;

	spin_lock(&driver->kit->lock);
	for (i = 0; i < KIT_DEVICES; i++) {
		dd = driver->dd[i];
		if (dd && kit_side(dd) == side && dd->role == role && dd->instance == instance)
			found = dd;
	}
	spin_unlock(&driver->kit->lock);
	return found;
}

unsigned int kit_bound(struct kit_driver *driver)
{
	unsigned int i, n = 0;

	spin_lock(&driver->kit->lock);
	for (i = 0; i < KIT_DEVICES; i++)
		n += !!driver->dd[i];
	spin_unlock(&driver->kit->lock);
	return n;
}

struct kit_driver *kit_peers(struct kit *kit, bool keep)
{
	struct kit_driver *driver = kit_driver(kit, "kit", DUCT_PEER);

	driver->drv.keep = keep;
	kit_register(driver);
	kit_wait(kit, kit_bound(driver) == 2);
	return driver;
}

struct duct_device *kit_peer(struct kit_driver *driver, unsigned int side)
{
	return kit_device(driver, side, DUCT_PEER, 0);
}

/* ---- channels ---- */

static struct kit_end *kit_end_of(struct duct_channel *ch)
{
	struct kit_end *end = ch->priv;

	/* duct_open() sets its pointer before any callback, and none comes after close. */
	if (READ_ONCE(end->ch) != ch || READ_ONCE(end->gone))
		atomic_inc(&end->bad);
	return end;
}

static void kit_up(struct duct_channel *ch)
{
	struct kit_end *end = kit_end_of(ch);

	if (end->is_up)
		atomic_inc(&end->bad);
	WRITE_ONCE(end->is_up, true);
	if (end->on_up)
		end->on_up(end);
	atomic_inc(&end->ups);
	wake_up_all(&end->kit->wait);
}

static void kit_down(struct duct_channel *ch, int why)
{
	struct kit_end *end = kit_end_of(ch);

	if (!end->is_up || why >= 0)
		atomic_inc(&end->bad);
	WRITE_ONCE(end->is_up, false);
	end->why = why;
	if (end->on_down)
		end->on_down(end);
	atomic_inc(&end->downs);
	wake_up_all(&end->kit->wait);
}

static int kit_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct kit_end *end = kit_end_of(ch);
	int err = 0;

	if (end->on_recv)
		err = end->on_recv(end, msg);
	atomic_inc(&end->recvs);
	wake_up_all(&end->kit->wait);
	return err;
}

static void kit_ready(struct duct_channel *ch)
{
	struct kit_end *end = kit_end_of(ch);

	atomic_inc(&end->readies);
	wake_up_all(&end->kit->wait);
}

static void kit_writable(struct duct_channel *ch)
{
	struct kit_end *end = kit_end_of(ch);

	if (end->on_writable)
		end->on_writable(end);
	atomic_inc(&end->writables);
	wake_up_all(&end->kit->wait);
}

const struct duct_channel_ops kit_recv_ops = {
	.up = kit_up,
	.down = kit_down,
	.recv = kit_recv,
	.writable = kit_writable,
};

const struct duct_channel_ops kit_ready_ops = {
	.up = kit_up,
	.down = kit_down,
	.ready = kit_ready,
	.writable = kit_writable,
};

struct kit_end *kit_end(struct kit *kit)
{
	struct kit_end *end = kunit_kzalloc(kit->test, sizeof(*end), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, end);
	end->kit = kit;
	list_add(&end->node, &kit->ends);
	return end;
}

int kit_open(struct kit_end *end, struct duct_device *dd, u32 number,
	     const struct duct_channel_config *cfg)
{
	struct duct_channel_config config = {};

	if (!dd)
		return -ENODEV;
	if (cfg)
		config = *cfg;
	if (!config.ops)
		config.ops = &kit_ready_ops;
	config.priv = end;
	end->is_up = false;
	end->gone = false;
	end->dd = dd;
	return duct_open(dd, number, &config, &end->ch);
}

void kit_gone(struct kit_end *end)
{
	WRITE_ONCE(end->gone, true);
	end->ch = NULL;
	end->dd = NULL;
}

void kit_close(struct kit_end *end)
{
	duct_close(end->ch);
	kit_gone(end);
}

const void *kit_sides(const void *prev, char *desc)
{
	static const unsigned int sides[] = { KIT_FRONT, KIT_BACK };
	const unsigned int *next = prev ? (const unsigned int *)prev + 1 : sides;

	if (next - sides >= ARRAY_SIZE(sides))
		return NULL;
	strscpy(desc, *next == KIT_FRONT ? "frontend" : "backend", KUNIT_PARAM_DESC_SIZE);
	return next;
}

void kit_connect(struct kit_driver *driver, struct kit_end *a, unsigned int side,
		 const struct duct_channel_config *cfg_a, struct kit_end *b,
		 const struct duct_channel_config *cfg_b, u32 number)
{
	struct kit *kit = driver->kit;
	int ups_a = atomic_read(&a->ups), ups_b = atomic_read(&b->ups);

	KUNIT_ASSERT_EQ(kit->test, kit_open(a, kit_peer(driver, side), number, cfg_a), 0);
	KUNIT_ASSERT_EQ(kit->test, kit_open(b, kit_peer(driver, !side), number, cfg_b), 0);
	kit_wait(kit, atomic_read(&a->ups) > ups_a && atomic_read(&b->ups) > ups_b);
}

int kit_next(struct kit_end *end, struct duct_msg *msg)
{
	int err = -EAGAIN;

	wait_event_timeout(end->kit->wait, (err = duct_next(end->ch, msg)) != -EAGAIN, KIT_WAIT);
	return err;
}

int kit_send(struct kit_end *end, const void *data, u32 len, u32 flags)
{
	int err;

	while ((err = duct_send(end->ch, data, len, flags)) == -EAGAIN) {
		err = duct_wait_writable(end->ch, len, KIT_WAIT);
		if (err)
			break;
	}
	return err;
}

void kit_expect(struct kit_end *end, const void *data, u32 len)
{
	struct kunit *test = end->kit->test;
	struct duct_msg msg;
	u8 *buf = kvmalloc(len + 1, GFP_KERNEL);
	bool same;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	err = kit_next(end, &msg);
	if (!err && msg.len == len) {
		err = duct_read(&msg, buf, len);
		same = !memcmp(buf, data, len);
		duct_release(&msg);
	} else {
		same = false;
	}
	kvfree(buf);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_TRUE(test, same);
}

void kit_exchange(struct kit_end *a, struct kit_end *b)
{
	struct kit *kit = a->kit;
	u32 n = prandom_u32_state(&kit->rnd), len = 1 + n % 63;

	KUNIT_ASSERT_EQ(kit->test, kit_send(a, kit_bytes(kit, n, len), len, 0), 0);
	kit_expect(b, kit_bytes(kit, n, len), len);
	KUNIT_ASSERT_EQ(kit->test, kit_send(b, kit_bytes(kit, ~n, len), len, 0), 0);
	kit_expect(a, kit_bytes(kit, ~n, len), len);
}

void kit_wait_error(struct kit_end *end, int err)
{
	kit_wait(end->kit, duct_send(end->ch, "", 1, 0) == err);
}

/* ---- threads and files ---- */

static int kit_thread_run(void *data)
{
	struct kit_thread *thread = data;

	thread->ret = thread->fn(thread->arg);
	complete_all(&thread->ended);
	wake_up_all(&thread->kit->wait);
	return 0;
}

struct kit_thread *kit_thread(struct kit *kit, int (*fn)(void *arg), void *arg)
{
	struct kit_thread *thread = kunit_kzalloc(kit->test, sizeof(*thread), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kit->test, thread);
	thread->kit = kit;
	thread->fn = fn;
	thread->arg = arg;
	init_completion(&thread->ended);
	thread->task = kthread_create(kit_thread_run, thread, "duct_test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, thread->task);
	get_task_struct(thread->task);
	list_add(&thread->node, &kit->threads);
	wake_up_process(thread->task);
	return thread;
}

int kit_join(struct kit_thread *thread)
{
	long left = wait_for_completion_timeout(&thread->ended, 2 * KIT_WAIT);

	KUNIT_EXPECT_TRUE_MSG(thread->kit->test, left > 0, "a thread does not end");
	if (left > 0 && !thread->joined) {
		kthread_stop(thread->task);
		put_task_struct(thread->task);
	}
	thread->joined = true;
	return thread->ret;
}

int kit_read(const char *path, char *text, size_t size)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, text, size - 1, &pos);
	filp_close(file, NULL);
	if (len < 0)
		return len;
	text[len] = 0;
	return 0;
}

int kit_read_device(struct duct_device *dd, const char *file, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/duct/devices/%s/%s", dev_name(&dd->dev), file);
	return kit_read(path, text, size);
}

int kit_read_shown(struct duct_device *dd, const char *file, char *text, size_t size)
{
	unsigned long until = jiffies + KIT_WAIT;
	int err;

	while ((err = kit_read_device(dd, file, text, size)) == -ENOENT &&
	       time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	return err;
}

int kit_read_channel(struct kit_end *end, const char *file, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "channels/%u/%s", end->ch->number, file);
	return kit_read_shown(end->ch->dd, path, text, size);
}

void kit_write(struct kit *kit, const char *path, const char *text)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(kit->test, file);
	len = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	KUNIT_ASSERT_EQ(kit->test, len, (ssize_t)strlen(text));
}

void kit_loop_run(struct kit *kit, bool run)
{
	kit_write(kit, "/sys/module/duct_loopback/parameters/running", run ? "1" : "0");
}

/* ---- each test ---- */

static bool kit_failed;	/* some test has */

int kit_init(struct kunit *test)
{
	struct kit *kit = kunit_kzalloc(test, sizeof(*kit), GFP_KERNEL);
	char running[4] = "";

	/* Of the last parameter's test; kit_exit() runs in any case. */
	test->priv = NULL;
	if (!kit)
		return -ENOMEM;
	if (kit_hurry && kit_failed)
		return -ECANCELED;
	kit->test = test;
	/* A test that failed may have left the link down. */
	kit_read("/sys/module/duct_loopback/parameters/running", running, sizeof(running));
	if (*running != '1')
		kit_loop_run(kit, true);
	init_waitqueue_head(&kit->wait);
	spin_lock_init(&kit->lock);
	INIT_LIST_HEAD(&kit->drivers);
	INIT_LIST_HEAD(&kit->ends);
	INIT_LIST_HEAD(&kit->threads);
	prandom_seed_state(&kit->rnd, 20260101);
	kit->pattern = vmalloc(KIT_PATTERN);
	if (!kit->pattern)
		return -ENOMEM;
	prandom_bytes_state(&kit->rnd, kit->pattern, KIT_PATTERN);
	test->priv = kit;
	return 0;
}

/* Also after a test that was given up half way: ends what it left. */
void kit_exit(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver;
	struct kit_thread *thread;
	struct kit_end *end;

	if (!kit)
		return;
	kit_failed |= test->status == KUNIT_FAILURE;
	WRITE_ONCE(kit->over, true);
	wake_up_all(&kit->wait);
	list_for_each_entry(end, &kit->ends, node) {
		duct_stop(end->ch);
		if (end->on_exit)
			end->on_exit(end);
	}
	list_for_each_entry(thread, &kit->threads, node)
		if (!thread->joined)
			kit_join(thread);
	list_for_each_entry(driver, &kit->drivers, node)
		kit_unregister_only(driver);
	list_for_each_entry(driver, &kit->drivers, node) {
		kit_vanished(driver, 'p');
		kit_vanished(driver, 's');
		kit_vanished(driver, 'c');
	}
	list_for_each_entry(end, &kit->ends, node)
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&end->bad), 0, "callbacks out of order");
	vfree(kit->pattern);
}
