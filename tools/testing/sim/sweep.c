// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation that can fail, each time that it is done, with all that it can fail with:
 * one run for each. And from that time on, until the link is attached anew: as when memory
 * or the hypervisor's tables have run out.
 *
 * The plans have all that a link does: attach, channels, memory lent, copied and mapped,
 * regions either way, a second door, a reload with a reconnection, detach. Until its fault a
 * run is that of the plan alone, so what was counted there is met.
 */
#include "flow.h"
#include "sim.h"

static const struct sim_plan plans[SIM_PLANS] = {
	{
		.channels = 4,
		.channel = {
			{ .kind = SIM_MESSAGES, .max_msg = 64, .ring = 1024, .resumable = true,
			  .goal = { 6, 6 } },
			{ .kind = SIM_CALLING, .max_msg = 64, .ring = 1024, .lend = true,
			  .map = true, .goal = { 8, 8 } },
			{ .kind = SIM_CALLING, .max_msg = 64, .ring = 1024, .lend = true,
			  .goal = { 8, 8 } },
			{ .kind = SIM_REGIONS, .max_msg = 64, .ring = 1024, .goal = { 2, 2 } },
		},
		.keep = true,
		.doors = 2,
		.front_serves = true,
	}, {
		.channels = 3,
		.channel = {
			{ .kind = SIM_STREAM, .max_msg = 64, .ring = 1024, .pull = true,
			  .goal = { 20, 20 } },
			{ .kind = SIM_EVENTS, .max_msg = 64, .ring = 1024, .goal = { 3, 3 } },
			{ .kind = SIM_REGIONS, .max_msg = 64, .ring = 1024, .goal = { 2, 2 },
			  .readonly = true },
		},
		.doors = 1,
	},
};

/* Of each plan, how often each operation is done. */
static u32 (*seen)[SIM_FAULTS];

static void make(u32 number)
{
	/* With these there are calls of every kind, also such as have their pages mapped. */
	sim_rnd_start(number + 6);
	sim_seed = (struct sim_seed){ .number = number, .switch_every = 20, .delay_one_in = 8 };
	sim_plan = plans[number];
	sim_plan.start_index = 0u - 64;
	sim_plan.map_pages = 1;
	sim_plan.stage_kib = number ? 32 : 160;
	sim_plan.resume_timeout = 20;
	sim_plan.heal = true;
	sim_plan.budget = SIM_BUDGET;
	sim_plan.budget_alone = SIM_BUDGET_ALONE;
	sim_ops[0] = (struct sim_op){ .kind = SIM_OP_WIRE, .side = number % 2, .wait = HZ / 2 };
	sim_ops_n = 1;
	sim_armed_n = 0;
	sim_faults_begin();
}

/* Blocks of runs: an operation, each time, with one status; then from each time on. */
static bool find(u64 item, u32 *plan, struct sim_armed *a)
{
	u32 fault, i;

	for (*plan = 0; *plan < SIM_PLANS; (*plan)++) {
		for (fault = 0; fault < SIM_FAULTS; fault++) {
			u32 n = seen[*plan][fault], statuses = sim_fault_statuses(fault);

			for (i = 0; i <= statuses; i++, item -= n) {
				if (item >= n)
					continue;
				*a = (struct sim_armed){
					.fault = fault, .nth = item + 1, .on = i == statuses,
					.status = sim_fault_status(fault, i % statuses),
				};
				return true;
			}
		}
	}
	return false;
}

/* Where the counts are: what this counts, other processes go by. */
void sim_sweep_share(u32 (*counts)[SIM_FAULTS])
{
	seen = counts;
}

/* The plans alone, and what they do. */
void sim_sweep_count(u32 plan)
{
	make(plan);
	sim_plan_run();
	/* What was counted is what is made to fail. */
	if (!plan && !sim_grants_unmapped_sync())
		sim_fail("no call has its pages mapped: the plan needs other random numbers");
	memcpy(seen[plan], sim_fault_seen, sizeof(sim_fault_seen));
}

u64 sim_sweep_runs(void)
{
	u32 plan, fault;
	u64 n = 0;

	for (plan = 0; plan < SIM_PLANS; plan++)
		for (fault = 0; fault < SIM_FAULTS; fault++)
			n += (u64)seen[plan][fault] * (sim_fault_statuses(fault) + 1);
	return n;
}

/* @number: from 1 */
void sim_sweep_make(u64 number)
{
	struct sim_armed a;
	u32 plan;

	if (!find(number - 1, &plan, &a))
		sim_fail("there is no fault %llu", number);
	make(plan);
	sim_armed[0] = a;
	sim_armed_n = 1;
}

void sim_sweep_met(void)
{
	if (!sim_fault_hits)
		sim_fail("it did not come to its fault");
}

void sim_sweep_print(FILE *to)
{
	u32 plan, fault;

	fprintf(to, "# %-18s", "operation");
	for (plan = 0; plan < SIM_PLANS; plan++)
		fprintf(to, "  plan %u", plan);
	fprintf(to, "  statuses\n");
	for (fault = 0; fault < SIM_FAULTS; fault++) {
		fprintf(to, "# %-18s", sim_fault_name(fault));
		for (plan = 0; plan < SIM_PLANS; plan++)
			fprintf(to, "%8u", seen[plan][fault]);
		fprintf(to, "%10u\n", sim_fault_statuses(fault));
	}
}
