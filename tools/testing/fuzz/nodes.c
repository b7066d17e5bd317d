// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary text as the values and names of xenstore nodes, read by the very code of the
 * two xenbus drivers; at any allocation memory may be over. A number is one or is refused,
 * with the error node written; a policy stays within its limits; nothing leaks.
 */
#include "input.h"
#include "kernel.h"
#include "xenbus/nodes.h"
#include "control.h"
#include "policy.h"

#define NODES_MAX 16u
#define TEXT_MAX 128u

int kernel_allocs, kernel_allocs_left, kernel_allocs_failed;
bool kernel_allocs_over;

static struct {
	const char *path, *value;
} nodes[NODES_MAX];
static u32 nodes_len;
static const char *any;		/* what every node holds, if it is not NULL */
static char text[TEXT_MAX];
static u32 errors;
/* What xenstore makes of a transaction; but for the first no error node is written. */
static enum { kept, removed, no_state, refused } store;
static bool again;		/* the first is to be done again */
static u32 transactions;	/* one at most is open */
static struct xenbus_device dev = { .nodename = "b", .otherend = "f" };
static struct duct_nodes xenbus;
static bool log_allowed;
static struct input in;

/* ---- xenstore ---- */

static const char *find(const char *dir, const char *node)
{
	size_t len = strlen(dir);
	u32 i;

	if (any)
		return any;
	for (i = 0; i < nodes_len; i++)
		if (!strncmp(nodes[i].path, dir, len) && nodes[i].path[len] == '/' &&
		    !strcmp(nodes[i].path + len + 1, node))
			return nodes[i].value;
	return NULL;
}

void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node, u32 *len)
{
	const char *value = find(dir, node);
	char *copy;

	(void)t;
	(void)len;
	if (!value)
		return ERR_PTR(-ENOENT);
	copy = kstrdup(value, GFP_KERNEL);
	return copy ? copy : ERR_PTR(-ENOMEM);
}

int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node)
{
	(void)t;
	return !!find(dir, node);
}

/* Names in one allocation, as the kernel's; the same only once. */
char **xenbus_directory(struct xenbus_transaction t, const char *dir, const char *node,
			unsigned int *n)
{
	char path[TEXT_MAX], *names;
	size_t len = snprintf(path, sizeof(path), *node ? "%s/%s/" : "%s/", dir, node), all = 0;
	char **list = kzalloc(NODES_MAX * sizeof(*list) + TEXT_MAX, GFP_KERNEL);
	u32 i, j;

	(void)t;
	*n = 0;
	if (!list)
		return ERR_PTR(-ENOMEM);
	names = (char *)(list + NODES_MAX);
	for (i = 0; i < nodes_len; i++) {
		const char *name = nodes[i].path + len;
		size_t size = strncmp(nodes[i].path, path, len) ? 0 : strcspn(name, "/");

		for (j = 0; size && j < *n; j++)
			if (strlen(list[j]) == size && !memcmp(list[j], name, size))
				size = 0;
		if (!size)
			continue;
		list[(*n)++] = memcpy(names + all, name, size);
		all += size + 1;
	}
	if (*n)
		return list;
	kfree(list);
	return ERR_PTR(-ENOENT);
}

unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int otherwise)
{
	const char *value = find(dir, node);

	return value ? strtoul(value, NULL, 10) : otherwise;
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	if (store == refused)
		return -ENOMEM;
	must(!transactions++);
	t->id = 1;
	return 0;
}

int xenbus_transaction_end(struct xenbus_transaction t, int aborted)
{
	(void)t;
	must(transactions-- == 1 && !aborted == (store == kept));
	if (aborted || !again)
		return 0;
	again = false;
	errors--;
	return -EAGAIN;
}

/* The device's own state, and nothing else. */
int xenbus_scanf(struct xenbus_transaction t, const char *dir, const char *node,
		 const char *format, ...)
{
	(void)t;
	must(!strcmp(dir, "b") && !strcmp(node, "state") && !strcmp(format, "%d"));
	return store == kept ? 1 : store == removed ? -ENOENT : 0;
}

/* Formatted, for what the format reads. */
int xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node,
		  const char *format, ...)
{
	char line[4 * TEXT_MAX];
	va_list args;

	(void)t;
	must(store == kept && transactions && !strcmp(dir, "error/b") && !strcmp(node, "error"));
	va_start(args, format);
	/* What is not ours is cut. */
	must(vsnprintf(line, sizeof(line), format, args) < 100);
	va_end(args);
	errors++;
	return 0;
}

int __ratelimit(struct ratelimit_state *state)
{
	must(state == &xenbus.log && state->burst == DUCT_LOG_LINES && state->interval == 60 * HZ);
	return log_allowed;
}

void dev_err(struct device *at, const char *format, ...)
{
	(void)format;
	must(at == &dev.dev && log_allowed);
}

bool xen_initial_domain(void)
{
	return input_byte(&in) & 1;
}

u64 get_random_u64(void)
{
	return input_byte(&in);
}

static struct evtchn_status port;
static bool closed;

int HYPERVISOR_event_channel_op(int op, void *arg)
{
	struct evtchn_status *status = arg;

	if (op == EVTCHNOP_close) {
		closed = true;
		return 0;
	}
	*status = port;
	return port.port;
}

/* ---- what is read ---- */

/* There is an error node if and only if there was an error, memory for it, and a device. */
static bool told(bool err)
{
	return errors ? err : !err || kernel_allocs_failed || store != kept;
}

/* What a number is, said otherwise. */
static bool number(const char *s, u64 max)
{
	unsigned __int128 value = 0;
	const char *digits = s += *s == '+';

	for (; *s >= '0' && *s <= '9'; s++)
		if (value <= U64_MAX)
			value = value * 10 + *s - '0';
	return s > digits && (!*s || !strcmp(s, "\n")) && value <= max;
}

static void check_number(u64 max)
{
	u32 narrow = 0;
	u64 wide = 0;
	int err = duct_node_u64(&xenbus, "f", "n", max, &wide);

	must(err == -ENOMEM || !err == number(any, max));
	must(errors <= 1 && told(err) && (err || wide <= max));
	if (max > U32_MAX)
		return;
	errors = 0;
	must(duct_node_u32(&xenbus, "f", "n", max, &narrow) == err || kernel_allocs_failed);
	must(errors || kernel_allocs_failed || store != kept || narrow == wide);
}

static void check_value(u8 how)
{
	u64 limits[] = { 0, 1023, S32_MAX, U32_MAX, U64_MAX };
	uuid_t uuid;
	u64 known;
	u32 value;
	int err;

	switch (how % 8) {
	case 0:
		err = duct_node_versions_offered(&xenbus);
		must(err == -ENOMEM || !err == (number(any, U32_MAX) && strtoul(any, NULL, 10) == 1));
		must(told(err));
		break;
	case 1:
		err = duct_node_version_chosen(&xenbus);
		must(err == -ENOMEM || !err == (number(any, U32_MAX) && strtoul(any, NULL, 10) == 1));
		must(told(err));
		break;
	case 2:
		err = duct_node_uuid(&xenbus, "b", &uuid);
		must(told(err) && (err || strlen(any) >= UUID_STRING_LEN));
		break;
	case 3:
		err = duct_node_budget(&xenbus, "b", "budget/pages", &value);
		must(told(err) && (err || value == strtoul(any, NULL, 10)));
		break;
	case 4:
		known = duct_node_incarnation(&xenbus, "incarnation");
		if (kernel_allocs_failed || !number(any, U64_MAX))
			must(!known);
		else
			must(known == strtoull(any, NULL, 10));
		duct_node_self();
		break;
	default:
		check_number(limits[how / 8 % ARRAY_SIZE(limits)]);
	}
}

/* ---- the policy ---- */

struct seen {
	const struct duct_policy *policy;
	u32 n;
};

static int check_service(void *arg, const u8 *name, u32 instance)
{
	struct seen *seen = arg;
	const char *value;

	must(duct_name_valid(name) && instance < 65536);
	must(duct_policy_allows(seen->policy, name, instance));
	value = duct_policy_value(seen->policy, name, instance, "k");
	must(!value || strlen(value) <= DUCT_NODE_MAX);
	must(!duct_policy_value(seen->policy, name, instance, "front"));
	seen->n++;
	return 0;
}

static void check_policy(enum duct_side side)
{
	struct duct_policy *policy = duct_policy_read(&xenbus, "b", side);
	struct seen seen = { .policy = policy };

	if (IS_ERR(policy)) {
		must(told(true) || PTR_ERR(policy) == -ENOMEM);
		return;
	}
	must(!errors);
	must(duct_policy_channels(policy) >= 1 && duct_policy_channels(policy) <= 1023);
	must(duct_policy_pages(policy) >= 64 && duct_policy_pages(policy) <= 16384);
	duct_policy_for_each(policy, check_service, &seen);
	must(seen.n <= DUCT_POLICY_SERVICES);
	must(!duct_policy_allows(NULL, (const u8 *)"echo", 0));
	duct_policy_put(duct_policy_get(policy));
	duct_policy_put(policy);
}

static int check_two(void *arg, const u8 *name, u32 instance)
{
	u32 *n = arg;

	must(duct_name_valid(name) && instance == *n);
	return ++*n == 2 ? 7 : 0;
}

/* More than may be, of both kinds: longer than inputs are. */
static void check_limits(void)
{
	struct duct_policy *policy = duct_policy_new();
	u32 i, two = 0;
	char name[32];
	int err = 0;

	must(policy);
	for (i = 0; !err && i < 100; i++) {
		snprintf(name, sizeof(name), "a.%u", i);
		err = duct_policy_allow(policy, name);
	}
	must(err == -E2BIG && i == DUCT_POLICY_SERVICES + 1);
	must(duct_policy_param(policy, "b.0", "k", "v") == -ENOENT);
	must(duct_policy_param(policy, "b", "k", "v") == -EINVAL);
	must(duct_policy_allow(policy, ".0") == -EINVAL);
	must(duct_policy_allow(policy, "sixteen-letters-.0") == -EINVAL);
	must(duct_policy_budget(policy, DUCT_SLOTS, 0) == -ERANGE);
	must(duct_policy_budget(policy, 0, DUCT_CHUNK_PAGES - 1) == -ERANGE);
	must(duct_policy_budget(policy, 0, 16385) == -ERANGE);
	must(!duct_policy_budget(policy, DUCT_SLOTS - 1, 16384));
	must(duct_policy_channels(policy) == 1023 && duct_policy_pages(policy) == 16384);
	must(!duct_policy_allows(policy, (const u8 *)"b\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0));
	must(!duct_policy_value(policy, (const u8 *)"b\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, "k"));
	must(duct_policy_for_each(policy, check_two, &two) == 7 && two == 2);
	for (i = 0, err = 0; !err && i < 100; i++)
		err = duct_policy_param(policy, "a.0", "k", "v");
	must(err == -E2BIG && i == DUCT_POLICY_PARAMS + 1);
	duct_policy_put(policy);
}

/* "path=value" in lines; what the tree begins with comes from the input as well. */
static void parse(void)
{
	char *line = text, *end;

	for (nodes_len = 0; *line && nodes_len < NODES_MAX; line = end) {
		char *value = strchr(line, '=');

		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		nodes[nodes_len].path = line;
		nodes[nodes_len].value = "";
		if (value && value < end) {
			*value = '\0';
			nodes[nodes_len].value = value + 1;
		}
		nodes_len++;
	}
}

static void check_port(void)
{
	domid_t peer = input_byte(&in);

	port = (struct evtchn_status){
		.port = input_byte(&in) & 1, .status = input_byte(&in) % 3,
		.u.unbound.dom = input_byte(&in),
	};
	closed = false;
	duct_close_port(7, peer);
	/* Only one that is ours, and leads to the peer. */
	must(closed == (!port.port && port.status && port.u.unbound.dom == peer));
	must(duct_new_incarnation());
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static bool limits;
	u8 how, memory;

	kernel_allocs_left = -1;
	if (!limits)
		check_limits();
	limits = true;
	in.at = data;
	in.left = size;
	how = input_byte(&in);
	memory = input_byte(&in);
	kernel_allocs_left = memory < 64 ? memory % 32 : -1;
	kernel_allocs_over = memory < 32;
	kernel_allocs_failed = 0;
	errors = 0;
	log_allowed = memory & 1;
	store = memory >> 1 & 3;
	again = memory & 8;
	duct_nodes_init(&xenbus, &dev);
	any = NULL;
	nodes_len = 0;
	if (how == 255) {
		/* Of random numbers the last one is not 0. */
		in.left = min(in.left, (size_t)5);
		if (in.left == 5 && in.at[4])
			check_port();
	} else {
		memcpy(text, in.at, min(in.left, (size_t)TEXT_MAX - 1));
		text[min(in.left, (size_t)TEXT_MAX - 1)] = '\0';
		if (how & 1) {
			any = text;
			check_value(how >> 1);
		} else {
			parse();
			check_policy(how >> 1 & 1 ? duct_side_front : duct_side_back);
		}
	}
	must(!kernel_allocs && !transactions);
	return 0;
}
