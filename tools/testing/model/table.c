// SPDX-License-Identifier: GPL-2.0-only
/* The table of drivers/xen/duct/state.c in Promela, for reconnect.pml. */
#include <ctype.h>
#include <stdio.h>

#include "state.h"

static void define(const char *prefix, const char *name, unsigned int value)
{
	printf("#define %s_", prefix);
	for (; *name; name++)
		putchar(toupper(*name));
	printf(" %u\n", value);
}

/* A cell that says what a missing one does is left out. */
static void table(unsigned int side)
{
	const struct duct_step none = duct_state_step(side, DUCT_STATES, 0);
	unsigned int ours, peer;

	printf("inline STEP_%s(ours, peer)\n{\n\tif\n", side == duct_side_front ? "FRONT" : "BACK");
	for (ours = 0; ours < DUCT_STATES; ours++) {
		for (peer = 0; peer < DUCT_STATES; peer++) {
			struct duct_step step = duct_state_step(side, ours, peer);

			if (step.action == none.action && step.next == none.next)
				continue;
			printf("\t:: ours == %u && peer == %u -> action = %u; next = %u\n",
			       ours, peer, step.action, step.next);
		}
	}
	printf("\t:: else -> action = %u; next = %u\n\tfi\n}\n", none.action, none.next);
}

int main(void)
{
	unsigned int side, ours;

	for (ours = 0; ours < DUCT_STATES; ours++)
		define("STATE", duct_state_name(ours), ours);
	for (ours = 0; ours < DUCT_ACTIONS; ours++)
		define("DO", duct_action_name(ours), ours);
	for (side = 0; side < DUCT_SIDES; side++)
		table(side);
	return 0;
}
