// SPDX-License-Identifier: GPL-2.0
/* See fail.h. */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "fail.h"

#define FAIL_WORKERS	16
#define FAIL_IDLE	(HZ / 10)

/* A worker that runs a work of ours; as many allocations were left when it began. */
struct fail_worker {
	struct task_struct *task;
	u32 armed;
};

static DEFINE_SPINLOCK(fail_lock);	/* all of these */
static struct fail_worker fail_worker[FAIL_WORKERS];
static u32 fail_left;			/* of works; 0: none is to fail, or it has */
static unsigned long fail_last;		/* jiffies: a work began or ended */
static u32 fail_running;
static bool fail_done;
static bool fail_of_task;

static struct tracepoint *fail_start_point, *fail_end_point;

/* The modules' own names all begin so. */
static bool fail_ours(work_func_t fn)
{
	char name[64];

	snprintf(name, sizeof(name), "%ps", fn);
	return !strncmp(name, "duct_", 5);
}

static struct fail_worker *fail_find(struct task_struct *task)
{
	u32 i;

	for (i = 0; i < FAIL_WORKERS; i++)
		if (fail_worker[i].task == task)
			return &fail_worker[i];
	return NULL;
}

/* Tracepoints of workqueues, in the worker. */
static void fail_work_starts(void *unused, struct work_struct *work)
{
	struct fail_worker *w;
	unsigned long irq;

	if (!fail_ours(work->func))
		return;
	spin_lock_irqsave(&fail_lock, irq);
	w = fail_find(NULL);
	if (w) {
		w->task = current;
		w->armed = fail_left;
		WRITE_ONCE(current->fail_nth, fail_left);
		fail_running++;
		fail_last = jiffies;
	}
	spin_unlock_irqrestore(&fail_lock, irq);
}

static void fail_work_ends(void *unused, struct work_struct *work, work_func_t fn)
{
	struct fail_worker *w;
	unsigned long irq;
	u32 used;

	spin_lock_irqsave(&fail_lock, irq);
	w = fail_find(current);
	if (w) {
		used = w->armed - current->fail_nth;
		if (w->armed && !current->fail_nth) {
			fail_done = true;
			fail_left = 0;
		} else if (fail_left) {
			/* Others may have used some at the same time. */
			fail_left = used < fail_left ? fail_left - used : 1;
		}
		WRITE_ONCE(current->fail_nth, 0);
		w->task = NULL;
		fail_running--;
		fail_last = jiffies;
	}
	spin_unlock_irqrestore(&fail_lock, irq);
}

static void fail_point(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "workqueue_execute_start"))
		fail_start_point = point;
	if (!strcmp(point->name, "workqueue_execute_end"))
		fail_end_point = point;
}

int fail_init(void)
{
	int err;

	for_each_kernel_tracepoint(fail_point, NULL);
	if (!fail_start_point || !fail_end_point)
		return -ENOENT;
	err = tracepoint_probe_register(fail_start_point, fail_work_starts, NULL);
	if (err)
		return err;
	err = tracepoint_probe_register(fail_end_point, fail_work_ends, NULL);
	if (err)
		tracepoint_probe_unregister(fail_start_point, fail_work_starts, NULL);
	return err;
}

void fail_exit(void)
{
	tracepoint_probe_unregister(fail_start_point, fail_work_starts, NULL);
	tracepoint_probe_unregister(fail_end_point, fail_work_ends, NULL);
	tracepoint_synchronize_unregister();
	memset(fail_worker, 0, sizeof(fail_worker));
	fail_running = 0;
}

void fail_begin(enum fail_where where, u32 nth)
{
	spin_lock_irq(&fail_lock);
	fail_done = false;
	fail_of_task = nth && where == FAIL_TASK;
	fail_left = where == FAIL_WORKS ? nth : 0;
	fail_last = jiffies;
	spin_unlock_irq(&fail_lock);
	if (fail_of_task)
		WRITE_ONCE(current->fail_nth, nth);
}

void fail_pause(void)
{
	if (!fail_of_task)
		return;
	fail_of_task = false;
	fail_done = !current->fail_nth;
	WRITE_ONCE(current->fail_nth, 0);
}

bool fail_hit(void)
{
	return READ_ONCE(fail_done);
}

bool fail_idle(void)
{
	return !READ_ONCE(fail_running) &&
	       time_after(jiffies, READ_ONCE(fail_last) + FAIL_IDLE);
}

void fail_end(void)
{
	fail_pause();
	spin_lock_irq(&fail_lock);
	fail_left = 0;
	spin_unlock_irq(&fail_lock);
}
