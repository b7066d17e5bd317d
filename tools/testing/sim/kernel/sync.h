/* SPDX-License-Identifier: GPL-2.0 */
/* Locks, waiting, RCU, time and work: see ../sync.c, ../rcu.c and ../work.c. */
#ifndef _SIM_KERNEL_SYNC_H
#define _SIM_KERNEL_SYNC_H

#include "base.h"

/* ---- time ---- */

#define HZ		250
extern unsigned long sim_jiffies;
#define jiffies		READ_ONCE(sim_jiffies)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_before(a, b)	((long)((a) - (b)) < 0)

struct task_struct;
struct task_struct *sim_current(void);
#define current		sim_current()

/* ---- locks: the key tells one kind of lock from another, for the order of them ---- */

struct sim_lock {
	const char *name;
	const void *key;
	struct task_struct *owner;
};

struct mutex {
	struct sim_lock lock;
};

typedef struct {
	struct sim_lock lock;
} spinlock_t;

#define SIM_LOCK_INIT(m)	{ .lock = { .name = #m, .key = &(m) } }
#define DEFINE_MUTEX(m)		struct mutex m = SIM_LOCK_INIT(m)
#define DEFINE_SPINLOCK(m)	spinlock_t m = SIM_LOCK_INIT(m)
#define mutex_init(m) do {							\
	static const char sim_key;						\
	(m)->lock = (struct sim_lock){ .name = #m, .key = &sim_key };		\
} while (0)
#define spin_lock_init(m)	mutex_init(m)

void sim_mutex_lock(struct sim_lock *lock);
void sim_mutex_unlock(struct sim_lock *lock);
void sim_spin_lock(struct sim_lock *lock, bool irq, unsigned long *flags);
void sim_spin_unlock(struct sim_lock *lock, bool irq, unsigned long flags);
bool sim_lock_held(const struct sim_lock *lock);
void sim_assert_held(const struct sim_lock *lock, const char *file, int line);

#define mutex_lock(m)			sim_mutex_lock(&(m)->lock)
#define mutex_unlock(m)			sim_mutex_unlock(&(m)->lock)
#define mutex_destroy(m)		((void)(m))
#define spin_lock(m)			sim_spin_lock(&(m)->lock, false, NULL)
#define spin_unlock(m)			sim_spin_unlock(&(m)->lock, false, 0)
#define spin_lock_irq(m)		sim_spin_lock(&(m)->lock, true, NULL)
#define spin_unlock_irq(m)		sim_spin_unlock(&(m)->lock, true, 0)
#define spin_lock_irqsave(m, f)		sim_spin_lock(&(m)->lock, true, &(f))
#define spin_unlock_irqrestore(m, f)	sim_spin_unlock(&(m)->lock, true, f)
#define lockdep_assert_held(m)		sim_assert_held(&(m)->lock, __FILE__, __LINE__)
#define lockdep_is_held(m)		sim_lock_held(&(m)->lock)

void sim_might_sleep(const char *what);

/* ---- waiting ---- */

typedef struct {
	int dummy;
} wait_queue_head_t;

#define SIM_FOREVER	LONG_MAX
#define init_waitqueue_head(q)	((q)->dummy = 0)

void sim_wait_begin(wait_queue_head_t *q);
bool sim_wait_sleep(unsigned long until, bool signals);
void sim_wait_end(void);
void wake_up_all(wait_queue_head_t *q);
bool wq_has_sleeper(wait_queue_head_t *q);

#define sim_wait_event(q, cond, timeout, signals) ({				\
	long sim_left = (timeout);						\
	unsigned long sim_end = sim_jiffies + sim_left;				\
	sim_might_sleep("wait_event");						\
	for (;;) {								\
		bool sim_done;							\
		sim_wait_begin(&(q));						\
		sim_done = (cond);						\
		if (sim_left != SIM_FOREVER) {					\
			sim_left = sim_end - sim_jiffies;			\
			if (sim_left < 1)					\
				sim_left = sim_done ? 1 : 0;			\
		}								\
		if (sim_done || !sim_left)					\
			break;							\
		if (!sim_wait_sleep(sim_left == SIM_FOREVER ? SIM_FOREVER : sim_end, signals)) { \
			sim_left = -ERESTARTSYS;				\
			break;							\
		}								\
	}									\
	sim_wait_end();								\
	sim_left; })
#define wait_event(q, cond)		((void)sim_wait_event(q, cond, SIM_FOREVER, false))
#define wait_event_timeout(q, cond, t)	sim_wait_event(q, cond, (long)(t), false)
#define wait_event_freezable(q, cond)	({					\
	long sim_r = sim_wait_event(q, cond, SIM_FOREVER, true);		\
	sim_r < 0 ? (int)sim_r : 0; })
#define wait_event_freezable_timeout(q, cond, t) sim_wait_event(q, cond, (long)(t), true)

struct completion {
	unsigned int done;
	wait_queue_head_t wait;
};

#define TASK_INTERRUPTIBLE	1
#define TASK_FREEZABLE		2

void init_completion(struct completion *c);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout);
int wait_for_completion_state(struct completion *c, unsigned int state);
static inline void reinit_completion(struct completion *c)
{
	c->done = 0;
}

/* ---- RCU ---- */

struct rcu_head {
	struct rcu_head *next;
};

struct srcu_struct {
	int readers[2];
	int now;
};

void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);
void rcu_barrier(void);
unsigned long start_poll_synchronize_rcu(void);
bool poll_state_synchronize_rcu(unsigned long cookie);
void cond_synchronize_rcu_expedited(unsigned long cookie);
int init_srcu_struct(struct srcu_struct *s);
void cleanup_srcu_struct(struct srcu_struct *s);
int srcu_read_lock(struct srcu_struct *s);
void srcu_read_unlock(struct srcu_struct *s, int idx);
void synchronize_srcu(struct srcu_struct *s);

#define synchronize_rcu_expedited()	synchronize_rcu()
#define rcu_dereference(p)		READ_ONCE(p)
#define rcu_access_pointer(p)		READ_ONCE(p)
#define rcu_dereference_protected(p, c)	((void)sizeof(c), (p))
#define rcu_assign_pointer(p, v)	WRITE_ONCE(p, v)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, v)

/* ---- timers and work ---- */

struct timer_list {
	unsigned long expires;
	void (*function)(struct timer_list *timer);
	bool pending;
	bool deferred_work;
	u32 domain;
	struct list_head node;
};

void timer_setup(struct timer_list *t, void (*fn)(struct timer_list *timer), unsigned int flags);
int mod_timer(struct timer_list *t, unsigned long expires);
int timer_delete_sync(struct timer_list *t);
static inline bool timer_pending(const struct timer_list *t)
{
	return READ_ONCE(t->pending);
}

struct work_struct {
	void (*func)(struct work_struct *work);
	const void *key;
	bool pending;
	struct workqueue_struct *wq;
	struct list_head node;
};

struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
};

struct workqueue_struct;

#define WQ_UNBOUND		1
#define WQ_FREEZABLE		2
#define WQ_HIGHPRI		4
#define WQ_UNBOUND_MAX_ACTIVE	512

void sim_delayed_work_timer(struct timer_list *t);
#define INIT_WORK(w, f) do {							\
	static const char sim_key;						\
	*(w) = (struct work_struct){ .func = (f), .key = &sim_key };		\
} while (0)
#define INIT_DELAYED_WORK(w, f) do {						\
	INIT_WORK(&(w)->work, f);						\
	timer_setup(&(w)->timer, sim_delayed_work_timer, 0);			\
	(w)->timer.deferred_work = true;					\
} while (0)
#define DECLARE_DELAYED_WORK(n, f) struct delayed_work n = {			\
	.work = { .func = (f), .key = &(n) },					\
	.timer = { .function = sim_delayed_work_timer, .deferred_work = true } }

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max, ...);
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
#define queue_work_on(cpu, wq, work)	((void)(cpu), queue_work(wq, work))
bool schedule_work(struct work_struct *work);
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay);
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay);
bool cancel_delayed_work(struct delayed_work *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)

#define num_online_cpus()		2u
#define nr_cpu_ids			2u
#define cpu_possible(cpu)		((cpu) < nr_cpu_ids)

/* ---- words in the log ---- */

struct ratelimit_state {
	int interval;
	int burst;
	int left;
	unsigned long begin;
};

#define RATELIMIT_MSG_ON_RELEASE	1
#define ratelimit_set_flags(r, f)	((void)(r))
void ratelimit_state_init(struct ratelimit_state *r, int interval, int burst);
int __ratelimit(struct ratelimit_state *r);

__printf(1, 2) void sim_trace(const char *fmt, ...);
#define pr_err(...)			sim_trace(__VA_ARGS__)
#define pr_err_ratelimited(...)		sim_trace(__VA_ARGS__)

#endif /* _SIM_KERNEL_SYNC_H */
