/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator's own parts, as they see each other. One thread of the host runs it all:
 * what Linux would do at the same time are tasks that take turns, where a seeded generator
 * says so.
 */
#ifndef _SIM_H
#define _SIM_H

#include <stdio.h>

#include "kernel/kernel.h"

/* Whose a thing is. A domain that dies and is made anew keeps the place, not the domid. */
enum {
	SIM_FRONT,
	SIM_BACK,
	SIM_TOOLS,	/* the toolstack: has no modules */
	SIM_DOMAINS
};

/**
 * struct sim_module - one that can be loaded
 * @name: as in traces
 * @init: module_init()
 * @exit: module_exit()
 * @data: its variables, from and to: those that begin with a value, and those with 0
 * @saved: of both, how they are when it is loaded
 */
struct sim_module {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
	char *data[2][2];
	char *saved[2];
};

/* In the order of loading. */
enum {
	SIM_CORE,
	SIM_WIRE,	/* xen_duct_front or xen_duct_back */
	SIM_CLIENT,
	SIM_MODULES
};

enum {
	SIM_START_INDEX,
	SIM_MAX_DOORS,
	SIM_MAP_PAGES,
	SIM_STAGE_KIB,
	SIM_RESUME_TIMEOUT,
	SIM_QUARANTINED,
	SIM_LEAKED,
	SIM_PARAMS
};

struct sim_param {
	unsigned int *(*at)(void);
};

/* Of the handshake: xenbus's own, and one more. See drivers/xen/duct/state.h. */
#define SIM_STATES	8
#define SIM_RENEWED	7

/**
 * struct sim_inside - what the simulator does in the core's own variables, see inside.c
 * @look: what must be true between two switches
 * @spoil: the peer breaks the protocol. Return: false if there is no link to do that on
 */
struct sim_inside {
	void (*look)(void);
	bool (*spoil)(void);
};

/**
 * struct sim_image - what was linked for one domain: the same sources, variables of its own
 * @module: in the order of loading
 * @inside: for the core
 * @state_name: of a state of the handshake
 * @param: module parameters, see glue.c
 */
struct sim_image {
	struct sim_module module[SIM_MODULES];
	struct sim_inside inside;
	const char *(*state_name)(unsigned int state);
	struct sim_param param[SIM_PARAMS];
};

extern struct sim_image sim_front_image;
extern struct sim_image sim_back_image;

/**
 * struct sim_domain - one of the two, or the toolstack
 * @image: its code and variables
 * @domid: what others call it
 * @alive: between creation and death
 * @paused: none of its tasks runs
 * @frozen: 0, or it is being saved: who sleeps where he may be frozen stays, and works of tasks
 *          from this one on do not begin
 * @loaded: which modules are
 * @allocs: what it has allocated: struct sim_chunk
 * @allocs_n: how many
 * @pages: that it has allocated
 * @leaked: of these, those which the modules said they could not unmap
 */
struct sim_domain {
	struct sim_image *image;
	domid_t domid;
	bool alive;
	bool paused;
	u64 frozen;
	bool loaded[SIM_MODULES];
	struct list_head allocs;
	u32 allocs_n;
	u32 pages;
	u32 leaked;
};

extern struct sim_domain sim_domains[SIM_DOMAINS];
int sim_domain_of(domid_t domid);

/* ---- sched.c ---- */

enum sim_task_state {
	SIM_FREE,
	SIM_READY,
	SIM_WAITING,
};

#define SIM_HELD	12
#define SIM_STORES	4

struct sim_store {
	void *at;
	u64 value;
	size_t size;
};

struct task_struct {
	void *context;
	char *stack;
	enum sim_task_state state;
	u32 domain;
	const char *name;
	void (*fn)(void *arg);
	void *arg;
	u32 delay;		/* not picked for so many times */
	u64 id;
	const void *waits;	/* for what */
	unsigned long until;
	const void *queue;	/* of wait_event(), while its condition is looked at, too */
	bool woken;		/* since then */
	bool signals;
	bool signalled;
	bool in_irq;
	bool spared;		/* nothing fails for it now */
	unsigned int atomic;	/* spinlocks held */
	bool irqs_off;
	unsigned int rcu;
	u64 rcu_since;
	struct sim_lock *held[SIM_HELD];
	int keys[SIM_HELD];
	u32 held_n;
	struct work_struct *work;
	bool welcome;		/* somebody waited for what it tells */
	u32 taken;		/* messages, by this run of its work */
	bool wanted;		/* another task wants its processor */
	struct sim_store store[SIM_STORES];
	u32 stores;
};

enum sim_end {
	SIM_QUIET,	/* nobody has anything to do, or all sleep beyond the limit */
	SIM_LONG,	/* too many steps */
};

/**
 * struct sim_seed - how this run is scheduled; from its number
 * @switch_every: points between two switches, about
 * @delay_one_in: of new tasks, those that come late
 * @early_one_in: of picks, those at which time goes on though somebody could run; 0: none
 * @weak: stores may be seen late
 * @preempts: a task that runs may be delayed for long
 * @lingers: often so where it has just left RCU
 * @busy: the thread of all watches has those of others to tell of in between
 * @narrow: the control ring has half of its bytes, and is full more often
 */
struct sim_seed {
	u64 number;
	u32 switch_every;
	u32 delay_one_in;
	u32 early_one_in;
	bool weak;
	bool preempts;
	bool lingers;
	bool busy;
	bool narrow;
};

extern struct sim_seed sim_seed;
extern u64 sim_steps;
extern bool sim_alone;
extern bool sim_tracing;

void sim_rnd_start(u64 seed);
u64 sim_rnd64(void);
u32 sim_rnd(u32 n);
static inline bool sim_one_in(u32 n)
{
	return n && !sim_rnd(n);
}

void sim_sched_reset(void);
struct task_struct *sim_spawn(u32 domain, const char *name, void (*fn)(void *arg), void *arg);
enum sim_end sim_run(unsigned long until);
void sim_block(const void *what, unsigned long until);
void sim_wake(const void *what);
void sim_kill_tasks(u32 domain);
void sim_sleep(unsigned long ticks);
struct task_struct *sim_task_next(struct task_struct *after);
u32 sim_domain_now(void);
void sim_freeze(u32 domain);
void sim_freeze_point(void);
bool sim_all_frozen(u32 domain);
bool sim_handlers(void);
bool sim_readers(void);
__printf(1, 2) void __noreturn sim_fail(const char *fmt, ...);
__printf(1, 2) void sim_trace(const char *fmt, ...);
void sim_print_trace(FILE *to);

/* ---- fault.c ---- */

/* What a seed can make fail: any operation of a kind. The last kind is for sweeps alone. */
enum sim_fault_kind {
	SIM_FAULT_ALLOC,
	SIM_FAULT_GRANT,
	SIM_FAULT_EVENT,
	SIM_FAULT_STORE,
	SIM_FAULT_SWEEP,
	SIM_FAULT_KINDS
};

/* Each operation that can fail. */
enum sim_fault {
	SIM_ALLOC,
	SIM_GRANT,		/* a reference for a page */
	SIM_MAP,		/* one page of a hypercall, as the next two */
	SIM_MAP_CALL,		/* all of a hypercall */
	SIM_UNMAP,
	SIM_UNMAP_CALL,
	SIM_COPY,
	SIM_COPY_CALL,
	SIM_REVOKE,		/* of a reference that nobody has mapped */
	SIM_PORT,
	SIM_BIND,		/* of a handler; the port stays open */
	SIM_BIND_CLOSED,	/* and it does not */
	SIM_CONNECT,
	SIM_STORE,
	SIM_FAULTS
};

#define SIM_ARMED	4

/**
 * struct sim_armed - what fails
 * @kind: any operation of this kind, if @status is 0
 * @fault: which one
 * @nth: when it is done for the nth time
 * @on: and each time after that
 * @status: what it fails with; 0: any
 */
struct sim_armed {
	enum sim_fault_kind kind;
	enum sim_fault fault;
	u32 nth;
	bool on;
	int status;
};

extern struct sim_armed sim_armed[SIM_ARMED];
extern u32 sim_armed_n;
extern u32 sim_fault_seen[SIM_FAULTS];	/* how often it was done */
extern u32 sim_fault_hits;		/* how many failed */

const char *sim_fault_name(enum sim_fault fault);
u32 sim_fault_statuses(enum sim_fault fault);
int sim_fault_status(enum sim_fault fault, u32 i);
int sim_fault(enum sim_fault fault);
void sim_faults_begin(void);
void sim_faults_end(void);
void sim_faults_print(FILE *to);

/* ---- sync.c, rcu.c, work.c ---- */

int sim_order_key(const void *key, const char *name);
void sim_order_acquire(int key);
void sim_order_push(struct sim_lock *lock, int key);
void sim_order_pop(struct sim_lock *lock);
void sim_work_reset(void);
unsigned long sim_timer_next(void);
void sim_timers_run(void);
void sim_timers_kill(u32 domain);
u32 sim_timers_left(u32 domain);
u32 sim_works_left(u32 domain);
bool sim_work_busy(const struct work_struct *work);
void sim_taken(bool alone);
void sim_rcu_reset(void);
void sim_rcu_kill(u32 domain);

/* ---- memory.c ---- */

void sim_memory_reset(void);
void sim_memory_kill(u32 domain);
void sim_memory_ledger(u32 domain);
void sim_memory_lost(u32 domain, u32 most);
bool sim_is_shared(const void *p);
void sim_page_changed(struct page *page, bool writable);
void sim_page_orphan(u32 frame);
u32 sim_frame_copy(u32 frame);
void sim_page_shown(const struct page *page);
void *sim_frame_address(u32 frame);

/* ---- grant.c, evtchn.c, store.c, nodes.c, xenbus.c ---- */

void sim_grants_reset(void);
void sim_grants_kill(u32 domain);
void sim_grants_ledger(u32 domain);
u32 sim_grants_lost(u32 domain);
u32 sim_grants_unmapped_sync(void);
void sim_grants_remember(u32 domain);
void sim_grants_restore(u32 domain);
bool sim_frame_granted(u32 frame);
bool sim_frame_mapped(u32 frame);
void sim_events_reset(void);
void sim_events_kill(u32 domain);
void sim_events_ledger(u32 domain);
bool sim_events_with(domid_t peer);
void sim_events_restore(u32 domain);
void sim_store_reset(void);
void sim_store_kill(u32 domain);
void sim_store_ledger(u32 domain);
/* Of a link that was detached nothing is there. */
void sim_nodes_ledger(void);
void sim_watch_fire(const char *path, bool removed);
u32 sim_tx_start(void);
int sim_tx_end(u32 tx, bool abort);
const char *sim_node_read(u32 tx, const char *path);
int sim_node_write(u32 tx, const char *path, const char *value);
int sim_node_rm(u32 tx, const char *path);
int sim_node_list(u32 tx, const char *path, char names[][64], int most);
#define SIM_PATH	112
void sim_absolute(char *to, const char *dir, const char *node);
void sim_request(void);
void sim_xenbus_start(u32 domain);
void sim_xenbus_kill(u32 domain);
void sim_xenbus_reset(void);
void sim_xenbus_resume(void);
void sim_xenbus_ledger(u32 domain);

/* ---- device.c ---- */

void sim_devices_read(u32 domain);
void sim_devices_kill(u32 domain);
void sim_devices_restore(u32 domain);

/* ---- world.c ---- */

void sim_world_reset(void);
void sim_boot(u32 domain);
void sim_destroy(u32 domain);
bool sim_insmod(u32 domain, u32 module);
void sim_rmmod(u32 domain, u32 module);
void sim_visit(u32 side, u32 ours, u32 peer, u32 next);
void sim_attach(bool again);
void sim_restore(bool first);
bool sim_detach(bool force);

/* ---- plan.c ---- */

#define SIM_OPS_DRAWN	8
#define SIM_OPS		11

/* What happens to a link meanwhile. */
enum sim_op_kind {
	SIM_OP_WIRE,		/* the wire's module is loaded anew */
	SIM_OP_CLIENT,
	SIM_OP_CORE,		/* all modules */
	SIM_OP_DETACH,
	SIM_OP_FORCE,		/* detach --force */
	SIM_OP_DEATH,
	SIM_OP_PAUSE,
	SIM_OP_STATS,		/* sysfs is read */
	SIM_OP_STATE,		/* the state's node is overwritten */
	SIM_OP_SIGNAL,		/* who sleeps in a system call gets one */
	SIM_OP_DRAWN,		/* the others are by number */
	SIM_OP_SPOIL = SIM_OP_DRAWN, /* the backend breaks the protocol, and is another at once */
	SIM_OP_RESTORE,		/* the frontend's domain is saved, and restored */
	SIM_OP_KINDS
};

struct sim_op {
	enum sim_op_kind kind;
	u32 side;
	u32 value;
	u32 wait;		/* jiffies before it */
	u32 steps;		/* and switches */
};

extern struct sim_op sim_ops[SIM_OPS];
extern u32 sim_ops_n;

/* Bits of what is left out of a plan: operations, faults, channels. */
#define SIM_DROP_OP(i)		(1u << (i))
#define SIM_DROP_FAULT(i)	(1u << (SIM_OPS + (i)))
#define SIM_DROP_CHANNEL(i)	(1u << (SIM_OPS + SIM_ARMED + (i)))
#define SIM_DROPS		(SIM_OPS + SIM_ARMED + 4)

void sim_plan_make(u64 seed, u32 dropped);
void sim_plan_print(FILE *to, u32 dropped);
void sim_plan_run(void);

/* ---- sweep.c ---- */

#define SIM_PLANS	2

void sim_sweep_share(u32 (*counts)[SIM_FAULTS]);
void sim_sweep_count(u32 plan);
u64 sim_sweep_runs(void);
void sim_sweep_make(u64 number);
void sim_sweep_met(void);
void sim_sweep_print(FILE *to);

#endif /* _SIM_H */
