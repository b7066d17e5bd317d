// SPDX-License-Identifier: GPL-2.0
/*
 * duct_test.ko: the API's tests. They need duct_loopback with
 * services=kit.0,kits.0,kitm.0,kitm.1,kitm.65535, and run when the module is loaded: all
 * of them, or those of one suite. That of endpoints needs endpoint.0 besides, with which
 * others fail, since an endpoint's device has a channel; that of duct_net needs net.0, and
 * duct_net loaded before, and that of faults two settings: see faults_test.c.
 *
 * kunit_test_suites() would run them only on kernels that were booted with
 * kunit.enable=1; whoever loads this wants them.
 */
#include <linux/module.h>

#include "kit.h"

static char *suite = "";
module_param(suite, charp, 0444);
MODULE_PARM_DESC(suite, "run this one alone");

bool kit_hurry;
module_param_named(hurry, kit_hurry, bool, 0444);
MODULE_PARM_DESC(hurry, "for mutants: wait less for what does not come, and after a failure leave out the rest");

unsigned int kit_step = 1;
module_param_named(step, kit_step, uint, 0444);
MODULE_PARM_DESC(step, "of the suite of faults: only each so-manyth allocation fails");

static struct kunit_suite * const suites[] = {
	&duct_drivers_suite,
	&duct_channels_suite,
	&duct_messages_suite,
	&duct_receive_suite,
	&duct_flow_suite,
	&duct_streams_suite,
	&duct_calls_suite,
	&duct_call_ends_suite,
	&duct_epochs_suite,
	&duct_budgets_suite,
	&duct_doors_suite,
	&duct_bulk_suite,
	&duct_bulk_map_suite,
	&duct_events_suite,
	&duct_regions_suite,
	&duct_watches_suite,
	&duct_sg_suite,
	&duct_endpoints_suite,
	&duct_resume_suite,
	&duct_vsock_suite,
	&duct_hostile_channel_suite,
	&duct_hostile_link_suite,
	&duct_net_suite,
	&duct_faults_suite,
};

static int __init duct_test_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		if (!*suite || !strcmp(suite, suites[i]->name))
			kunit_run_tests(suites[i]);
	return 0;
}

static void __exit duct_test_exit(void)
{
}

module_init(duct_test_init);
module_exit(duct_test_exit);
MODULE_DESCRIPTION("xen-duct: tests of the API");
MODULE_LICENSE("GPL");
