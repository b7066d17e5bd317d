// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts hypercalls in a file of xentrace, of all PV domains together: those that a domain
 * makes by itself, not what is inside of a multicall. PVH guests have none in there. An
 * operation on grants that Xen interrupted comes again, with what was left of it to do: those
 * are told apart by being the same for fewer grants than the one before, which holds where all
 * are of one size.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Else the headers have the numbers that hypercalls had in Xen 3. */
#define __XEN_TOOLS__
#include <xen/xen.h>
#include <xen/trace.h>

#include "bench.h"

#define GRANT 1

static const struct {
	unsigned int op;
	const char *name;
} known[] = {
	{ __HYPERVISOR_event_channel_op, "event" },
	[GRANT] = { __HYPERVISOR_grant_table_op, "grant" },
	{ __HYPERVISOR_sched_op, "sched" },
	{ __HYPERVISOR_iret, "iret" },
	{ __HYPERVISOR_multicall, "multicall" },
	{ __HYPERVISOR_set_timer_op, "timer" },
	{ __HYPERVISOR_stack_switch, "stack" },
};

#define KNOWN (sizeof(known) / sizeof(*known))

/* ARGS: its command and of how many grants; LAST: those of the one before. */
static int goes_on(const uint32_t *args, uint32_t *last)
{
	int on = args[0] == last[0] && args[1] < last[1];

	last[0] = args[0];
	last[1] = args[1];
	return on;
}

int alone_trace(const char *path, const char *messages)
{
	unsigned long count[KNOWN + 1] = { 0 }, again = 0;
	FILE *f = fopen(path, "r");
	uint32_t head, word[9], last[2] = { 0 };
	size_t i;

	if (!f)
		err(1, "%s", path);
	while (fread(&head, sizeof(head), 1, f) == 1) {
		unsigned int extra = head >> 28 & 7, time = head >> 31 ? 2 : 0;

		if (fread(word, sizeof(*word), time + extra, f) != time + extra)
			errx(1, "%s ends within a record", path);
		if ((head & 0x0fffffff) != TRC_PV_HYPERCALL_V2 || !extra)
			continue;
		for (i = 0; i < KNOWN; i++)
			if ((word[time] & ~TRC_PV_HYPERCALL_V2_ARG_MASK) == known[i].op)
				break;
		count[i]++;
		if (i == GRANT && extra > 2)
			again += goes_on(word + time + 1, last);
	}
	fclose(f);
	printf("messages %s", messages);
	for (i = 0; i < KNOWN; i++)
		printf(" %s %lu", known[i].name, count[i]);
	printf(" other %lu again %lu\n", count[KNOWN], again);
	return 0;
}
