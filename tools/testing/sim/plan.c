// SPDX-License-Identifier: GPL-2.0
/* What a seed does: made of its number at once, so that parts of it can be left out. */
#include <stdlib.h>

#include "flow.h"
#include "sim.h"

struct sim_op sim_ops[SIM_OPS];
u32 sim_ops_n;

static const char * const op_names[SIM_OP_KINDS] = {
	[SIM_OP_WIRE] = "reload of the wire",
	[SIM_OP_CLIENT] = "reload of the client",
	[SIM_OP_CORE] = "reload of all modules",
	[SIM_OP_DETACH] = "detach, attach",
	[SIM_OP_FORCE] = "detach --force, attach",
	[SIM_OP_DEATH] = "death",
	[SIM_OP_PAUSE] = "pause",
	[SIM_OP_STATS] = "statistics are read",
	[SIM_OP_STATE] = "state overwritten",
	[SIM_OP_SIGNAL] = "signal",
	[SIM_OP_RESTORE] = "save, restore",
	[SIM_OP_SPOIL] = "an index that cannot be, and the peer renewed",
};

/* ---- making ---- */

static void make_channel(struct sim_channel *c)
{
	static const u32 rings[] = { 1024, 1024, 2048, 4096, 16384 };
	u32 most;

	memset(c, 0, sizeof(*c));
	c->kind = sim_rnd(SIM_KINDS + 2) % SIM_KINDS;
	c->resumable = c->kind < SIM_CALLING && sim_one_in(2);
	c->pull = c->kind < SIM_EVENTS && sim_one_in(2);
	c->ring = rings[sim_rnd(ARRAY_SIZE(rings))];
	c->max_msg = 8 * (4 + sim_rnd(60));
	c->lend = sim_one_in(2);
	c->map = sim_one_in(2);
	most = c->kind == SIM_STREAM ? 300 : c->kind == SIM_CALLING ? 12 : 50;
	c->goal[SIM_FRONT] = sim_rnd(most);
	c->goal[SIM_BACK] = sim_rnd(most);
}

static void make_op(struct sim_op *op, bool gentle)
{
	static const u32 gentle_ops[] = { SIM_OP_WIRE, SIM_OP_WIRE, SIM_OP_STATS };

	op->kind = gentle ? gentle_ops[sim_rnd(3)] : sim_rnd(SIM_OP_DRAWN);
	op->side = sim_rnd(2);
	op->value = sim_rnd(8);
	op->wait = sim_one_in(2) ? 0 : sim_rnd(sim_one_in(4) ? 3 * HZ : HZ / 10);
	op->steps = sim_rnd(sim_one_in(3) ? 3000 : 300);
}

static void make_promises(void)
{
	bool deaths = sim_plan.first_state, clients = false, epochs = false, slow = sim_seed.early_one_in;
	bool restores = false;
	u32 i;

	sim_plan.heal = sim_armed_n || sim_plan.first_state;
	sim_plan.hostile = sim_plan.first_state;
	for (i = 0; i < sim_ops_n; i++) {
		enum sim_op_kind kind = sim_ops[i].kind;

		deaths |= kind == SIM_OP_DEATH || kind == SIM_OP_FORCE || kind == SIM_OP_STATE ||
			  kind == SIM_OP_SPOIL;
		slow |= kind == SIM_OP_PAUSE;
		restores |= kind == SIM_OP_RESTORE;
		clients |= kind == SIM_OP_CLIENT || kind == SIM_OP_CORE || kind == SIM_OP_DETACH;
		epochs |= kind != SIM_OP_STATS && kind != SIM_OP_SIGNAL;
		sim_plan.heal |= kind == SIM_OP_STATE || kind == SIM_OP_FORCE;
		sim_plan.hostile |= kind == SIM_OP_STATE || kind == SIM_OP_SPOIL;
	}
	sim_plan.resumes = !deaths && !slow && !sim_armed_n && !clients;
	sim_plan.orderly = !deaths && !slow && !sim_armed_n && !restores;
	sim_plan.calm = sim_plan.orderly && !epochs;
}

static void make_schedule(u64 seed)
{
	static const u32 every[] = { 2, 4, 8, 20, 60 };

	sim_seed.number = seed;
	sim_seed.switch_every = every[sim_rnd(ARRAY_SIZE(every))];
	sim_seed.delay_one_in = 2 + sim_rnd(12);
	sim_seed.early_one_in = sim_one_in(6) ? 40 + sim_rnd(400) : 0;
	sim_seed.weak = sim_one_in(2);
	/* By number: what the seeds do that found something stays. */
	sim_seed.preempts = seed % 4 == 0;
	sim_seed.lingers = seed % 8 == 0;
	sim_seed.busy = seed & 512 && (seed % 16 == 12 || seed % 16 == 13);
	sim_seed.narrow = seed % 8 == 7;
}

/* The @nth that is not drawn. */
static void add_op(u32 nth, enum sim_op_kind kind, u32 side, u32 wait, u32 steps, u32 dropped)
{
	if (!(dropped & SIM_DROP_OP(SIM_OPS_DRAWN + nth)))
		sim_ops[sim_ops_n++] = (struct sim_op){ .kind = kind, .side = side, .wait = wait,
							.steps = steps, .value = steps % 2 };
}

/*
 * As few pages as a link can have, and channels: more are asked for, and nobody needs them. No
 * client goes while its link does not: its channels would count as long as they drain.
 */
static void make_tight(void)
{
	u32 i;

	sim_plan.tight = true;
	sim_plan.stage_kib = 160;
	for (i = 0; i < sim_ops_n; i++)
		if (sim_ops[i].kind != SIM_OP_WIRE)
			sim_ops[i].kind = SIM_OP_STATS;
	for (i = 0; i < sim_plan.channels; i++) {
		struct sim_channel *c = &sim_plan.channel[i];

		c->ring = min(c->ring, 2048u);
		if (c->kind == SIM_REGIONS)
			c->kind = SIM_EVENTS;
	}
}

/*
 * Of a frontend that has nothing of its peer's mapped: such a domain cannot be saved. Every other
 * time nothing else happens, but for a reload: then what is resumable is resumed. Or for one just
 * before: then the ends may be reading each other's nodes.
 */
static void make_restores(u64 seed, u32 dropped)
{
	u32 i;

	for (i = 0; i < sim_plan.channels; i++) {
		struct sim_channel *c = &sim_plan.channel[i];

		c->map = false;
		if (c->kind == SIM_REGIONS)
			c->kind = SIM_MESSAGES;
	}
	if (seed & 16) {
		sim_ops_n = 0;
		sim_armed_n = 0;
	}
	if (seed & 256)
		add_op(2, SIM_OP_WIRE, seed & 128 ? SIM_FRONT : SIM_BACK, seed % HZ, 0, dropped);
	add_op(0, SIM_OP_RESTORE, SIM_FRONT, 0, seed % (seed & 256 ? 250 : 700), dropped);
	add_op(1, seed & 32 ? SIM_OP_RESTORE : SIM_OP_WIRE, seed & 64 ? SIM_FRONT : SIM_BACK,
	       0, seed % 1100, dropped);
}

/* By number, and nothing is drawn for it: what all other seeds do stays. */
static void make_special(u64 seed, u32 dropped)
{
	switch (seed % 16) {
	case 3:
		add_op(0, SIM_OP_SPOIL, SIM_BACK, 0, seed % 500, dropped);
		break;
	case 5:
		sim_plan.budget = 4;
		sim_plan.budget_alone = 12;
		break;
	case 9:
		make_tight();
		break;
	case 12:
	case 13:
		make_restores(seed, dropped);
		break;
	}
}

void sim_plan_make(u64 seed, u32 dropped)
{
	bool gentle;
	u32 i, n;

	sim_rnd_start(seed);
	make_schedule(seed);
	memset(&sim_plan, 0, sizeof(sim_plan));
	sim_plan.channels = 1 + sim_rnd(SIM_CHANNELS);
	for (i = 0; i < sim_plan.channels; i++) {
		make_channel(&sim_plan.channel[i]);
		/* By number: see make_special(). */
		sim_plan.channel[i].readonly = seed % 3 == 0;
		if (dropped & SIM_DROP_CHANNEL(i))
			memset(sim_plan.channel[i].goal, 0, sizeof(sim_plan.channel[i].goal));
	}
	sim_plan.keep = !sim_one_in(4);
	sim_plan.iterates = seed % 4 < 2;
	sim_plan.start_index = sim_one_in(3) ? 0 : 0u - 64;
	sim_plan.doors = 1 + sim_rnd(2);
	sim_plan.map_pages = 1;
	sim_plan.stage_kib = seed % 4 ? 32 : 160;
	sim_plan.first_state = seed % 8 == 7 ? 1 + seed / 8 % 6 : 0;
	/* No reload takes so long; what waits for a dead guest has gone before all is over. */
	sim_plan.resume_timeout = 20;
	sim_plan.budget = SIM_BUDGET;
	sim_plan.budget_alone = SIM_BUDGET_ALONE;
	sim_plan.peers = sim_one_in(3);
	sim_plan.front_serves = sim_one_in(2);
	gentle = sim_one_in(3);
	sim_ops_n = 0;
	for (i = 0, n = sim_rnd(sim_one_in(4) ? SIM_OPS_DRAWN + 1 : 4); i < n; i++) {
		struct sim_op op;

		make_op(&op, gentle);
		if (!(dropped & SIM_DROP_OP(i)))
			sim_ops[sim_ops_n++] = op;
	}
	sim_armed_n = 0;
	for (i = 0, n = gentle || !sim_one_in(3) ? 0 : 1 + sim_rnd(SIM_ARMED); i < n; i++) {
		struct sim_armed a = { .kind = sim_rnd(SIM_FAULT_SWEEP) };

		a.nth = 1 + sim_rnd(sim_one_in(2) ? 40 : 300);
		if (!(dropped & SIM_DROP_FAULT(i)))
			sim_armed[sim_armed_n++] = a;
	}
	make_special(seed, dropped);
	make_promises();
	sim_faults_begin();
}

void sim_plan_print(FILE *to, u32 dropped)
{
	static const char * const kinds[] = { "messages", "a stream", "calls", "events", "a region" };
	u32 i;

	fprintf(to, "# seed %llu: a switch every %u, late 1 in %u, time 1 in %u%s%s%s%s%s%s, indexes from %u\n",
		sim_seed.number, sim_seed.switch_every, sim_seed.delay_one_in,
		sim_seed.early_one_in, sim_seed.weak ? ", stores late" : "",
		sim_seed.preempts ? ", preempted for long" : "",
		sim_seed.busy ? ", xenwatch busy" : "",
		sim_seed.narrow ? ", a small control ring" : "",
		sim_plan.keep ? ", devices kept" : "", sim_plan.peers ? ", peers" : "",
		sim_plan.start_index);
	for (i = 0; i < sim_plan.channels; i++)
		fprintf(to, "# channel %u: %s, %u and %u%s%s%s%s%s, ring %u\n", i,
			kinds[sim_plan.channel[i].kind], sim_plan.channel[i].goal[0],
			sim_plan.channel[i].goal[1],
			sim_plan.channel[i].resumable ? ", resumable" : "",
			sim_plan.channel[i].pull ? ", pulled" : "",
			sim_plan.channel[i].lend ? ", lending" : "",
			sim_plan.channel[i].map ? ", mapping" : "",
			sim_plan.channel[i].kind == SIM_REGIONS && sim_plan.channel[i].readonly ?
			", to be read" : "", sim_plan.channel[i].ring);
	for (i = 0; i < sim_ops_n; i++)
		fprintf(to, "# operation: %s, %s, %u, after %u jiffies and %u switches\n",
			op_names[sim_ops[i].kind], sim_ops[i].side ? "back" : "front",
			sim_ops[i].value, sim_ops[i].wait, sim_ops[i].steps);
	sim_faults_print(to);
	if (dropped)
		fprintf(to, "# left out: %#x\n", dropped);
}

/* ---- running ---- */

static void load_all(u32 side)
{
	u32 i;

	for (i = 0; i < SIM_MODULES; i++)
		if (!sim_insmod(side, i))
			return;
}

static void unload_all(u32 side)
{
	u32 i;

	for (i = SIM_MODULES; i--;)
		sim_rmmod(side, i);
}

static bool others_run(void)
{
	struct task_struct *t = NULL;

	while ((t = sim_task_next(t)))
		if (t->state == SIM_READY && t != sim_current())
			return true;
	return false;
}

static void state_path(char *path, u32 side)
{
	if (side == SIM_FRONT)
		snprintf(path, 96, "/local/domain/%u/device/duct/0/state",
			 sim_domains[SIM_FRONT].domid);
	else
		snprintf(path, 96, "/local/domain/%u/backend/duct/%u/0/state",
			 sim_domains[SIM_BACK].domid, sim_domains[SIM_FRONT].domid);
}

static bool state_is(u32 side, u32 value)
{
	const char *now;
	char path[96];

	state_path(path, side);
	now = sim_node_read(0, path);
	return now && now[0] == (char)('0' + value);
}

static void write_state(u32 side, u32 value)
{
	char path[96], text[8];

	state_path(path, side);
	snprintf(text, sizeof(text), "%u", value);
	if (sim_node_read(0, path))
		sim_node_write(0, path, text);
}

static void wait_for_state(u32 side, u32 value)
{
	u64 until = sim_steps + 3000;

	while (sim_steps < until && !state_is(side, value) && others_run())
		sim_switch();
}

/* One that nobody wrote, when the other end is in any state of its own. */
static void overwrite_state(u32 side, u32 value)
{
	u32 when = 1 + sim_rnd(6);

	/* It stays there only while the peer is closing, too. */
	if (when == XenbusStateClosing)
		write_state(side, XenbusStateClosing);
	wait_for_state(!side, when);
	write_state(side, value);
}

static void spoil_task(void *arg)
{
	sim_domains[SIM_FRONT].image->inside.spoil();
	*(bool *)arg = true;
}

/*
 * The frontend finds that the backend breaks the protocol, and closes: before it looks again
 * the backend has closed as well, and is there in its next life, with which it begins anew.
 */
static void spoil(void)
{
	bool done = false;

	if (!sim_domains[SIM_FRONT].loaded[SIM_CORE])
		return;
	sim_spawn(SIM_FRONT, "spoil", spoil_task, &done);
	while (!done && others_run())
		sim_switch();
	wait_for_state(SIM_FRONT, XenbusStateClosing);
	sim_domains[SIM_FRONT].paused = true;
	sim_rmmod(SIM_BACK, SIM_WIRE);
	sim_insmod(SIM_BACK, SIM_WIRE);
	wait_for_state(SIM_BACK, XenbusStateInitWait);
	sim_domains[SIM_FRONT].paused = false;
}

static void signal_one(u32 side)
{
	struct task_struct *t = NULL;

	while ((t = sim_task_next(t)))
		if (t->domain == side && t->signals && t->state == SIM_WAITING) {
			t->signalled = true;
			sim_wake(t->queue);
			return;
		}
}

static void stats_task(void *arg)
{
	sim_devices_read(sim_domain_now());
}

static void do_op(const struct sim_op *op)
{
	u32 side = op->side;

	sim_trace("operation: %s, %s", op_names[op->kind], side ? "back" : "front");
	switch (op->kind) {
	case SIM_OP_WIRE:
		sim_rmmod(side, SIM_WIRE);
		sim_insmod(side, SIM_WIRE);
		break;
	case SIM_OP_CLIENT:
		sim_rmmod(side, SIM_CLIENT);
		sim_insmod(side, SIM_CLIENT);
		break;
	case SIM_OP_CORE:
		unload_all(side);
		load_all(side);
		break;
	case SIM_OP_DETACH:
	case SIM_OP_FORCE:
		sim_detach(op->kind == SIM_OP_FORCE);
		sim_attach(false);
		break;
	case SIM_OP_DEATH:
		sim_destroy(side);
		sim_boot(side);
		load_all(side);
		sim_attach(true);
		break;
	case SIM_OP_PAUSE:
		sim_domains[side].paused = true;
		sim_sleep(1 + op->value * HZ);
		sim_domains[side].paused = false;
		break;
	case SIM_OP_STATS:
		sim_spawn(side, "stats", stats_task, NULL);
		break;
	case SIM_OP_STATE:
		overwrite_state(side, op->value);
		break;
	case SIM_OP_SPOIL:
		spoil();
		break;
	case SIM_OP_RESTORE:
		sim_restore(op->value);
		break;
	default:
		signal_one(side);
	}
}

/* As long as anybody else has something to do. */
static void others(u32 steps)
{
	u64 until = sim_steps + steps;

	while (sim_steps < until && others_run())
		sim_switch();
}

static void script(void *arg)
{
	bool *done = arg;
	u32 i;

	sim_boot(SIM_FRONT);
	sim_boot(SIM_BACK);
	if (sim_one_in(2)) {
		sim_attach(false);
		sim_sleep(sim_rnd(3));
	}
	load_all(SIM_FRONT);
	/* Before the backend looks; but only once the frontend has seen its device. */
	if (sim_plan.first_state) {
		sim_sleep(2);
		write_state(SIM_FRONT, sim_plan.first_state);
	}
	load_all(SIM_BACK);
	if (!sim_node_read(0, "/local/domain/1/device/duct/0"))
		sim_attach(false);
	for (i = 0; i < sim_ops_n; i++) {
		others(sim_ops[i].steps);
		if (sim_ops[i].wait)
			sim_sleep(sim_ops[i].wait);
		do_op(&sim_ops[i]);
	}
	*done = true;
}

/* What was given up for a fault is there again. */
static void heal(void *arg)
{
	bool *done = arg;

	sim_faults_end();
	if (sim_plan.heal) {
		sim_detach(true);
		sim_sleep(5 * HZ);
		load_all(SIM_FRONT);
		load_all(SIM_BACK);
		sim_attach(true);
	}
	*done = true;
}

/* For who reads the trace. */
static void look(void *arg)
{
	struct task_struct *t = NULL;
	u32 side;

	while ((t = sim_task_next(t)))
		sim_trace("task \"%s\" of %u: %s until %ld", t->name, t->domain,
			  t->state == SIM_READY ? "ready" : "sleeps", t->until);
	for (side = SIM_FRONT; side <= SIM_BACK; side++)
		sim_spawn(side, "sysfs", stats_task, NULL);
	*(bool *)arg = true;
}

static void shutdown(void *arg)
{
	bool *done = arg, closed;

	sim_hurry = true;
	closed = sim_detach(false);
	/* Both ends are about to write when the directories go, or are asked to close. */
	if (sim_one_in(2)) {
		sim_plan.resumes = false;
		sim_attach(false);
		others(sim_rnd(100));
		closed &= sim_detach(sim_seed.number % 4);
	}
	if (sim_plan.orderly && !closed)
		sim_fail("the link is detached, and does not close");
	unload_all(SIM_FRONT);
	unload_all(SIM_BACK);
	*done = true;
}

static void phase(const char *what, void (*fn)(void *arg), unsigned long seconds)
{
	bool done = false;

	sim_trace("phase: %s", what);
	sim_spawn(SIM_TOOLS, what, fn, &done);
	sim_run(sim_jiffies + seconds * HZ);
	if (!done)
		sim_fail("%s does not end", what);
}

/* What they could not unmap is theirs until they die. */
static void bury(void *arg)
{
	bool *done = arg;
	u32 side;

	for (side = SIM_FRONT; side <= SIM_BACK; side++)
		if (sim_grants_lost(side))
			sim_destroy(side);
	*done = true;
}

static void ledger(void)
{
	u32 side, lost[2];

	sim_nodes_ledger();
	for (side = SIM_FRONT; side <= SIM_BACK; side++) {
		if (sim_works_left(side) || sim_timers_left(side))
			sim_fail("works or timers are left");
		sim_events_ledger(side);
		sim_store_ledger(side);
		sim_xenbus_ledger(side);
		lost[side] = sim_grants_lost(side);
		if (lost[side])
			sim_memory_lost(side, lost[side]);
	}
	if (lost[SIM_FRONT] || lost[SIM_BACK])
		phase("burial", bury, 60);
	for (side = SIM_FRONT; side <= SIM_BACK; side++) {
		sim_grants_ledger(side);
		sim_memory_ledger(side);
	}
}

void sim_plan_run(void)
{
	phase("script", script, 400);
	phase("heal", heal, 60);
	if (sim_tracing && getenv("SIM_LOOK"))
		phase("look", look, 0);
	sim_flows_check();
	phase("shutdown", shutdown, 60);
	ledger();
}
