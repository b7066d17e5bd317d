// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "fake.h"

static size_t all;

int run_group(const char *name, const struct CMUnitTest *tests, size_t count)
{
	all += count;
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

int main(void)
{
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = test_file() + test_device() + test_channel() + test_call() + test_region() +
		 test_event();
	printf("# %zu passed, %d failed\n", all - (size_t)failed, failed);
	return failed != 0;
}
