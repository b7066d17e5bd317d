// SPDX-License-Identifier: GPL-2.0
/* xenbus's half of xenstore: reading and writing nodes, alone and in transactions. */
#include "sim.h"

/* Of a node in a domain's own directory. */
void sim_absolute(char *to, const char *dir, const char *node)
{
	char home[32] = "";

	if (*dir != '/')
		snprintf(home, sizeof(home), "/local/domain/%u/",
			 sim_domains[sim_domain_now()].domid);
	snprintf(to, SIM_PATH, "%s%s%s%s", home, dir, *node ? "/" : "", node);
}

/* Each request goes to another domain and back. */
void sim_request(void)
{
	sim_might_sleep("a request to xenstore");
	sim_fence();
	sim_switch();
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	int err;

	sim_request();
	err = sim_fault(SIM_STORE);
	if (err)
		return err;
	/* The others end soon: Linux waits as well. */
	while (!(t->id = sim_tx_start()))
		sim_sleep(1);
	return 0;
}

int xenbus_transaction_end(struct xenbus_transaction t, int abort)
{
	int err;

	sim_request();
	err = abort ? 0 : sim_fault(SIM_STORE);
	if (err) {
		sim_tx_end(t.id, true);
		return err;
	}
	return sim_tx_end(t.id, abort);
}

void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node,
		  unsigned int *len)
{
	char path[SIM_PATH], text[SIM_PATH], *copy;
	const char *value;
	int err;

	sim_absolute(path, dir, node);
	sim_request();
	err = sim_fault(SIM_STORE);
	if (err)
		return ERR_PTR(err);
	value = sim_node_read(t.id, path);
	if (!value)
		return ERR_PTR(-ENOENT);
	/* What the store answered: while there is an allocation others may write the node. */
	strscpy(text, value, sizeof(text));
	if (len)
		*len = strlen(text);
	copy = kstrdup(text, GFP_KERNEL);
	return copy ? copy : ERR_PTR(-ENOMEM);
}

char **xenbus_directory(struct xenbus_transaction t, const char *dir, const char *node,
			unsigned int *n)
{
	char path[SIM_PATH], names[32][64], **list;
	int count, i;

	sim_absolute(path, dir, node);
	sim_request();
	count = sim_fault(SIM_STORE) ?: sim_node_list(t.id, path, names, 32);
	if (count < 0)
		return ERR_PTR(count);
	list = kmalloc(count * (sizeof(*list) + 64) + 1, GFP_KERNEL);
	if (!list)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < count; i++) {
		list[i] = (char *)(list + count) + i * 64;
		strscpy(list[i], names[i], 64);
	}
	*n = count;
	return list;
}

int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node)
{
	char path[SIM_PATH];

	sim_absolute(path, dir, node);
	sim_request();
	return !!sim_node_read(t.id, path);
}

/*
 * XSA-371, 457: a backend removes its own directory, since its frontend's is gone, and has let go
 * of it: whoever waits for the directory to go takes the link for ended. The first event channel
 * tells, which goes after the arena and right before the control page; what drivers have mapped
 * is theirs until they are removed.
 */
static void check_let_go(const char *dir)
{
	unsigned int guest;

	if (sscanf(dir, "backend/duct/%u/", &guest) != 1)
		return;
	if (sim_events_with(guest))
		sim_fail("%s goes, and event channels to that guest are left", dir);
}

int xenbus_rm(struct xenbus_transaction t, const char *dir, const char *node)
{
	char path[SIM_PATH];

	check_let_go(dir);
	sim_absolute(path, dir, node);
	sim_request();
	return sim_fault(SIM_STORE) ?: sim_node_rm(t.id, path);
}

int xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node,
		  const char *fmt, ...)
{
	char path[SIM_PATH], value[80];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	sim_absolute(path, dir, node);
	sim_request();
	return sim_fault(SIM_STORE) ?: sim_node_write(t.id, path, value);
}

int xenbus_scanf(struct xenbus_transaction t, const char *dir, const char *node, const char *fmt,
		 ...)
{
	char *value = xenbus_read(t, dir, node, NULL);
	va_list args;
	int n;

	if (IS_ERR(value))
		return PTR_ERR(value);
	va_start(args, fmt);
	n = vsscanf(value, fmt, args);
	va_end(args);
	kfree(value);
	return n > 0 ? n : -ERANGE;
}

unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int def)
{
	unsigned int value;

	return xenbus_scanf(XBT_NIL, dir, node, "%u", &value) == 1 ? value : def;
}

enum xenbus_state xenbus_read_driver_state(const char *path)
{
	int state;

	return xenbus_scanf(XBT_NIL, path, "state", "%d", &state) == 1 ? state :
	       XenbusStateUnknown;
}

int xenbus_dev_is_online(struct xenbus_device *dev)
{
	return xenbus_read_unsigned(dev->nodename, "online", 0);
}

int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state)
{
	struct xenbus_transaction t;
	int now, err;

	if (dev->state == state)
		return 0;
	do {
		if (xenbus_transaction_start(&t))
			return 0;
		err = xenbus_scanf(t, dev->nodename, "state", "%d", &now);
		if (err == 1)
			err = xenbus_printf(t, dev->nodename, "state", "%d", state) ?: 1;
		if (err != 1) {
			xenbus_transaction_end(t, 1);
			return 0;
		}
		err = xenbus_transaction_end(t, 0);
	} while (err == -EAGAIN);
	if (!err)
		dev->state = state;
	return 0;
}
