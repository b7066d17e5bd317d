// SPDX-License-Identifier: GPL-2.0-only
/* list, show, stats: from the store and from a sysfs made of plain files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static char root[] = "/tmp/ductctl-test-XXXXXX";

static void put_file(const char *path, const char *text)
{
	char whole[512], *slash;
	FILE *f;

	snprintf(whole, sizeof(whole), "%s/bus/duct/devices/%s", root, path);
	for (slash = whole + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	f = fopen(whole, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
}

static void make_sysfs(void)
{
	char link[512];

	if (!mkdtemp(root))
		abort();
	setenv("DUCTCTL_SYSFS", root, 1);
	put_file("duct1/uuid", "ffffffff-0000-0000-0000-000000000000\n");
	put_file("duct1/epoch", "99\n");
	put_file("duct2/uuid", UUID "\n");
	put_file("duct2/side", "back\n");
	put_file("duct2/epoch", "3\n");
	put_file("duct2/big", "18446744073709551615\n");
	put_file("duct2/huge", "18446744073709551616\n");
	put_file("duct2/octal", "007\n");
	put_file("duct2/below", "-12\n");
	put_file("duct2/fault", "\n");
	put_file("duct2/uevent", "DEVTYPE=link\nMODALIAS=x\n");
	put_file("duct2/power/control", "auto\n");
	put_file("duct2.echo.0.s/bytes", "1234\n");
	put_file("duct2.echo.0.s/modalias", "duct:echo\x07\n");
	put_file("duct2.echo.0.s/channels/10/full", "5\n");
	put_file("duct2.echo.0.s/channels/2/full", "6\n");
	put_file("duct2.echo.0.s/channels/x/full", "7\n");
	put_file("duct2.echo.0.s/channels/event/full", "7\n");
	put_file("duct2.echo.0.s/channels/event1x/full", "7\n");
	put_file("duct2.echo.0.s/channels/events1/full", "7\n");
	put_file("duct21/uuid", "00000000-0000-0000-0000-000000000000\n");
	put_file("duct21.echo.0.s/bytes", "777\n");
	snprintf(link, sizeof(link), "%s/bus/duct/devices/duct2.echo.0.s/driver", root);
	if (symlink("../../drivers/duct_echo", link))
		abort();
	snprintf(link, sizeof(link), "%s/bus/duct/devices/duct2/secret", root);
	if (symlink("/etc/hostname", link))
		abort();
}

static void remove_sysfs(void)
{
	char line[64];

	snprintf(line, sizeof(line), "rm -rf %s", root);
	if (system(line))
		abort();
	unsetenv("DUCTCTL_SYSFS");
}

static void make_links(void)
{
	world();
	run("attach 5 --no-wait --uuid " UUID " --service echo.0,size=64,front/mode=it's --service net.1");
	run("attach 5 --no-wait --handle 10 --backend 7");
	run("attach 7 --no-wait --handle 2 --service vsock.0");
	step_backend_waits();
	step_frontend_ready();
	step_backend_connects();
	step_frontend_connects();
}

static void test_list(void)
{
	struct json_object *tree;

	make_links();
	run("list");
	ok(!code && contains(out, "HANDLE  FRONTEND  NAME    STATE         CID  BACKEND  STATE         CID  UUID") &&
	   contains(out, "0       5         guest   Connected     -    0        Connected     -    " UUID "  echo.0,net.1\n"),
	   "list prints a table");
	run("list --json");
	tree = out_json();
	ok(json_object_array_length(tree) == 3, "list -j prints all links");
	same(json_at(tree, "0.uuid"), UUID, "with uuid");
	same(json_at(tree, "0.services.1"), "net.1", "services");
	same(json_at(tree, "0.frontend.name"), "guest", "names");
	same(json_at(tree, "1.handle"), "10", "in order of frontend and handle");
	same(json_at(tree, "2.backend.state"), "Initialising", "and states");
	same(json_at(tree, "2.frontend.cid"), "9", "context ids of AF_VSOCK");
	same(json_at(tree, "2.backend.cid"), "2", "of both ends");
	same(json_at(tree, "0.frontend.cid"), "", "where it is allowed");
	json_object_put(tree);
	run("list -j --backend driver");
	tree = out_json();
	ok(json_object_array_length(tree) == 1, "list --backend");
	json_object_put(tree);

	fake_del("/local/domain/0/backend/duct/7");
	fake_put("/local/domain/0/backend/duct/x/0", "", "n0");
	fake_put("/local/domain/0/backend/duct/05/0", "", "n0");
	fake_put("/local/domain/0/backend/duct/40000/0", "", "n0");
	run("list -j --backend 0");
	tree = out_json();
	ok(json_object_array_length(tree) == 2, "what is no domain id is no link");
	same(json_at(tree, "1.backend.state"), "none", "a frontend whose backend is gone");
	json_object_put(tree);

	world();
	run("list");
	ok(!code && contains(out, "HANDLE"), "no links");
	run("-j list");
	tree = out_json();
	ok(json_object_is_type(tree, json_type_array) && !json_object_array_length(tree),
	   "no links, JSON");
	json_object_put(tree);

	make_links();
	fake_put("/local/domain", "", "n0");
	fake_caller(5);
	run("list -j");
	tree = out_json();
	ok(!code && json_object_array_length(tree) == 2, "a guest sees its own links");
	same(json_at(tree, "0.uuid"), UUID, "with what it may read");
	json_object_put(tree);
	run("show 5 --backend 0");
	ok(!code && contains(out, "uuid: " UUID) && !strstr(out, "reattach"),
	   "and can show one, without the toolstack's record");
}

/* Escape sequences, bytes that are no UTF-8, and lengths. */
static void test_hostile(void)
{
	struct json_object *tree;
	char big[4000];

	make_links();
	fake_put(FRONT_ERROR, "1 \x1b]0;x\x07\xff\xfe\n\\", "n5");
	fake_set_bytes(FRONT "/version", "1\0002", 3);
	memset(big, 'A', sizeof(big));
	fake_set_bytes(FRONT "/features", big, sizeof(big));
	fake_set(FRONT "/incarnation", "");
	run("-j show 5");
	tree = out_json();
	same(json_at(tree, "frontend.error"), "1 \\x1b]0;x\\x07\\xff\\xfe\\x0a\\\\",
	     "bytes that are not printable are escaped");
	same(json_at(tree, "frontend.version"), "1\\x002", "also zero bytes");
	ok(strlen(json_at(tree, "frontend.features")) == 259, "long values are cut");
	json_object_put(tree);
	run("show 5");
	ok(!code && !strpbrk(out, "\x1b\x07\xff"), "in text as well");
	ok(contains(out, "  incarnation: -\n"), "an empty value");
}

/* A driver domain owns its directory and may make whatever it likes. */
static void test_wide(void)
{
	struct json_object *tree;
	char path[128];
	int i;

	make_links();
	run("attach 5 --no-wait --handle 1 --service b.7 --service a.0 --service b.65535,k=v");
	run("show 5 --handle 1 -j");
	tree = out_json();
	same(json_at(tree, "services"), "{ \"b.7\": \"\", \"b.65535\": { \"k\": \"v\" }, \"a.0\": \"\" }",
	     "show -j: several numbers of a name");
	json_object_put(tree);
	fake_set(BACK "/services/none", "a leaf");
	run("list");
	ok(!code && contains(out, UUID "  echo.0,net.1\n"), "a name without numbers is no service");
	for (i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), BACK "/services/echo/1%d", i);
		fake_set(path, "");
		snprintf(path, sizeof(path), BACK "/services/n%d/0", i);
		fake_set(path, "");
	}
	run("list -j");
	tree = out_json();
	ok(*json_at(tree, "0.services.63") && !*json_at(tree, "0.services.64"),
	   "list shows 64 services at most");
	json_object_put(tree);
	run("show 5 -j");
	tree = out_json();
	ok(json_object_object_length(json_object_object_get(tree, "services")) == 64,
	   "show as well");
	json_object_put(tree);
	fake_del(BACK "/services");
	run("show 5");
	ok(!code && !strstr(out, "services:"), "show without services");
}

static void test_show_link(void)
{
	struct json_object *tree;

	make_links();
	run("show guest");
	ok(!code && contains(out, "handle: 0\nfrontend:\n  domid: 5\n  name: guest\n  state: Connected\n  directory: " FRONT "\n") &&
	   contains(out, "  max-version: 1\n") && contains(out, "  incarnation: 2222\n") &&
	   contains(out, "budget:\n  channels: 256\n  pages: 2048\n") &&
	   contains(out, "services:\n  echo.0:\n    front:\n      mode: it's\n    size: 64\n  net.1: -\n"),
	   "show prints all of it");
	ok(contains(out, "\nreattach: ductctl reattach guest --backend 0 --handle 0 --uuid " UUID
		    " --channels 256 --pages 2048 --service 'echo.0,size=64,front/mode=it'\\''s' --service net.1\n"),
	   "and the command that makes it again");
	ok(contains(out, "  device: duct2\n") && contains(out, "    side: back\n") &&
	   contains(out, "    driver: duct_echo\n"), "and what sysfs says");
	run("-j show 5 --handle 0");
	tree = out_json();
	same(json_at(tree, "services"), "{ \"echo.0\": { \"front\": { \"mode\": \"it's\" }, \"size\": \"64\" }, \"net.1\": \"\" }",
	     "show -j: the policy");
	same(json_at(tree, "reattach.1"), "reattach", "the command as an array");
	same(json_at(tree, "reattach.14"), "echo.0,size=64,front/mode=it's", "of words");
	same(json_at(tree, "local.0.attributes"),
	     "{ \"below\": -12, \"big\": 18446744073709551615, \"epoch\": 3, \"fault\": \"\", \"huge\": \"18446744073709551616\", \"octal\": \"007\", \"side\": \"back\", \"uuid\": \"" UUID "\" }",
	     "every file of one value, nothing else");
	same(json_at(tree, "local.0.devices.0.attributes"),
	     "{ \"bytes\": 1234, \"modalias\": \"duct:echo\\\\x07\" }", "also of its services");
	same(json_at(tree, "local.0.devices.1"), "", "and of no other link's");
	same(json_at(tree, "local.0.devices.0.channels"),
	     "[ { \"channel\": 2, \"attributes\": { \"full\": 6 } }, { \"channel\": 10, \"attributes\": { \"full\": 5 } } ]",
	     "also of its channels, in order");
	json_object_put(tree);
	run("show 7");
	ok(code == 1 && contains(err, "domain 7 (driver) has no link 0"), "show without a link");
	run("show 7 --handle 2");
	ok(!code && !strstr(out, "local:"), "show of a link that is not on this machine");
}

/* Counted events and regions are channels, too. */
static void test_show_named(void)
{
	struct json_object *tree;

	make_links();
	put_file("duct2.share.0.p/channels/event12/state", "up\n");
	put_file("duct2.share.0.p/channels/event3/state", "waiting\n");
	put_file("duct2.share.0.p/channels/region0/state", "down\n");
	put_file("duct2.share.0.p/channels/attached4294967295/state", "stopped\n");
	put_file("duct2.share.0.p/channels/attached4294967295/in_bytes", "9\n");
	run("-j show 5");
	tree = out_json();
	same(json_at(tree, "local.0.devices.1.channels"),
	     "[ { \"channel\": \"attached4294967295\", \"attributes\": { \"in_bytes\": 9, \"state\": \"stopped\" } }, "
	     "{ \"channel\": \"event3\", \"attributes\": { \"state\": \"waiting\" } }, "
	     "{ \"channel\": \"event12\", \"attributes\": { \"state\": \"up\" } }, "
	     "{ \"channel\": \"region0\", \"attributes\": { \"state\": \"down\" } } ]",
	     "show -j: events and regions, by their names");
	json_object_put(tree);
	run("show 5");
	ok(!code && contains(out, "      channel: event3\n      attributes:\n        state: waiting\n") &&
	   contains(out, "      channel: region0\n"), "as text");
	run("-j stats 5");
	tree = out_json();
	same(json_at(tree, "local.0.devices.1.channels.0"),
	     "{ \"channel\": \"attached4294967295\", \"attributes\": { \"in_bytes\": 9 } }",
	     "stats of them");
	json_object_put(tree);
}

/* What broke a link or a channel is repeated, word by word. */
static void test_show_fault(void)
{
	struct json_object *tree;

	make_links();
	put_file("duct2/fault", "a chunk out of order\n");
	put_file("duct2.echo.0.s/channels/2/fault", "no room for an answer\n");
	put_file("duct2.echo.0.s/channels/2/error", "-71\n");
	put_file("duct2.echo.0.s/channels/10/fault", "\n");
	put_file("duct2.echo.0.s/channels/event3/fault", "an event without triggers\n");
	run("-j show 5");
	tree = out_json();
	same(json_at(tree, "local.0.attributes.fault"), "a chunk out of order",
	     "show -j: why a link is broken");
	same(json_at(tree, "local.0.devices.0.channels.0.attributes"),
	     "{ \"error\": -71, \"fault\": \"no room for an answer\", \"full\": 6 }",
	     "why a channel is");
	same(json_at(tree, "local.0.devices.0.channels.1.attributes"),
	     "{ \"fault\": \"\", \"full\": 5 }", "that another is not");
	same(json_at(tree, "local.0.devices.0.channels.2.attributes.fault"),
	     "an event without triggers", "why an event is");
	json_object_put(tree);
	run("show 5");
	ok(!code && contains(out, "\n    fault: a chunk out of order\n") &&
	   contains(out, "\n        error: -71\n        fault: no room for an answer\n") &&
	   contains(out, "\n        fault: -\n") &&
	   contains(out, "\n        fault: an event without triggers\n"), "as text");
}

static void test_stats_of(void)
{
	struct json_object *tree;

	make_links();
	run("stats 5 -j");
	tree = out_json();
	same(json_at(tree, "local.0.attributes"),
	     "{ \"below\": -12, \"big\": 18446744073709551615, \"epoch\": 3 }",
	     "stats: only numbers");
	same(json_at(tree, "local.0.devices.0.attributes"), "{ \"bytes\": 1234 }", "of devices");
	same(json_at(tree, "local.0.devices.0.channels.1.attributes.full"), "5", "and channels");
	json_object_put(tree);
	run("stats 5");
	ok(!code && contains(out, "epoch: 3\n") && contains(out, "bytes: 1234\n"), "as text");
	run("stats 7 --handle 2");
	ok(code == 1 && contains(err, "this machine has no end of link 2 of domain 7 (driver)"),
	   "a link that is elsewhere");
	setenv("DUCTCTL_SYSFS", "/nowhere", 1);
	run("stats 5");
	ok(code == 1 && contains(err, "no device below /nowhere/bus/duct/devices has the uuid " UUID),
	   "no bus at all");
	setenv("DUCTCTL_SYSFS", root, 1);
	fake_del(BACK "/uuid");
	run("stats 5");
	ok(code == 1 && contains(err, "which has none"), "a link without a uuid");
	run("stats 9");
	ok(code == 1, "stats of no domain");
}

void test_show(void)
{
	make_sysfs();
	test_list();
	test_show_link();
	test_stats_of();
	test_show_named();
	test_show_fault();
	test_hostile();
	test_wide();
	remove_sysfs();
}
