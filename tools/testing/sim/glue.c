// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into each domain's image, once with SIM_IMAGE front and once with back: what the
 * simulator can reach of it; all other names are the image's own.
 */
#include "glue.h"

/* What is in the image but not in the modules: the loopback. */
void duct_local_exit(void)
{
}

/* The two wires call this for duct_state_step(): which cells of the table were visited. */
struct duct_step sim_state_step(enum duct_side side, unsigned int ours, unsigned int peer)
{
	struct duct_step step = duct_state_step(side, ours, peer);

	sim_visit(side, ours, peer, step.next);
	sim_trace("%s is %s, the peer %s: %s, then %s", side == duct_side_front ? "front" : "back",
		  duct_state_name(ours), duct_state_name(peer), duct_action_name(step.action),
		  duct_state_name(step.next));
	return step;
}

static_assert(DUCT_STATES == SIM_STATES);
static_assert(duct_state_renewed == SIM_RENEWED);

#define ENTRY(m) {								\
	.name = #m,								\
	.init = sim_init_##m,							\
	.exit = sim_exit_##m,							\
	.data = {								\
		{ _sim_cat(__start_, NAME(m##_data)), _sim_cat(__stop_, NAME(m##_data)) }, \
		{ _sim_cat(__start_, NAME(m##_bss)), _sim_cat(__stop_, NAME(m##_bss)) }, \
	},									\
}

struct sim_image NAME(image) = {
	.module = {
		[SIM_CORE] = ENTRY(core),
		[SIM_WIRE] = ENTRY(wire),
		[SIM_CLIENT] = ENTRY(client),
	},
	.inside = { .look = sim_inside_look, .spoil = sim_inside_spoil },
	.state_name = duct_state_name,
	.param = {
		[SIM_START_INDEX] = { sim_param_start_index },
		[SIM_MAX_DOORS] = { sim_param_max_doors },
		[SIM_MAP_PAGES] = { sim_param_map_pages },
		[SIM_STAGE_KIB] = { sim_param_stage_kib },
		[SIM_RESUME_TIMEOUT] = { sim_param_resume_timeout },
		[SIM_QUARANTINED] = { sim_param_quarantined },
		[SIM_LEAKED] = { sim_param_leaked },
	},
};
