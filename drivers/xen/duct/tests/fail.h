/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail one by one, by the kernel's own fault injection: of slabs and of
 * pages, whoever asks for them, below the core or in it. The kernel counts the allocations
 * of a task; here it does so for a function in this task, or for all works of the modules.
 *
 * /sys/kernel/debug/failslab and fail_page_alloc must be told which count: see faults_test.c.
 */
#ifndef _DUCT_TESTS_FAIL_H
#define _DUCT_TESTS_FAIL_H

#include <linux/types.h>

enum fail_where {
	FAIL_TASK,	/* of who calls fail_begin() */
	FAIL_WORKS,	/* of any work whose function is ours */
};

int fail_init(void);
void fail_exit(void);
/* From here on allocation number @nth fails, and no other; 0: none. */
void fail_begin(enum fail_where where, u32 nth);
/* Of a task: its part is over. */
void fail_pause(void);
/* Whether it has failed. */
bool fail_hit(void);
/* No work of ours has run for a while: nobody goes on after what failed. */
bool fail_idle(void);
void fail_end(void);

#endif /* _DUCT_TESTS_FAIL_H */
