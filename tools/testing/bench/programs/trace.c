// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts hypercalls in a file of xentrace, of all PV domains together: those that a domain
 * makes by itself, not what is inside of a multicall. PVH guests have none in there.
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

static const struct {
	unsigned int op;
	const char *name;
} known[] = {
	{ __HYPERVISOR_event_channel_op, "event" },
	{ __HYPERVISOR_grant_table_op, "grant" },
	{ __HYPERVISOR_sched_op, "sched" },
	{ __HYPERVISOR_iret, "iret" },
	{ __HYPERVISOR_multicall, "multicall" },
	{ __HYPERVISOR_set_timer_op, "timer" },
	{ __HYPERVISOR_stack_switch, "stack" },
};

#define KNOWN (sizeof(known) / sizeof(*known))

int alone_trace(const char *path, const char *messages)
{
	unsigned long count[KNOWN + 1] = { 0 };
	FILE *f = fopen(path, "r");
	uint32_t head, word[9];
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
	}
	fclose(f);
	printf("messages %s", messages);
	for (i = 0; i < KNOWN; i++)
		printf(" %s %lu", known[i].name, count[i]);
	printf(" other %lu\n", count[KNOWN]);
	return 0;
}
