// SPDX-License-Identifier: GPL-2.0
/*
 * Locks and waiting. Each kind of lock is known by where it was initialised; what is taken
 * inside what is remembered over all runs of the process, and a circle is a failure before
 * anybody hangs in it. A work is a lock, too: who waits for one takes it.
 */
#include "sim.h"

#define KEYS	96

static struct {
	const void *key;
	const char *name;
	bool in_irq;
	bool irqs_on;
	bool before[KEYS];	/* taken while this was held */
} keys[KEYS];
static int keys_n;

/* ---- the order ---- */

int sim_order_key(const void *key, const char *name)
{
	int i;

	for (i = 0; i < keys_n; i++)
		if (keys[i].key == key)
			return i;
	if (keys_n == KEYS)
		sim_fail("more kinds of locks than there are");
	keys[keys_n].key = key;
	keys[keys_n].name = name;
	return keys_n++;
}

static bool leads_to(int from, int to, bool *seen)
{
	int i;

	if (from == to)
		return true;
	if (seen[from])
		return false;
	seen[from] = true;
	for (i = 0; i < keys_n; i++)
		if (keys[from].before[i] && leads_to(i, to, seen))
			return true;
	return false;
}

void sim_order_acquire(int key)
{
	struct task_struct *t = sim_current();
	u32 i;

	for (i = 0; t && i < t->held_n; i++) {
		int held = t->keys[i];
		bool seen[KEYS] = {};

		if (held == key || keys[held].before[key])
			continue;
		if (leads_to(key, held, seen))
			sim_fail("%s takes \"%s\" inside \"%s\", and others the other way round",
				 t->name, keys[key].name, keys[held].name);
		keys[held].before[key] = true;
	}
}

void sim_order_push(struct sim_lock *lock, int key)
{
	struct task_struct *t = sim_current();

	if (!t)
		return;
	if (t->held_n == SIM_HELD)
		sim_fail("%s holds too many locks", t->name);
	t->held[t->held_n] = lock;
	t->keys[t->held_n++] = key;
}

void sim_order_pop(struct sim_lock *lock)
{
	struct task_struct *t = sim_current();
	u32 i;

	if (!t)
		return;
	for (i = t->held_n; i--;) {
		if (t->held[i] != lock)
			continue;
		t->held_n--;
		memmove(&t->held[i], &t->held[i + 1], (t->held_n - i) * sizeof(t->held[0]));
		memmove(&t->keys[i], &t->keys[i + 1], (t->held_n - i) * sizeof(t->keys[0]));
		return;
	}
	sim_fail("%s lets go of a lock that it does not hold", t->name);
}

/* ---- contexts ---- */

void sim_might_sleep(const char *what)
{
	struct task_struct *t = sim_current();

	if (t && (t->atomic || t->in_irq || t->rcu || t->irqs_off))
		sim_fail("%s: %s may sleep, and this is %s", t->name, what,
			 t->in_irq ? "an interrupt" : t->rcu ? "under RCU" : "under a spinlock");
}

static void take(struct sim_lock *lock)
{
	struct task_struct *t = sim_current();
	int key = sim_order_key(lock->key, lock->name);

	if (lock->owner == t && t)
		sim_fail("%s takes \"%s\" twice", t->name, lock->name);
	sim_order_acquire(key);
	while (lock->owner)
		sim_block(lock, SIM_FOREVER);
	lock->owner = t;
	sim_order_push(lock, key);
}

static void give(struct sim_lock *lock)
{
	if (lock->owner != sim_current())
		sim_fail("\"%s\" is unlocked by who has not locked it", lock->name);
	sim_order_pop(lock);
	lock->owner = NULL;
	sim_wake(lock);
	sim_fence();
}

void sim_mutex_lock(struct sim_lock *lock)
{
	sim_might_sleep(lock->name);
	sim_fence();
	take(lock);
}

void sim_mutex_unlock(struct sim_lock *lock)
{
	give(lock);
}

/* A spinlock that interrupts take may never be held with them on. */
static void check_irqs(struct sim_lock *lock)
{
	struct task_struct *t = sim_current();
	int key = sim_order_key(lock->key, lock->name);

	if (!t)
		return;
	if (t->in_irq)
		keys[key].in_irq = true;
	else if (!t->irqs_off)
		keys[key].irqs_on = true;
	if (keys[key].in_irq && keys[key].irqs_on)
		sim_fail("\"%s\" is taken by interrupts, and with interrupts on", lock->name);
}

void sim_spin_lock(struct sim_lock *lock, bool irq, unsigned long *flags)
{
	struct task_struct *t = sim_current();

	sim_fence();
	if (flags)
		*flags = t && t->irqs_off;
	if (t && irq)
		t->irqs_off = true;
	check_irqs(lock);
	take(lock);
	if (t)
		t->atomic++;
}

void sim_spin_unlock(struct sim_lock *lock, bool irq, unsigned long flags)
{
	struct task_struct *t = sim_current();

	if (t)
		t->atomic--;
	if (t && irq)
		t->irqs_off = flags;
	give(lock);
}

bool sim_lock_held(const struct sim_lock *lock)
{
	return lock->owner == sim_current();
}

void sim_assert_held(const struct sim_lock *lock, const char *file, int line)
{
	if (lock->owner != sim_current())
		sim_fail("%s:%d: \"%s\" is not held", file, line, lock->name);
}

/* ---- waiting ---- */

void sim_wait_begin(wait_queue_head_t *q)
{
	struct task_struct *t = sim_current();

	t->queue = q;
	t->woken = false;
	sim_fence();
}

/* Unless it was woken since it began. Return: false for a signal */
bool sim_wait_sleep(unsigned long until, bool signals)
{
	struct task_struct *t = sim_current();

	sim_fence();
	if (signals && t->signalled) {
		t->signalled = false;
		return false;
	}
	t->signals = signals;
	if (!t->woken)
		sim_block(t->queue, until);
	t->signals = false;
	/* Who can be given signals can be frozen. */
	if (signals)
		sim_freeze_point();
	return true;
}

void sim_wait_end(void)
{
	sim_current()->queue = NULL;
	sim_point();
}

void wake_up_all(wait_queue_head_t *q)
{
	sim_fence();
	sim_wake(q);
}

bool wq_has_sleeper(wait_queue_head_t *q)
{
	struct task_struct *t = NULL;

	sim_fence();
	while ((t = sim_task_next(t)))
		if (t->queue == q)
			return true;
	return false;
}

void init_completion(struct completion *c)
{
	c->done = 0;
	init_waitqueue_head(&c->wait);
}

void complete(struct completion *c)
{
	sim_fence();
	if (c->done != UINT_MAX)
		c->done++;
	sim_wake(&c->wait);
}

void complete_all(struct completion *c)
{
	sim_fence();
	c->done = UINT_MAX;
	sim_wake(&c->wait);
}

static bool completion_try(struct completion *c)
{
	if (!c->done)
		return false;
	if (c->done != UINT_MAX)
		c->done--;
	return true;
}

void wait_for_completion(struct completion *c)
{
	wait_event(c->wait, completion_try(c));
}

unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout)
{
	return wait_event_timeout(c->wait, completion_try(c), timeout);
}

int wait_for_completion_state(struct completion *c, unsigned int state)
{
	return wait_event_freezable(c->wait, completion_try(c));
}
