// SPDX-License-Identifier: GPL-2.0-only
/* reattach: the same link again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define POLICY " --uuid " UUID " --channels 9 --pages 65" \
	" --service echo.0,size=64,front/mode=a --service net.1"

/* What cannot be read must not become a smaller policy. */
static void test_failures(void)
{
	unsigned int k, failures = 0, changed = 0;
	char *before, *after, *whole;

	world();
	run("attach guest --no-wait" POLICY);
	whole = fake_dump();
	for (k = 1; k < 1000; k++) {
		world();
		run("attach guest --no-wait" POLICY);
		fake_set(FRONT "/state", "6");
		before = fake_dump();
		fake_fail_at(k, EIO);
		run("reattach guest --no-wait");
		fake_fail_at(0, 0);
		after = fake_dump();
		if (code) {
			failures++;
			changed += strcmp(before, after) != 0;
		} else {
			changed += strcmp(whole, after) != 0;
		}
		free(before);
		free(after);
		if (!code && k > 200)
			break;
	}
	free(whole);
	ok(failures > 80 && !changed,
	   "a failure at any of %u calls changes no policy (%u did)", k, changed);
}

#define LAST "/local/domain/0/backend/duct/4/0"

/* The backend's module was not loaded when the guest, domain 4 then, was saved. */
static void test_last_life(const char *attached)
{
	char *now;

	world();
	fake_set(LAST "/uuid", UUID);
	fake_set(LAST "/state", "6");
	run("reattach guest --no-wait" POLICY);
	now = fake_dump();
	ok(!code, "what a domain that is gone had of the link");
	same(now, attached, "goes");
	free(now);

	world();
	fake_set(LAST "/uuid", "ffffffff-0000-0000-0000-000000000000");
	run("reattach guest --no-wait" POLICY);
	ok(!code && fake_get(LAST "/uuid"), "another link's stays");

	world();
	fake_set("/local/domain/4", "");
	fake_set(LAST "/uuid", UUID);
	run("reattach guest --no-wait" POLICY);
	ok(!code && fake_get(LAST "/uuid"), "and that of a domain which lives");

	world();
	run("attach guest --no-wait" POLICY);
}

void test_reattach(void)
{
	char *first, *second;
	int i;

	world();
	run("reattach guest --no-wait");
	ok(code == 1 && contains(err, "nothing is recorded of link 0 of domain 5"),
	   "nothing known: says what is needed");
	ok(!fake_get(BACK), "and writes nothing");

	run("attach guest --no-wait" POLICY);
	first = fake_dump();
	world();
	run("reattach guest --no-wait" POLICY);
	second = fake_dump();
	ok(!code, "after a restore: with the options of before");
	same(second, first, "reattach writes what attach wrote");
	free(second);

	fake_counts.committed = 0;
	run("reattach guest --no-wait" POLICY);
	second = fake_dump();
	ok(!code, "twice is no error");
	same(second, first, "and changes nothing");
	free(second);

	test_last_life(first);

	fake_set(FRONT "/state", "4");
	fake_set(BACK "/state", "4");
	run("reattach guest --no-wait");
	ok(!code && !strcmp(fake_get(FRONT "/state"), "4") && !strcmp(fake_get(BACK "/state"), "4"),
	   "a link that is up stays up");

	fake_del(FRONT);
	fake_set(BACK "/state", "6");
	run("reattach guest --no-wait");
	second = fake_dump();
	same(second, first, "what is missing comes back from the record");
	free(second);

	fake_set(FRONT "/state", "6");
	fake_set(BACK "/state", "6");
	fake_set(FRONT "/ring-ref", "1");
	run("reattach guest --no-wait --service other.0");
	second = fake_dump();
	same(second, first, "a closed link starts anew, with its recorded policy");
	free(second);
	free(first);

	first = fake_dump();
	run("reattach guest --no-wait --uuid ffffffff-0000-0000-0000-000000000000");
	second = fake_dump();
	ok(code == 1 && contains(err, "has the uuid " UUID), "another uuid is refused");
	same(second, first, "and changes nothing");
	free(second);
	free(first);

	run("reattach guest --no-wait --backend driver");
	ok(!code && fake_get("/local/domain/7/backend/duct/5/0/services/echo/0/front/mode"),
	   "another backend domain takes the link over, with its policy");
	same(fake_get(FRONT "/backend"), "/local/domain/7/backend/duct/5/0",
	     "and the frontend is told");
	ok(!fake_get("/local/domain/0/backend/duct"), "the old backend has lost it");

	fake_set(LIBXL "/budget/pages", "7");
	fake_del(FRONT);
	run("reattach guest --no-wait");
	ok(code == 1 && contains(err, "pages: '7' is not a number from 64 to 16384"),
	   "a record that is wrong is an error, not a policy");
	ok(!fake_get(FRONT), "and nothing is written");

	world();
	run("attach guest --no-wait" POLICY);
	fake_set(LIBXL "/services/echo/x", "");
	fake_del(FRONT);
	run("reattach guest --no-wait");
	ok(code == 1 && contains(err, "'echo.x' is not NAME.N"), "also a service's number that is none");
	fake_del(LIBXL "/services/echo/x");
	for (i = 0; i < 64; i++) {
		char path[128];

		snprintf(path, sizeof(path), LIBXL "/services/more/%d", i);
		fake_set(path, "");
	}
	run("reattach guest --no-wait");
	ok(code == 1 && contains(err, "more than 64 services"), "or too many");
	ok(!fake_get(FRONT), "and nothing is written");
	test_failures();

	world();
	link_connects();
	run("reattach guest" POLICY);
	ok(!code && contains(out, "Connected"), "reattach waits as attach does");
	run("reattach 9" POLICY);
	ok(code == 1 && contains(err, "domain 9 does not exist"), "no such domain");
}
