// SPDX-License-Identifier: GPL-2.0
/* The machine: domains come and die, modules are loaded, the toolstack attaches. */
#include <stdlib.h>

#include "flow.h"
#include "sim.h"

static domid_t next_domid;
static u32 guests;	/* each has a link of its own */
static domid_t saved_as;	/* the frontend's before it was restored, or 0 */

int sim_domain_of(domid_t domid)
{
	int i;

	for (i = 0; i < SIM_TOOLS; i++)
		if (sim_domains[i].alive && sim_domains[i].domid == domid)
			return i;
	return -1;
}

/* ---- modules ---- */

/* Over what ASan has put between the variables, too. */
__attribute__((no_sanitize("address", "undefined")))
static void copy_raw(char *to, const char *from, size_t n)
{
	const u64 *f = (const u64 *)from;
	u64 *t = (u64 *)to;

	/* One by one, or the compiler makes a memcpy() of it, which ASan looks after. */
	for (n /= sizeof(*t); n--;)
		__atomic_store_n(t++, *f++, __ATOMIC_RELAXED);
}

/* Each time it is loaded its variables are new. */
static void module_fresh(struct sim_module *m)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		size_t n = m->data[i][1] - m->data[i][0];

		if (!m->saved[i]) {
			m->saved[i] = malloc(n + 1);
			copy_raw(m->saved[i], m->data[i][0], n);
		}
		copy_raw(m->data[i][0], m->saved[i], n);
	}
}

static void set_params(struct sim_image *image)
{
	*image->param[SIM_START_INDEX].at() = sim_plan.start_index;
	*image->param[SIM_MAX_DOORS].at() = sim_plan.doors;
	*image->param[SIM_MAP_PAGES].at() = sim_plan.map_pages;
	*image->param[SIM_STAGE_KIB].at() = sim_plan.stage_kib;
	*image->param[SIM_RESUME_TIMEOUT].at() = sim_plan.resume_timeout;
}

struct load {
	u32 module;
	bool exit;
	bool done;
	int err;
};

static void load_task(void *arg)
{
	struct load *load = arg;
	struct sim_domain *d = &sim_domains[sim_domain_now()];
	struct sim_module *m = &d->image->module[load->module];

	if (load->exit) {
		m->exit();
		d->loaded[load->module] = false;
	} else {
		load->err = m->init();
		d->loaded[load->module] = !load->err;
	}
	load->done = true;
	sim_wake(load);
}

/* In a task of that domain, which may die meanwhile. */
static int load_run(u32 domain, u32 module, bool exit)
{
	struct load load = { .module = module, .exit = exit };
	struct task_struct *t = sim_spawn(domain, exit ? "rmmod" : "insmod", load_task, &load);
	u64 id = t->id;

	while (!load.done && t->id == id && t->state != SIM_FREE)
		sim_block(&load, sim_jiffies + HZ);
	return load.done ? load.err : -EINTR;
}

bool sim_insmod(u32 domain, u32 module)
{
	struct sim_domain *d = &sim_domains[domain];

	if (d->loaded[module])
		return true;
	/* As modprobe. */
	if (module != SIM_CORE && !sim_insmod(domain, SIM_CORE))
		return false;
	module_fresh(&d->image->module[module]);
	if (module == SIM_CORE)
		set_params(d->image);
	sim_trace("domain %u: insmod %s", domain, d->image->module[module].name);
	return !load_run(domain, module, false);
}

void sim_rmmod(u32 domain, u32 module)
{
	struct sim_domain *d = &sim_domains[domain];
	u32 leaked;

	if (!d->loaded[module])
		return;
	sim_trace("domain %u: rmmod %s", domain, d->image->module[module].name);
	load_run(domain, module, true);
	if (module != SIM_CORE || d->loaded[SIM_CORE])
		return;
	leaked = *d->image->param[SIM_LEAKED].at();
	if (leaked && !sim_grants_lost(domain))
		sim_fail("pages were not unmapped");
	d->leaked += leaked;
}

/* ---- domains ---- */

void sim_boot(u32 domain)
{
	struct sim_domain *d = &sim_domains[domain];
	char path[64], text[8];

	d->domid = next_domid++;
	guests += domain == SIM_FRONT;
	d->alive = true;
	d->paused = false;
	d->frozen = 0;
	d->leaked = 0;
	memset(d->loaded, 0, sizeof(d->loaded));
	sim_trace("domain %u is dom%u", domain, d->domid);
	snprintf(path, sizeof(path), "/local/domain/%u/domid", d->domid);
	snprintf(text, sizeof(text), "%u", d->domid);
	sim_node_write(0, path, text);
	sim_xenbus_start(domain);
}

/* As xl does: what it knows goes at once, and the backend's directory stays. */
void sim_destroy(u32 domain)
{
	struct sim_domain *d = &sim_domains[domain];
	char path[64];

	sim_trace("dom%u dies", d->domid);
	d->alive = false;
	sim_kill_tasks(domain);
	sim_timers_kill(domain);
	sim_rcu_kill(domain);
	sim_devices_kill(domain);
	sim_xenbus_kill(domain);
	sim_store_kill(domain);
	sim_events_kill(domain);
	sim_grants_kill(domain);
	sim_memory_kill(domain);
	sim_flows_died(domain);
	snprintf(path, sizeof(path), "/local/domain/%u", d->domid);
	sim_node_rm(0, path);
}

void sim_world_reset(void)
{
	u32 i;

	sim_sched_reset();
	sim_work_reset();
	sim_rcu_reset();
	sim_xenbus_reset();
	sim_store_reset();
	sim_events_reset();
	sim_grants_reset();
	sim_memory_reset();
	for (i = 0; i < SIM_DOMAINS; i++) {
		sim_devices_kill(i);
		sim_domains[i].alive = false;
		sim_domains[i].paused = false;
		sim_domains[i].frozen = 0;
		sim_domains[i].domid = 0;
		memset(sim_domains[i].loaded, 0, sizeof(sim_domains[i].loaded));
	}
	sim_domains[SIM_FRONT].image = &sim_front_image;
	sim_domains[SIM_BACK].image = &sim_back_image;
	next_domid = 1;
	guests = 0;
	saved_as = 0;
}

/* ---- the toolstack: see tools/ductctl ---- */

static void front_dir(char *to)
{
	snprintf(to, 96, "/local/domain/%u/device/duct/0", sim_domains[SIM_FRONT].domid);
}

/* Of the domain that is the backend now; a dead one's is gone. */
static void back_dir(char *to)
{
	snprintf(to, 96, "/local/domain/%u/backend/duct/%u/0", sim_domains[SIM_BACK].domid,
		 sim_domains[SIM_FRONT].domid);
}

static void put(u32 tx, const char *dir, const char *node, const char *fmt, ...)
{
	char path[112], value[80];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s%s%s", dir, *node ? "/" : "", node);
	sim_node_write(tx, path, value);
}

static u32 begin(void)
{
	u32 tx;

	while (!(tx = sim_tx_start()))
		sim_sleep(1);
	return tx;
}

/* Removes @fmt with @guest's number of domain @d, and what was said of its errors. */
static void remove_link(u32 tx, u32 side, const char *fmt, domid_t guest)
{
	domid_t d = sim_domains[side].domid;
	char dir[64], path[112];

	snprintf(dir, sizeof(dir), fmt, guest);
	snprintf(path, sizeof(path), "/local/domain/%u/%s", d, dir);
	sim_node_rm(tx, path);
	snprintf(path, sizeof(path), "/local/domain/%u/error/%s", d, dir);
	sim_node_rm(tx, path);
}

/* @again: what is there of an earlier link goes, as "reattach" does. */
void sim_attach(bool again)
{
	char front[96], back[96];
	u32 tx;

	front_dir(front);
	back_dir(back);
	do {
		tx = begin();
		sim_node_rm(tx, front);
		sim_node_rm(tx, back);
		/* What the backend has of the last life, if it did not remove that. */
		if (saved_as)
			remove_link(tx, SIM_BACK, "backend/duct/%u/0", saved_as);
		put(tx, front, "", "");
		put(tx, front, "backend", "%s", back);
		put(tx, front, "backend-id", "%u", sim_domains[SIM_BACK].domid);
		put(tx, front, "state", "1");
		put(tx, back, "", "");
		put(tx, back, "frontend", "%s", front);
		put(tx, back, "frontend-id", "%u", sim_domains[SIM_FRONT].domid);
		put(tx, back, "online", "1");
		put(tx, back, "state", "1");
		put(tx, back, "uuid", "8f7d3c1a-3b52-4e0e-9b6a-%012x", guests);
		if (sim_plan.tight) {
			put(tx, back, "budget/pages", "64");
			put(tx, back, "budget/channels", "%u", sim_plan.channels);
		}
		put(tx, back, "services", "");
		put(tx, back, "services/sim", "");
		put(tx, back, "services/sim/0", "");
	} while (sim_tx_end(tx, false));
	sim_trace("attached%s", again ? " again" : "");
}

/* ---- save, and restore ---- */

/* In a task of the domain; the others do not run. */
static void resume_task(void *arg)
{
	sim_xenbus_resume();
	sim_devices_restore(sim_domain_now());
	*(bool *)arg = true;
}

/*
 * Return: false if it does not come to rest: then it goes on. Linux tries for 20 s; but its
 * channels wait longer for their peer than those here do.
 */
static bool freeze(u32 domain)
{
	unsigned long end = sim_jiffies + 2 * HZ;

	sim_freeze(domain);
	while (!sim_all_frozen(domain) && time_before(sim_jiffies, end))
		sim_sleep(1);
	return sim_all_frozen(domain);
}

static void thaw(u32 domain)
{
	sim_domains[domain].frozen = 0;
	sim_wake(&sim_domains[domain].frozen);
}

static void new_domid(u32 domain)
{
	struct sim_domain *d = &sim_domains[domain];
	char path[64], text[8];

	d->domid = next_domid++;
	snprintf(path, sizeof(path), "/local/domain/%u/domid", d->domid);
	snprintf(text, sizeof(text), "%u", d->domid);
	sim_node_write(0, path, text);
	sim_trace("domain %u is dom%u", domain, d->domid);
}

/*
 * The frontend's domain is saved and restored, as xl does it: which knows nothing of the link.
 * The toolstack makes it again, before the guest goes on (@first), or after.
 */
void sim_restore(bool first)
{
	struct sim_domain *d = &sim_domains[SIM_FRONT];
	bool done = false;
	char path[64];

	sim_grants_remember(SIM_FRONT);
	sim_sleep(1 + sim_rnd(3));
	if (!freeze(SIM_FRONT)) {
		thaw(SIM_FRONT);
		return;
	}
	sim_trace("dom%u is saved", d->domid);
	sim_events_restore(SIM_FRONT);
	sim_grants_restore(SIM_FRONT);
	snprintf(path, sizeof(path), "/local/domain/%u", d->domid);
	saved_as = d->domid;
	new_domid(SIM_FRONT);
	sim_node_rm(0, path);
	sim_sleep(HZ);
	if (first)
		sim_attach(true);
	sim_spawn(SIM_FRONT, "suspend", resume_task, &done);
	while (!done)
		sim_sleep(1);
	thaw(SIM_FRONT);
	if (!first) {
		sim_sleep(sim_rnd(HZ));
		sim_attach(true);
	}
	saved_as = 0;
}

/* ---- and detaches ---- */

/* Also what is left of guests that died, as "detach --force" does. */
static void remove_all(void)
{
	domid_t guest;
	u32 tx;

	do {
		tx = begin();
		remove_link(tx, SIM_FRONT, "device/duct/%u", 0);
		for (guest = 1; guest < next_domid; guest++)
			remove_link(tx, SIM_BACK, "backend/duct/%u/0", guest);
	} while (sim_tx_end(tx, false));
}

/* Return: one digit of a state; 0: none */
static char state_of(const char *dir)
{
	char path[112];
	const char *state;

	snprintf(path, sizeof(path), "%s/state", dir);
	state = sim_node_read(0, path);
	return state ? state[0] : 0;
}

/* As ductctl does: nobody has to close it. */
static bool never_connected(const char *back)
{
	char front[96], path[112], state;

	front_dir(front);
	state = state_of(front);
	snprintf(path, sizeof(path), "%s/version", front);
	return (state_of(back) == '1' || state_of(back) == '2') &&
	       (!state || (state == '1' && !sim_node_read(0, path)));
}

static bool is_closed(const char *back)
{
	return !state_of(back) || state_of(back) == '6';
}

/* Return: false when it did not close in time, and was removed nevertheless */
bool sim_detach(bool force)
{
	unsigned long end = sim_jiffies + 20 * HZ;
	char back[96];
	bool closed;
	u32 tx;

	back_dir(back);
	sim_trace("detach%s", force ? " --force" : "");
	force |= never_connected(back);
	if (!force && !is_closed(back)) {
		do {
			tx = begin();
			put(tx, back, "online", "0");
			put(tx, back, "state", "5");
		} while (sim_tx_end(tx, false));
		while (!is_closed(back) && time_before(sim_jiffies, end))
			sim_sleep(HZ / 20);
	}
	closed = is_closed(back);
	remove_all();
	return closed || force;
}
