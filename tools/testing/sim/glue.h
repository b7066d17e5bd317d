/* SPDX-License-Identifier: GPL-2.0 */
/* Names that the modules of an image, and the linker, define for glue.c. */
#ifndef _SIM_GLUE_H
#define _SIM_GLUE_H

#include "sim.h"
#include "state.h"

#define NAME(a)		_sim_cat(_sim_cat(sim_, SIM_IMAGE), _##a)

void duct_local_exit(void);
struct duct_step sim_state_step(enum duct_side side, unsigned int ours, unsigned int peer);

/* inside.c */
void sim_inside_look(void);
bool sim_inside_spoil(void);

/* A module may have no variables of either kind. */
#define MARK(name)	extern char name[] __weak
#define MODULE(m)								\
	int sim_init_##m(void);							\
	void sim_exit_##m(void);						\
	MARK(_sim_cat(__start_, NAME(m##_data)));				\
	MARK(_sim_cat(__stop_, NAME(m##_data)));				\
	MARK(_sim_cat(__start_, NAME(m##_bss)));				\
	MARK(_sim_cat(__stop_, NAME(m##_bss)))

MODULE(core);
MODULE(wire);
MODULE(client);

unsigned int *sim_param_start_index(void);
unsigned int *sim_param_max_doors(void);
unsigned int *sim_param_map_pages(void);
unsigned int *sim_param_stage_kib(void);
unsigned int *sim_param_resume_timeout(void);
unsigned int *sim_param_quarantined(void);
unsigned int *sim_param_leaked(void);

#endif /* _SIM_GLUE_H */
