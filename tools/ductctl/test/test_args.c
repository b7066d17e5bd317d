// SPDX-License-Identifier: GPL-2.0-only
/* The command line: everything wrong is found before xenstore is touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

struct wrong {
	const char *line;
	const char *says;
};

static const struct wrong usage[] = {
	{ "", "which command?" },
	{ "frobnicate", "no command 'frobnicate'" },
	{ "attach", "attach needs a domain" },
	{ "attach 5 6", "'6' is one argument too many" },
	{ "list 5", "'5' is one argument too many" },
	{ "attach 5 --colour", "unknown option '--colour'" },
	{ "attach 5 -x", "unknown option '-x'" },
	{ "attach 5 --wait", "--wait needs a value" },
	{ "attach 5 --json=3", "'--json=3' takes no value" },
	{ "attach 5 --force=1", "'--force=1' takes no value" },
	{ "attach 5 --force", "attach takes no --force" },
	{ "list --pages 64", "list takes no --pages" },
	{ "attach 5 --wait 3 --no-wait", "exclude each other" },
	{ "attach 0", "the frontend and the backend are both domain 0" },
	{ "attach 5 --backend 5", "the frontend and the backend are both domain 5" },
	{ "attach 32752", "'32752' is no domain id" },
	{ "attach 99999999999999999999", "'99999999999999999999' is no domain id" },
	{ "attach 5 --backend 32752", "'32752' is no domain id" },
	{ "attach 5 --uuid 0123", "--uuid: '0123' is no UUID" },
	{ "attach 5 --uuid 01234567-89ab-cdef-0123-456789abcdeg", "is no UUID" },
	{ "attach 5 --uuid 01234567089ab-cdef-0123-456789abcdef", "is no UUID" },
	{ "attach 5 --service echo", "'echo' is not NAME.N" },
	{ "attach 5 --service .0", "'.0' is not NAME.N" },
	{ "attach 5 --service echo.", "'echo.' is not NAME.N" },
	{ "attach 5 --service echo.65536", "'echo.65536' is not NAME.N" },
	{ "attach 5 --service echo.-1", "'echo.-1' is not NAME.N" },
	{ "attach 5 --service Echo.0", "'Echo.0' is not NAME.N" },
	{ "attach 5 --service ec/ho.0", "'ec/ho.0' is not NAME.N" },
	{ "attach 5 --service a.b.0", "'a.b.0' is not NAME.N" },
	{ "attach 5 --service abcdefghijklmnop.0", "is not NAME.N" },
	{ "attach 5 --service echo.0 --service echo.00", "'echo.0' is given twice" },
	{ "attach 5 --service echo.0,", "'' is not key=value" },
	{ "attach 5 --service echo.0,size", "'size' is not key=value" },
	{ "attach 5 --service echo.0,=1", "'' is no key" },
	{ "attach 5 --service echo.0,a.b=1", "'a.b' is no key" },
	{ "attach 5 --service echo.0,middle/a=1", "'middle/a' is no key" },
	{ "attach 5 --service echo.0,front/=1", "'front/' is no key" },
	{ "attach 5 --service echo.0,front/back/a=1", "'front/back/a' is no key" },
	{ "attach 5 --service echo.0,front=1", "'front' is no key" },
	{ "attach 5 --service echo.0,back=1", "'back' is no key" },
	{ "attach 5 --service echo.0,a=1,a=2", "a is given twice" },
	{ "attach 5 --service echo.0,a=\x1b[2J", "the value of a is not printable" },
	{ "attach 5 --service echo.0,a=\xc3\xa4", "the value of a is not printable" },
	{ "attach 5 --service echo.0,abcdefghijklmnopqrstuvwxyz0123456=1", "is no key" },
};

/* A number that is none is no usage error. Option, what it accepts at least and at most. */
static const struct {
	const char *command, *option, *low, *below, *high, *above;
} numbers[] = {
	{ "attach 5 --dry-run", "--handle", "0", NULL, "65535", "65536" },
	{ "attach 5 --dry-run", "--channels", "1", "0", "1023", "1024" },
	{ "attach 5 --dry-run", "--pages", "64", "63", "16384", "16385" },
	{ "attach 5 --dry-run", "--wait", "0", NULL, "86400", "86401" },
	{ "monitor --dry-run", "--count", NULL, "0", NULL, "4294967296" },
};

static void reject(const char *command, const char *option, const char *value)
{
	run("%s %s=%s", command, option, value);
	ok(code == 1 && contains(err, option) && contains(err, "is not a number from"),
	   "%s '%s' fails and is named", option, value);
}

static void test_numbers(void)
{
	static const char * const none[] = {
		"-1", "+5", "5x", "x", "0x10", "5.0", "", "18446744073709551616", "\t7",
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		world();
		for (j = 0; j < ARRAY_SIZE(none); j++)
			reject(numbers[i].command, numbers[i].option, none[j]);
		if (numbers[i].below)
			reject(numbers[i].command, numbers[i].option, numbers[i].below);
		reject(numbers[i].command, numbers[i].option, numbers[i].above);
		if (numbers[i].low) {
			run("%s %s %s", numbers[i].command, numbers[i].option, numbers[i].low);
			ok(!code, "%s %s is taken", numbers[i].option, numbers[i].low);
		}
		if (numbers[i].high) {
			run("%s %s %s", numbers[i].command, numbers[i].option,
			    numbers[i].high);
			ok(!code, "%s %s is taken", numbers[i].option, numbers[i].high);
		}
	}
}

/* The longest that is right, and one more. */
static void test_limits(void)
{
	char value[260], *line = NULL;
	size_t size;
	FILE *f;
	int i, n;

	world();
	run("attach 5 --dry-run --service abcdefghijklmno.65535,abcdefghijklmnopqrstuvwxyz_-ABCD=");
	ok(!code && contains(out, "/services/abcdefghijklmno/65535/abcdefghijklmnopqrstuvwxyz_-ABCD = \"\" "),
	   "the longest service and key, an empty value");
	memset(value, 'v', sizeof(value));
	value[256] = '\0';
	run("attach 5 --dry-run --service echo.0,key=%s", value);
	ok(!code && contains(out, value), "a value of 256 bytes");
	value[256] = 'v';
	value[257] = '\0';
	run("attach 5 --dry-run --service echo.0,key=%s", value);
	ok(code == 2 && contains(err, "longer than 256 bytes"), "a value of 257 bytes");
	for (n = 64; n <= 65; n++) {
		f = open_memstream(&line, &size);
		fprintf(f, "attach 5 --dry-run");
		for (i = 0; i < n; i++)
			fprintf(f, " --service echo.%d", i);
		fclose(f);
		run("%s", line);
		ok(code == (n == 64 ? 0 : 2), "%d services", n);
		free(line);
	}
}

void test_args(void)
{
	char *before, *after;
	size_t i;

	world();
	before = fake_dump();
	for (i = 0; i < ARRAY_SIZE(usage); i++) {
		run("%s", usage[i].line);
		ok(code == 2 && contains(err, usage[i].says), "usage: %s",
		   strpbrk(usage[i].line, "\x1b\xc3") ? "bytes not printable" : usage[i].line);
	}
	after = fake_dump();
	same(after, before, "no usage error changes anything");
	ok(!fake_counts.started, "no usage error begins a transaction");
	free(after);
	free(before);
	test_numbers();
	test_limits();

	run("--help");
	ok(!code && contains(out, "usage: ductctl") && contains(out, "xl restore -p"),
	   "--help tells the restore sequence");
	run("-V");
	ok(!code && contains(out, "ductctl "), "-V prints a version");
	setenv("POSIXLY_CORRECT", "1", 1);
	run("attach 5 --dry-run -j");
	ok(!code && out[0] == '[', "options after operands under POSIXLY_CORRECT");
	unsetenv("POSIXLY_CORRECT");
	run("--dry-run attach -- guest");
	ok(!code, "operands after --");
}
