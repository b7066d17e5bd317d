// SPDX-License-Identifier: GPL-2.0
/* RCU and SRCU: a grace period ends when all who were inside have come out. */
#include <stdlib.h>

#include "sim.h"

#define DEFERRED	64
#define LINGERS_ONE_IN	30	/* ends of readers */

static u64 now = 1;			/* counts beginnings of readers and of grace periods */
static const int ended;			/* somebody came out */
static struct {
	void *p;
	u64 cookie;
	u32 domain;
} deferred[DEFERRED];			/* of kfree_rcu() */
static u32 deferred_n;

void sim_rcu_reset(void)
{
	now = 1;
	deferred_n = 0;
}

void rcu_read_lock(void)
{
	struct task_struct *t = sim_current();

	sim_point();
	if (t && !t->rcu++)
		t->rcu_since = now;
}

/* Whether nobody of this domain is inside since before then. */
static bool passed(u32 domain, u64 cookie)
{
	struct task_struct *t = NULL;

	while ((t = sim_task_next(t)))
		if (t->domain == domain && t->rcu && t->rcu_since <= cookie)
			return false;
	return true;
}

static void deferred_run(void)
{
	u32 i;

	for (i = 0; i < deferred_n; i++) {
		if (!passed(deferred[i].domain, deferred[i].cookie))
			continue;
		kfree(deferred[i].p);
		deferred[i--] = deferred[--deferred_n];
	}
}

void sim_rcu_kill(u32 domain)
{
	u32 i;

	for (i = 0; i < deferred_n; i++)
		if (deferred[i].domain == domain)
			deferred[i--] = deferred[--deferred_n];
}

void rcu_read_unlock(void)
{
	struct task_struct *t = sim_current();

	if (t && !t->rcu)
		sim_fail("%s leaves RCU, in which it is not", t->name);
	sim_fence();
	if (t && !--t->rcu) {
		sim_wake(&ended);
		deferred_run();
	}
	if (sim_seed.lingers && sim_one_in(LINGERS_ONE_IN))
		sim_linger();
	sim_point();
}

unsigned long start_poll_synchronize_rcu(void)
{
	return now++;
}

bool poll_state_synchronize_rcu(unsigned long cookie)
{
	return passed(sim_domain_now(), cookie) && !sim_one_in(4);
}

void cond_synchronize_rcu_expedited(unsigned long cookie)
{
	sim_might_sleep("a grace period");
	while (!passed(sim_domain_now(), cookie))
		sim_block(&ended, SIM_FOREVER);
	sim_point();
}

void synchronize_rcu(void)
{
	sim_fence();
	cond_synchronize_rcu_expedited(start_poll_synchronize_rcu());
}

void sim_kfree_rcu(void *p)
{
	if (deferred_n == DEFERRED)
		sim_fail("too much waits for a grace period");
	deferred[deferred_n].p = p;
	deferred[deferred_n].domain = sim_domain_now();
	deferred[deferred_n++].cookie = start_poll_synchronize_rcu();
	deferred_run();
}

void rcu_barrier(void)
{
	synchronize_rcu();
	deferred_run();
}

/* ---- sleepable ---- */

int init_srcu_struct(struct srcu_struct *s)
{
	*s = (struct srcu_struct){};
	return sim_fault(SIM_ALLOC) ? -ENOMEM : 0;
}

void cleanup_srcu_struct(struct srcu_struct *s)
{
	if (s->readers[0] || s->readers[1])
		sim_fail("SRCU goes while somebody is inside");
}

int srcu_read_lock(struct srcu_struct *s)
{
	sim_point();
	s->readers[s->now]++;
	return s->now;
}

void srcu_read_unlock(struct srcu_struct *s, int idx)
{
	sim_fence();
	if (!--s->readers[idx])
		sim_wake(s);
	sim_point();
}

/* Both halves in turn, so that who comes meanwhile is waited for by nobody. */
void synchronize_srcu(struct srcu_struct *s)
{
	int i, old;

	sim_might_sleep("a grace period");
	sim_fence();
	for (i = 0; i < 2; i++) {
		old = s->now;
		s->now = !old;
		while (s->readers[old])
			sim_block(s, SIM_FOREVER);
	}
}
