// SPDX-License-Identifier: GPL-2.0-only
/* monitor: each change once, and a clean end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static void other_attaches(void)
{
	fake_put(FRONT "/backend", BACK, "n5 r0");
	fake_put(FRONT "/backend-id", "0", "n5 r0");
	fake_put(FRONT "/state", "1", "n5 r0");
	fake_put(BACK "/uuid", UUID, "n0 r5");
	fake_put(BACK "/state", "1", "n0 r5");
}

static void other_detaches(void)
{
	fake_del(FRONT);
	fake_del(BACK);
}

static void nothing_of_it(void)
{
	fake_set(BACK "/features", "0");
}

static void interrupt(void)
{
	raise(SIGINT);
}

void test_monitor(void)
{
	struct json_object *tree;

	world();
	fake_later(other_attaches);
	fake_later(nothing_of_it);
	fake_later(step_backend_waits);
	fake_later(step_frontend_connects);
	fake_later(other_detaches);
	run("monitor --count 4");
	same(out,
	     "appeared: link 0 frontend 5 (guest) Initialising backend 0 (Domain-0) Initialising uuid " UUID "\n"
	     "state: link 0 frontend 5 (guest) Initialising backend 0 (Domain-0) InitWait uuid " UUID "\n"
	     "state: link 0 frontend 5 (guest) Connected backend 0 (Domain-0) InitWait uuid " UUID "\n"
	     "disappeared: link 0 frontend 5 (guest) Connected backend 0 (Domain-0) InitWait uuid " UUID "\n",
	     "monitor prints each change once");
	ok(!code, "and ends after --count");

	world();
	other_attaches();
	fake_later(interrupt);
	run("monitor");
	ok(!code && !*out, "^C ends it, and what is there is no change");

	world();
	other_attaches();
	fake_later(step_backend_connects);
	run("monitor -j --count 1");
	tree = out_json();
	same(json_at(tree, "event"), "state", "monitor -j prints JSON");
	same(json_at(tree, "backend.state"), "Connected", "with the new state");
	ok(strchr(out, '\n') == out + strlen(out) - 1, "in one line");
	json_object_put(tree);

	world();
	fake_later(other_attaches);
	run("monitor --backend driver --count 1 --dry-run --json --backend 0");
	ok(!code, "--backend");

	world();
	fake_fail_at(4, EPIPE);
	run("monitor");
	ok(code == 1, "xenstore goes away");
}
