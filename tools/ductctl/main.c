// SPDX-License-Identifier: GPL-2.0-only
/* ductctl: attaches, detaches and shows the links of xen-duct. */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ductctl.h"
#include "output.h"
#include "text.h"

enum {
	OPT_BACKEND = 0x100,
	OPT_HANDLE,
	OPT_SERVICE,
	OPT_CHANNELS,
	OPT_PAGES,
	OPT_UUID,
	OPT_WAIT,
	OPT_NO_WAIT,
	OPT_FORCE,
	OPT_COUNT,
	OPT_DRY_RUN,
};

#define BIT(opt) (1u << ((opt) - OPT_BACKEND))
#define GLOBAL_OPTIONS BIT(OPT_DRY_RUN)
#define ATTACH_OPTIONS (BIT(OPT_BACKEND) | BIT(OPT_HANDLE) | BIT(OPT_SERVICE) | \
			BIT(OPT_CHANNELS) | BIT(OPT_PAGES) | BIT(OPT_UUID) | \
			BIT(OPT_WAIT) | BIT(OPT_NO_WAIT))

static const struct option long_options[] = {
	{ "backend",	required_argument,	NULL, OPT_BACKEND },
	{ "handle",	required_argument,	NULL, OPT_HANDLE },
	{ "service",	required_argument,	NULL, OPT_SERVICE },
	{ "channels",	required_argument,	NULL, OPT_CHANNELS },
	{ "pages",	required_argument,	NULL, OPT_PAGES },
	{ "uuid",	required_argument,	NULL, OPT_UUID },
	{ "wait",	required_argument,	NULL, OPT_WAIT },
	{ "no-wait",	no_argument,		NULL, OPT_NO_WAIT },
	{ "force",	no_argument,		NULL, OPT_FORCE },
	{ "count",	required_argument,	NULL, OPT_COUNT },
	{ "dry-run",	no_argument,		NULL, OPT_DRY_RUN },
	{ "json",	no_argument,		NULL, 'j' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

struct command {
	const char *name;
	int (*run)(struct ductctl *d);
	bool front;			/* takes FRONT */
	unsigned int options;
};

static const struct command commands[] = {
	{ "attach", cmd_attach, true, ATTACH_OPTIONS },
	{ "reattach", cmd_reattach, true, ATTACH_OPTIONS },
	{ "detach", cmd_detach, true, BIT(OPT_BACKEND) | BIT(OPT_HANDLE) |
		BIT(OPT_FORCE) | BIT(OPT_WAIT) },
	{ "list", cmd_list, false, BIT(OPT_BACKEND) },
	{ "show", cmd_show, true, BIT(OPT_BACKEND) | BIT(OPT_HANDLE) },
	{ "stats", cmd_stats, true, BIT(OPT_BACKEND) | BIT(OPT_HANDLE) },
	{ "monitor", cmd_monitor, false, BIT(OPT_BACKEND) | BIT(OPT_COUNT) },
};

static const char help[] =
"usage: ductctl [OPTION]... COMMAND [ARGUMENT]...\n"
"\n"
"  attach FRONT     give the domain FRONT a link\n"
"      [--backend DOM] [--handle N] [--uuid UUID] [--channels N] [--pages N]\n"
"      [--service NAME.N[,key=value][,front/key=value][,back/key=value]]...\n"
"      [--wait SECONDS | --no-wait]\n"
"  detach FRONT     close a link and remove it\n"
"      [--backend DOM] [--handle N] [--force] [--wait SECONDS]\n"
"  reattach FRONT   make a link again, with its uuid and policy; options as attach\n"
"  list             all links [--backend DOM]\n"
"  show FRONT       all about one link [--backend DOM] [--handle N]\n"
"  stats FRONT      its counters on this machine [--backend DOM] [--handle N]\n"
"  monitor          a line for each change, until ^C [--backend DOM] [--count N]\n"
"\n"
"  -j, --json       print JSON\n"
"      --dry-run    print each change of xenstore, and make none\n"
"  -h, --help       print this\n"
"  -V, --version    print the version\n"
"\n"
"FRONT and DOM are numbers or names of domains; the backend is this domain unless\n"
"given. After xl restore or migrate a guest has no link. To let it find the link\n"
"when it wakes up:\n"
"\n"
"    ductctl show GUEST            # before: its line 'reattach' is the command below\n"
"    xl save GUEST FILE\n"
"    xl restore -p FILE\n"
"    ductctl reattach GUEST --uuid ... --service ... --no-wait\n"
"    xl unpause GUEST\n"
"\n"
"Exit status: 0 done, 1 failed, 2 wrong usage. See ductctl(8).\n";

struct arguments {
	struct options *opt;
	const char *command;
	unsigned int used;		/* BIT() of each option given */
	bool done;			/* help or version was printed */
};

static int take_operand(struct arguments *args, const char *text)
{
	if (!args->command)
		args->command = text;
	else if (!args->opt->front)
		args->opt->front = text;
	else
		return usage_error("'%s' is one argument too many", text);
	return EXIT_OK;
}

static int take_option(struct arguments *args, int opt, const char *value)
{
	struct options *o = args->opt;

	if (opt >= OPT_BACKEND)
		args->used |= BIT(opt);
	switch (opt) {
	case OPT_BACKEND:
		o->backend = value;
		return EXIT_OK;
	case OPT_HANDLE:
		return text_option("--handle", value, 0, HANDLE_MAX, &o->handle);
	case OPT_SERVICE:
		return policy_add_service(&o->policy, value);
	case OPT_CHANNELS:
		return text_option("--channels", value, 1, POLICY_CHANNELS,
				   &o->policy.channels);
	case OPT_PAGES:
		return text_option("--pages", value, POLICY_PAGES_MIN, POLICY_PAGES_MAX,
				   &o->policy.pages);
	case OPT_UUID:
		return policy_set_uuid(&o->policy, value);
	case OPT_WAIT:
		o->wait_given = true;
		return text_option("--wait", value, 0, WAIT_MAX, &o->wait);
	case OPT_NO_WAIT:
		o->no_wait = true;
		return EXIT_OK;
	case OPT_FORCE:
		o->force = true;
		return EXIT_OK;
	case OPT_COUNT:
		return text_option("--count", value, 1, UINT32_MAX, &o->count);
	case OPT_DRY_RUN:
		o->dry_run = true;
		return EXIT_OK;
	case 'j':
		o->json = true;
		return EXIT_OK;
	case 'h':
		fputs(help, stdout);
		args->done = true;
		return EXIT_OK;
	case 'V':
		puts("ductctl " DUCTCTL_VERSION);
		args->done = true;
		return EXIT_OK;
	default:
		return take_operand(args, value);
	}
}

/* getopt's @which: 0 for an unknown long option, else an option of ours or a letter. */
static int wrong_option(int which, const char *text)
{
	if (which >= OPT_BACKEND || (which && strchr("jhV", which)))
		return usage_error("'%s' takes no value", text);
	if (which)
		return usage_error("unknown option '-%c'", which);
	return usage_error("unknown option '%s'", text);
}

static int parse(int argc, char **argv, struct arguments *args)
{
	int opt, ret;

	opterr = 0;
	optind = 0;	/* also resets what glibc keeps between two calls */
	/* '-': operands come in order, also under POSIXLY_CORRECT */
	while ((opt = getopt_long(argc, argv, "-:jhV", long_options, NULL)) != -1) {
		if (opt == ':')
			return usage_error("%s needs a value", argv[optind - 1]);
		if (opt == '?')
			return wrong_option(optopt, argv[optind - 1]);
		ret = take_option(args, opt, optarg);
		if (ret || args->done)
			return ret;
	}
	for (; optind < argc; optind++) {
		ret = take_operand(args, argv[optind]);
		if (ret)
			return ret;
	}
	return EXIT_OK;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int check(const struct command *command, const struct arguments *args)
{
	unsigned int wrong = args->used & ~(command->options | GLOBAL_OPTIONS);
	const struct options *opt = args->opt;
	size_t i;

	for (i = 0; long_options[i].name; i++)
		if (long_options[i].val >= OPT_BACKEND && (wrong & BIT(long_options[i].val)))
			return usage_error("%s takes no --%s", command->name,
					   long_options[i].name);
	if (command->front && !opt->front)
		return usage_error("%s needs a domain", command->name);
	if (!command->front && opt->front)
		return usage_error("'%s' is one argument too many", opt->front);
	if (opt->wait_given && opt->no_wait)
		return usage_error("--wait and --no-wait exclude each other");
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct ductctl d = { .opt.json = false };
	struct arguments args = { .opt = &d.opt };
	const struct command *command;
	int ret;

	policy_init(&d.opt.policy);
	ret = parse(argc, argv, &args);
	if (ret || args.done)
		goto out;
	if (!args.command) {
		ret = usage_error("which command? 'ductctl --help' lists them");
		goto out;
	}
	command = find_command(args.command);
	if (!command) {
		ret = usage_error("there is no command '%s'; 'ductctl --help' lists them",
				  args.command);
		goto out;
	}
	ret = check(command, &args);
	if (ret)
		goto out;
	ret = store_open(&d.store, d.opt.dry_run);
	if (!ret)
		ret = command->run(&d);
	store_close(&d.store);
out:
	policy_free(&d.opt.policy);
	if (fflush(stdout) || ferror(stdout))
		ret = ret ? ret : fail("cannot write the output");
	return ret;
}
