// SPDX-License-Identifier: GPL-2.0
/*
 * Timers and work queues. A work that is queued gets a task of its own at once, which the
 * scheduler runs when it likes: any order of works is possible. One work never runs twice
 * at a time.
 */
#include "flow.h"
#include "sim.h"

struct workqueue_struct {
	const char *name;
	u32 domain;
	bool gone;
};

static struct workqueue_struct system_wq[SIM_DOMAINS];
static LIST_HEAD(timers);

void sim_work_reset(void)
{
	u32 i;

	INIT_LIST_HEAD(&timers);
	for (i = 0; i < SIM_DOMAINS; i++)
		system_wq[i] = (struct workqueue_struct){ .name = "events", .domain = i };
}

/* ---- work ---- */

static struct task_struct *runs(const struct work_struct *work)
{
	struct task_struct *t = NULL;

	while ((t = sim_task_next(t)))
		if (t->work == work)
			return t;
	return NULL;
}

/* All queues of the modules' are freezable. */
static bool is_frozen(const struct task_struct *t)
{
	u64 from = sim_domains[t->domain].frozen;

	return from && t->id >= from;
}

static void work_task(void *arg)
{
	struct work_struct *work = arg;
	struct task_struct *t = sim_current();
	struct sim_lock *as_lock = (struct sim_lock *)work;
	int key;

	while (runs(work) || is_frozen(t))
		sim_block(runs(work) ? work : (void *)&sim_domains[t->domain].frozen, SIM_FOREVER);
	work->pending = false;
	t->work = work;
	t->taken = 0;
	t->wanted = false;
	key = sim_order_key(work->key, "a work");
	sim_order_push(as_lock, key);
	work->func(work);
	/* Its memory may be gone. */
	sim_order_pop(as_lock);
	t->work = NULL;
	t->arg = NULL;
	sim_fence();
	sim_wake(work);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	sim_fence();
	if (work->pending)
		return false;
	if (wq->gone)
		sim_fail("work for the queue \"%s\", which is gone", wq->name);
	work->pending = true;
	work->wq = wq;
	sim_spawn(wq->domain, wq->name, work_task, work);
	return true;
}

bool schedule_work(struct work_struct *work)
{
	return queue_work(&system_wq[sim_domain_now()], work);
}

/* Queued, or runs. */
bool sim_work_busy(const struct work_struct *work)
{
	return work->pending || runs(work);
}

/* ---- how much one run of a work takes ---- */

u32 sim_budget(bool alone)
{
	return alone ? sim_plan.budget_alone : sim_plan.budget;
}

bool sim_narrow(void)
{
	return sim_seed.narrow;
}

/* The least that a worker takes; or, in some seeds, more until another wants to run. */
bool need_resched(void)
{
	return sim_plan.budget == SIM_BUDGET || sim_current()->wanted;
}

/* A message is taken; @alone: more than the budget are while nobody wants the processor. */
void sim_taken(bool alone)
{
	struct task_struct *t = sim_current();

	if (!t->work)
		return;
	if (t->taken >= sim_budget(alone) || (t->taken >= sim_budget(false) && t->wanted))
		sim_fail("one run of a work takes more than %u messages", t->taken);
	t->taken++;
	if (sim_plan.budget != SIM_BUDGET && sim_one_in(4))
		t->wanted = true;
}

static void wait_for(struct work_struct *work)
{
	int key = sim_order_key(work->key, "a work");

	sim_might_sleep("waiting for a work");
	sim_order_acquire(key);
	if (runs(work) == sim_current())
		sim_fail("%s waits for itself", sim_current()->name);
	while (runs(work))
		sim_block(work, SIM_FOREVER);
}

/* Whoever queues it again meanwhile is not waited for. */
bool flush_work(struct work_struct *work)
{
	struct task_struct *t = NULL, *last = NULL;
	u64 id;

	sim_might_sleep("flush_work");
	sim_order_acquire(sim_order_key(work->key, "a work"));
	sim_fence();
	while ((t = sim_task_next(t)))
		if (t->fn == work_task && t->arg == work && (!last || t->work != work))
			last = t;
	if (!last)
		return false;
	if (last == sim_current())
		sim_fail("%s waits for itself", last->name);
	id = last->id;
	while (last->state != SIM_FREE && last->id == id && last->arg == work)
		sim_block(work, SIM_FOREVER);
	return true;
}

/* The task finds that there is nothing to do; its memory must not be looked at then. */
static void unqueue(struct work_struct *work)
{
	struct task_struct *t = NULL;

	work->pending = false;
	while ((t = sim_task_next(t)))
		if (t->arg == work && t->fn == work_task && t->work != work)
			t->state = SIM_FREE;
	sim_wake(work);
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was;

	sim_might_sleep("cancel_work_sync");
	sim_fence();
	do {
		was = work->pending;
		if (was)
			unqueue(work);
		wait_for(work);
	} while (work->pending);
	return was;
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max, ...)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);

	if (!wq)
		return NULL;
	wq->name = name;
	wq->domain = sim_domain_now();
	return wq;
}

static struct task_struct *works_for(const struct workqueue_struct *wq)
{
	struct task_struct *t = NULL;

	/* The work's own memory may be gone: the queue is known by its name. */
	while ((t = sim_task_next(t)))
		if (t->fn == work_task && t->name == wq->name && t->domain == wq->domain)
			return t;
	return NULL;
}

/* By looking: nothing tells of the end of a task. */
void flush_workqueue(struct workqueue_struct *wq)
{
	sim_might_sleep("flush_workqueue");
	while (works_for(wq))
		sim_sleep(1);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	flush_workqueue(wq);
	wq->gone = true;
	kfree(wq);
}

u32 sim_works_left(u32 domain)
{
	struct task_struct *t = NULL;
	u32 n = 0;

	while ((t = sim_task_next(t)))
		n += t->domain == domain && t->fn == work_task;
	return n;
}

/* ---- timers ---- */

void timer_setup(struct timer_list *t, void (*fn)(struct timer_list *timer), unsigned int flags)
{
	*t = (struct timer_list){ .function = fn };
}

int mod_timer(struct timer_list *t, unsigned long expires)
{
	int was = t->pending;

	if (was)
		list_del(&t->node);
	t->pending = true;
	t->expires = expires;
	t->domain = sim_domain_now();
	list_add_tail(&t->node, &timers);
	sim_point();
	return was;
}

static bool timer_end(struct timer_list *t)
{
	bool was = t->pending;

	if (was)
		list_del(&t->node);
	t->pending = false;
	return was;
}

static void timer_task(void *arg)
{
	struct timer_list *t = arg;

	sim_current()->in_irq = true;
	t->function(t);
	sim_current()->in_irq = false;
	sim_wake(&timers);
}

static bool timer_runs(const struct timer_list *t)
{
	struct task_struct *task = NULL;

	while ((task = sim_task_next(task)))
		if (task->fn == timer_task && task->arg == t)
			return true;
	return false;
}

int timer_delete_sync(struct timer_list *t)
{
	int was = 0;

	sim_point();
	do {
		was |= timer_end(t);
		while (timer_runs(t))
			sim_sleep(1);
	} while (t->pending);
	return was;
}

unsigned long sim_timer_next(void)
{
	unsigned long next = SIM_FOREVER;
	struct timer_list *t;

	list_for_each_entry(t, &timers, node)
		if (!sim_domains[t->domain].paused && t->expires < next)
			next = t->expires;
	return next;
}

void sim_timers_run(void)
{
	struct timer_list *t, *next;

	list_for_each_entry_safe(t, next, &timers, node) {
		if (sim_domains[t->domain].paused || time_before(sim_jiffies, t->expires))
			continue;
		timer_end(t);
		if (t->deferred_work)
			t->function(t);
		else
			sim_spawn(t->domain, "timer", timer_task, t);
	}
}

void sim_timers_kill(u32 domain)
{
	struct timer_list *t, *next;

	list_for_each_entry_safe(t, next, &timers, node)
		if (t->domain == domain)
			timer_end(t);
}

u32 sim_timers_left(u32 domain)
{
	struct timer_list *t;
	u32 n = 0;

	list_for_each_entry(t, &timers, node)
		n += t->domain == domain;
	return n;
}

/* ---- work, later ---- */

void sim_delayed_work_timer(struct timer_list *t)
{
	struct delayed_work *work = container_of(t, struct delayed_work, timer);

	queue_work(work->work.wq, &work->work);
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay)
{
	bool was = timer_end(&work->timer);

	if (work->work.pending) {
		was = true;
		unqueue(&work->work);
	}
	work->work.wq = wq;
	if (delay)
		mod_timer(&work->timer, sim_jiffies + delay);
	else
		queue_work(wq, &work->work);
	return was;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	if (work->work.pending || work->timer.pending)
		return false;
	return mod_delayed_work(wq, work, delay);
}

bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	return queue_delayed_work(&system_wq[sim_domain_now()], work, delay);
}

bool cancel_delayed_work(struct delayed_work *work)
{
	bool was = timer_end(&work->timer);

	if (work->work.pending) {
		was = true;
		unqueue(&work->work);
	}
	return was;
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	bool was = false;

	sim_might_sleep("cancel_delayed_work_sync");
	do {
		was |= timer_end(&work->timer);
		was |= cancel_work_sync(&work->work);
	} while (work->timer.pending);
	return was;
}

/* ---- words ---- */

void ratelimit_state_init(struct ratelimit_state *r, int interval, int burst)
{
	*r = (struct ratelimit_state){ .interval = interval, .burst = burst, .left = burst,
				       .begin = sim_jiffies };
}

int __ratelimit(struct ratelimit_state *r)
{
	if (sim_jiffies - r->begin >= (unsigned long)r->interval) {
		r->begin = sim_jiffies;
		r->left = r->burst;
	}
	return r->left && r->left--;
}
