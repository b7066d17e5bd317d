// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that take turns: a switch may happen at each point where others could have run on
 * another processor. Time is virtual, and goes on when nobody can run; or, in some runs,
 * also when somebody could, as on a machine that is slow.
 */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim.h"

#define TASKS		192
#define STACK		(128u << 10)
#define STEPS_MOST	1000000u
#define PREEMPTED_ONE_IN 50	/* switches */
#define PREEMPTED_FOR	4000u	/* the same */
#define STEPS_A_TICK	1024u

struct sim_seed sim_seed;
struct sim_domain sim_domains[SIM_DOMAINS];
unsigned long sim_jiffies;
int sim_until_switch;
u64 sim_steps;

static struct task_struct tasks[TASKS];
static void *controller;			/* its stack pointer, while a task runs */
static const void *controller_stack;
static size_t controller_size;
static struct task_struct *running;	/* NULL: the controller */
static u32 tasks_n;			/* the highest in use, and one */
static u64 rnd_state[2];
static u64 last_id;
bool sim_alone;				/* nobody is switched to */

/* ---- the generator: xorshift128+ ---- */

static u64 splitmix(u64 *x)
{
	u64 z = (*x += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void sim_rnd_start(u64 seed)
{
	rnd_state[0] = splitmix(&seed);
	rnd_state[1] = splitmix(&seed) | 1;
}

u64 sim_rnd64(void)
{
	u64 a = rnd_state[0], b = rnd_state[1];

	rnd_state[0] = b;
	a ^= a << 23;
	rnd_state[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return rnd_state[1] + b;
}

u32 sim_rnd(u32 n)
{
	return (sim_rnd64() >> 32) * n >> 32;
}

u64 get_random_u64(void)
{
	return sim_rnd64();
}

/* ---- tasks ---- */

struct task_struct *sim_current(void)
{
	return running;
}

u32 sim_domain_now(void)
{
	return running ? running->domain : SIM_TOOLS;
}

struct task_struct *sim_task_next(struct task_struct *after)
{
	u32 i = after ? after - tasks + 1 : 0;

	for (; i < tasks_n; i++)
		if (tasks[i].state != SIM_FREE)
			return &tasks[i];
	return NULL;
}

void sim_sched_reset(void)
{
	u32 i;

	for (i = 0; i < tasks_n; i++) {
		char *stack = tasks[i].stack;

		memset(&tasks[i], 0, sizeof(tasks[i]));
		tasks[i].stack = stack;
	}
	tasks_n = 0;
	running = NULL;
	sim_jiffies = 1000;
	sim_steps = 0;
	sim_until_switch = 0;
}

/* ---- from one stack to another ---- */

#ifndef __x86_64__
#error "the simulator switches stacks on x86-64 only"
#endif

/* swapcontext() asks the kernel for the mask of signals, each time: half of a run. */
void sim_swap_stacks(void **save, void *load);
__asm__(".text\n"
	".globl sim_swap_stacks\n"
	".type sim_swap_stacks, @function\n"
	"sim_swap_stacks:\n"
	"	pushq %rbp\n	pushq %rbx\n	pushq %r12\n"
	"	pushq %r13\n	pushq %r14\n	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n"
	"	popq %r12\n	popq %rbx\n	popq %rbp\n"
	"	ret\n"
	".size sim_swap_stacks, . - sim_swap_stacks\n");

static void swap_to(struct task_struct *from, struct task_struct *to)
{
	void *fake;

	__sanitizer_start_switch_fiber(&fake, to ? to->stack : controller_stack,
				       to ? STACK : controller_size);
	sim_swap_stacks(from ? &from->context : &controller, to ? to->context : controller);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void task_main(void)
{
	struct task_struct *t = running;
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(NULL, &bottom, &size);
	/* The first task that ever runs comes from the controller. */
	if (!controller_stack) {
		controller_stack = bottom;
		controller_size = size;
	}
	t->fn(t->arg);
	sim_fence();
	if (t->held_n || t->atomic || t->rcu)
		sim_fail("%s ends with a lock held", t->name);
	t->state = SIM_FREE;
	for (;;)
		sim_switch();
}

/* As sim_swap_stacks() leaves it, with task_main() to return to. */
static void stack_begin(struct task_struct *t)
{
	void **top = (void **)(t->stack + STACK);

	/* What it held may have been killed in the middle of anything. */
	ASAN_UNPOISON_MEMORY_REGION(t->stack, STACK);
	*--top = NULL;
	*--top = task_main;
	top -= 6;
	memset(top, 0, 6 * sizeof(*top));
	t->context = top;
}

static char *stack_new(void)
{
	char *at = mmap(NULL, STACK + 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED || mprotect(at, 4096, PROT_NONE))
		sim_fail("no memory for a stack");
	return at + 4096;
}

struct task_struct *sim_spawn(u32 domain, const char *name, void (*fn)(void *arg), void *arg)
{
	struct task_struct *t;
	char *stack;
	u32 i;

	for (i = 0; i < TASKS && tasks[i].state != SIM_FREE; i++)
		;
	/* One that has just ended may still be on its stack. */
	if (i < TASKS && &tasks[i] == running)
		for (i++; i < TASKS && tasks[i].state != SIM_FREE; i++)
			;
	if (i == TASKS)
		sim_fail("too many tasks");
	t = &tasks[i];
	stack = t->stack ? t->stack : stack_new();
	*t = (struct task_struct){
		.stack = stack, .state = SIM_READY, .domain = domain, .name = name, .fn = fn,
		.arg = arg, .id = ++last_id,
	};
	if (sim_one_in(sim_seed.delay_one_in))
		t->delay = sim_rnd(sim_one_in(4) ? 400 : 30);
	if (i >= tasks_n)
		tasks_n = i + 1;
	stack_begin(t);
	return t;
}

/* The domain dies: what its processors had written is in memory. */
void sim_kill_tasks(u32 domain)
{
	u32 i;

	for (i = 0; i < tasks_n; i++) {
		if (tasks[i].state == SIM_FREE || tasks[i].domain != domain)
			continue;
		if (&tasks[i] == running)
			sim_fail("a task kills itself");
		tasks[i].state = SIM_FREE;
		tasks[i].stores = 0;
	}
}

/* ---- who is next ---- */

static bool can_run(struct task_struct *t)
{
	if (t->state != SIM_READY || sim_domains[t->domain].paused)
		return false;
	if (!t->delay)
		return true;
	t->delay--;
	return false;
}

/* Those whose time is over. */
static void expire(void)
{
	u32 i;

	sim_alone = true;
	for (i = 0; i < tasks_n; i++)
		if (tasks[i].state == SIM_WAITING && tasks[i].until <= sim_jiffies)
			tasks[i].state = SIM_READY;
	sim_timers_run();
	sim_alone = false;
}

static struct task_struct *pick(void)
{
	u32 candidates[TASKS], n = 0, late = TASKS, i;

	if (++sim_steps > STEPS_MOST)
		sim_fail("no end after %u switches", STEPS_MOST);
	if (!(sim_steps % STEPS_A_TICK)) {
		sim_jiffies++;
		expire();
	}
	if (sim_one_in(sim_seed.early_one_in)) {
		sim_jiffies += 1 + sim_rnd(sim_one_in(8) ? HZ : HZ / 50);
		expire();
	}
	for (i = 0; i < tasks_n; i++) {
		if (can_run(&tasks[i]))
			candidates[n++] = i;
		else if (tasks[i].state == SIM_READY && !sim_domains[tasks[i].domain].paused)
			late = i;
	}
	if (n)
		return &tasks[candidates[n > 1 ? sim_rnd(n) : 0]];
	/* Only those that are delayed: then they are not. */
	if (late == TASKS)
		return NULL;
	tasks[late].delay = 0;
	return &tasks[late];
}

/* In this domain, an interrupt's handler is at work. */
bool sim_handlers(void)
{
	u32 i;

	for (i = 0; i < tasks_n; i++)
		if (tasks[i].state != SIM_FREE && tasks[i].in_irq &&
		    tasks[i].domain == running->domain)
			return true;
	return false;
}

/* The same, one that holds RCU. */
bool sim_readers(void)
{
	u32 i;

	for (i = 0; i < tasks_n; i++)
		if (tasks[i].state != SIM_FREE && tasks[i].rcu &&
		    tasks[i].domain == running->domain)
			return true;
	return false;
}

static void switch_to(struct task_struct *next)
{
	struct task_struct *self = running;

	/* What it did must leave all in order. */
	if (self && sim_domains[self->domain].loaded[SIM_CORE])
		sim_domains[self->domain].image->inside.look();
	sim_until_switch = sim_rnd(2 * sim_seed.switch_every + 1);
	if (next == self)
		return;
	running = next;
	swap_to(self, next);
}

void sim_switch(void)
{
	/* The controller is nobody's processor. */
	if (!running || sim_alone) {
		sim_until_switch = running ? 0 : 1 << 20;
		return;
	}
	if (running->stores && sim_one_in(3))
		sim_fence();
	/* Who is preempted may be so until all others have got far. */
	if (sim_seed.preempts && sim_one_in(PREEMPTED_ONE_IN))
		running->delay = sim_rnd(PREEMPTED_FOR);
	switch_to(pick());
}

/* Who runs is preempted here, maybe for long. */
void sim_linger(void)
{
	if (running)
		running->delay = sim_rnd(PREEMPTED_FOR);
	sim_switch();
}

/* What it has written is seen by all. */
static void drain(struct task_struct *t)
{
	u32 i;

	for (i = 0; i < t->stores; i++)
		memcpy(t->store[i].at, &t->store[i].value, t->store[i].size);
	t->stores = 0;
}

/* Until sim_wake(@what), or that time. */
void sim_block(const void *what, unsigned long until)
{
	/* No switch before it waits: the caller has just looked. */
	drain(running);
	running->waits = what;
	running->until = until;
	running->state = SIM_WAITING;
	while (running->state == SIM_WAITING)
		switch_to(pick());
	running->waits = NULL;
}

void sim_wake(const void *what)
{
	u32 i;

	for (i = 0; i < tasks_n; i++) {
		if (tasks[i].state == SIM_FREE)
			continue;
		if (tasks[i].queue == what)
			tasks[i].woken = true;
		if (tasks[i].waits != what || tasks[i].state != SIM_WAITING)
			continue;
		tasks[i].state = SIM_READY;
		if (sim_one_in(sim_seed.delay_one_in))
			tasks[i].delay = sim_rnd(30);
	}
}

/* As Linux does: what is queued by now runs, what comes later waits. */
void sim_freeze(u32 domain)
{
	sim_domains[domain].frozen = last_id + 1;
}

/* Here who runs may be frozen. */
void sim_freeze_point(void)
{
	struct sim_domain *d = &sim_domains[sim_domain_now()];

	while (d->frozen)
		sim_block(&d->frozen, SIM_FOREVER);
}

/* All sleep, in no work and with no lock, until somebody wakes them who does so as well. */
bool sim_all_frozen(u32 domain)
{
	struct task_struct *t = NULL;

	while ((t = sim_task_next(t)))
		if (t->domain == domain && (t->state != SIM_WAITING || t->until != SIM_FOREVER ||
					    t->work || t->held_n || t->rcu || t->in_irq))
			return false;
	return true;
}

void sim_sleep(unsigned long ticks)
{
	unsigned long until = sim_jiffies + ticks;
	int nobody;

	while (time_before(sim_jiffies, until))
		sim_block(&nobody, until);
}

/* ---- time ---- */

static bool time_goes_on(unsigned long limit)
{
	unsigned long next = sim_timer_next();
	u32 i;

	for (i = 0; i < tasks_n; i++)
		if (tasks[i].state == SIM_WAITING && tasks[i].until != SIM_FOREVER &&
		    !sim_domains[tasks[i].domain].paused && tasks[i].until < next)
			next = tasks[i].until;
	if (next > limit)
		return false;
	if (next > sim_jiffies)
		sim_jiffies = next;
	expire();
	return true;
}

/* Until nobody has anything to do before that time. */
enum sim_end sim_run(unsigned long until)
{
	do {
		struct task_struct *next = pick();

		if (next)
			switch_to(next);
		else if (!time_goes_on(until))
			return SIM_QUIET;
	} while (time_before(sim_jiffies, until));
	return SIM_LONG;
}

/* ---- memory that others see ---- */

void sim_fence(void)
{
	sim_point();
	if (running && running->stores)
		drain(running);
}

/* x86's order: a store may be seen by others after the loads that follow it. */
void sim_store(void *p, u64 value, size_t size)
{
	struct task_struct *t = running;

	if (t && sim_seed.weak && sim_is_shared(p)) {
		if (t->stores == SIM_STORES)
			drain(t);
		t->store[t->stores++] = (struct sim_store){ p, value, size };
	} else {
		memcpy(p, &value, size);
	}
	sim_point();
}

static u64 load(const void *p, size_t size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const u8 *)p, __ATOMIC_RELAXED);
	case 2:
		return __atomic_load_n((const u16 *)p, __ATOMIC_RELAXED);
	case 4:
		return __atomic_load_n((const u32 *)p, __ATOMIC_RELAXED);
	default:
		return __atomic_load_n((const u64 *)p, __ATOMIC_RELAXED);
	}
}

u64 sim_load(const void *p, size_t size)
{
	u32 i;

	sim_point();
	for (i = running ? running->stores : 0; i--;)
		if (running->store[i].at == p && running->store[i].size == size)
			return running->store[i].value;
	return load(p, size);
}

void sim_copy_in(void *to, const void *from, size_t len)
{
	sim_point();
	memcpy(to, from, len);
}
