/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two xenbus drivers share: reading nodes, the policy among them.
 * Every value was written by somebody else: it is parsed strictly, and an error
 * names the node and what it held.
 */
#ifndef _DUCT_NODES_H
#define _DUCT_NODES_H

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <xen/events.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "../compat/compat.h"
#include "../state.h"
#include "../wire.h"

/* XSA-43 and xenstored's quota: no value of ours is longer. */
#define DUCT_NODE_MAX 256

/**
 * struct duct_nodes - a device, as xenbus knows it
 * @dev: that
 * @log: lines that the peer can cause; those about the protocol have the link's own limit
 */
struct duct_nodes {
	struct xenbus_device *dev;
	struct ratelimit_state log;
};

static inline void duct_nodes_init(struct duct_nodes *nodes, struct xenbus_device *dev)
{
	nodes->dev = dev;
	ratelimit_state_init(&nodes->log, 60 * HZ, DUCT_LOG_LINES);
	/* Else each minute has one line more: how many there were not. */
	ratelimit_set_flags(&nodes->log, RATELIMIT_MSG_ON_RELEASE);
}

/*
 * A transaction that writes begins with this: a node written after the toolstack has removed
 * its directory would bring that back, and nobody would remove it again.
 * Return: 0; -ENOENT: removed; or an error of xenstore's
 */
static inline int duct_nodes_removed(struct xenbus_transaction xbt, const char *dir)
{
	int state, n = xenbus_scanf(xbt, dir, "state", "%d", &state);

	return n == 1 ? 0 : n < 0 ? n : -ENOENT;
}

/* For the toolstack; if it has removed the device, and this with it, there is nobody to tell. */
static inline void duct_nodes_write_error(struct duct_nodes *nodes, int err, const char *text)
{
	char *dir = kasprintf(GFP_KERNEL, "error/%s", nodes->dev->nodename);
	struct xenbus_transaction xbt;
	int ret;

	do {
		if (!dir || xenbus_transaction_start(&xbt))
			break;
		ret = duct_nodes_removed(xbt, nodes->dev->nodename) ?:
		      xenbus_printf(xbt, dir, "error", "%d %s", -err, text);
		ret = xenbus_transaction_end(xbt, ret) ?: ret;
	} while (ret == -EAGAIN);
	kfree(dir);
}

/*
 * What xenbus_dev_error() does, which would say it in the log as often as the peer likes: a
 * node "error/<the device's directory>/error" in this domain's home, and if @log a line.
 */
static inline __printf(4, 5)
void duct_nodes_tell(struct duct_nodes *nodes, bool log, int err, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = kvasprintf(GFP_KERNEL, format, args);
	va_end(args);
	if (!text)
		return;
	if (log)
		dev_err(&nodes->dev->dev, "%d %s\n", -err, text);
	duct_nodes_write_error(nodes, err, text);
	kfree(text);
}

#define duct_nodes_error(nodes, err, ...) \
	duct_nodes_tell(nodes, __ratelimit(&(nodes)->log), err, __VA_ARGS__)

/* The core's fault of the link, which it has logged. @peer: "frontend" or "backend" */
static inline void duct_nodes_broken(struct duct_nodes *nodes, const char *peer, const char *why)
{
	if (why == duct_blamed)
		duct_nodes_tell(nodes, false, -EPROTO,
				"the %s says that this end broke the protocol", peer);
	else
		duct_nodes_tell(nodes, false, -EPROTO, "the %s broke the protocol: %s", peer, why);
}

/* One event at a time waits for xenwatch, however often the peer writes the node. */
static inline bool duct_nodes_will_handle(struct xenbus_watch *watch, const char *path,
					  const char *token)
{
	return watch->nr_pending == 0;
}

/* Return: 0, -ENOENT, or -EINVAL after writing the error node */
static inline int duct_node_u64(struct duct_nodes *nodes, const char *dir, const char *node,
				u64 max, u64 *value)
{
	char *text = xenbus_read(XBT_NIL, dir, node, NULL);
	int err;

	if (IS_ERR(text)) {
		err = PTR_ERR(text);
		duct_nodes_error(nodes, err, "reading %s/%s", dir, node);
		return err;
	}
	err = kstrtou64(text, 10, value);
	if (!err && *value > max)
		err = -ERANGE;
	if (err)
		duct_nodes_error(nodes, err, "%s/%s is \"%.32s\", not a number from 0 to %llu",
				 dir, node, text, max);
	kfree(text);
	return err;
}

static inline int duct_node_u32(struct duct_nodes *nodes, const char *dir, const char *node,
				u64 max, u32 *value)
{
	u64 wide = 0;
	int err = duct_node_u64(nodes, dir, node, max, &wide);

	*value = wide;
	return err;
}

/* Frontend: the backend's versions: we speak one. Return: 0 or -EPROTONOSUPPORT, ... */
static inline int duct_node_versions_offered(struct duct_nodes *nodes)
{
	u32 least, most;
	int err;

	err = duct_node_u32(nodes, nodes->dev->otherend, "min-version", U32_MAX, &least) ?:
	      duct_node_u32(nodes, nodes->dev->otherend, "max-version", U32_MAX, &most);
	if (err)
		return err;
	if (least > DUCT_VERSION_MAX || most < DUCT_VERSION_MIN) {
		duct_nodes_error(nodes, -EPROTONOSUPPORT,
				 "the backend speaks versions %u to %u, this frontend %u to %u",
				 least, most, DUCT_VERSION_MIN, DUCT_VERSION_MAX);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* Backend: the version that the frontend chose, and its features. Return: the same */
static inline int duct_node_version_chosen(struct duct_nodes *nodes)
{
	u32 version, features;
	int err;

	err = duct_node_u32(nodes, nodes->dev->otherend, "version", U32_MAX, &version) ?:
	      duct_node_u32(nodes, nodes->dev->otherend, "features", U32_MAX, &features);
	if (err)
		return err;
	if (version < DUCT_VERSION_MIN || version > DUCT_VERSION_MAX) {
		duct_nodes_error(nodes, -EPROTONOSUPPORT,
				 "the frontend chose version %u, this backend speaks %u to %u",
				 version, DUCT_VERSION_MIN, DUCT_VERSION_MAX);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* An incarnation that the peer wrote, or 0 if there is none that can be read. */
static inline u64 duct_node_incarnation(struct duct_nodes *nodes, const char *node)
{
	char *text = xenbus_read(XBT_NIL, nodes->dev->otherend, node, NULL);
	u64 value = 0;

	if (IS_ERR(text))
		return 0;
	if (kstrtou64(text, 10, &value))
		value = 0;
	kfree(text);
	return value;
}

/* A new one of ours; 0 says "none". */
static inline u64 duct_new_incarnation(void)
{
	u64 value;

	do {
		value = get_random_u64();
	} while (!value);
	return value;
}

/* A budget; 0 if the node is not there. Return: 0, or -EINVAL after an error node */
static inline int duct_node_budget(struct duct_nodes *nodes, const char *backend,
				   const char *node, u32 *value)
{
	*value = 0;
	if (!xenbus_exists(XBT_NIL, backend, node))
		return 0;
	return duct_node_u32(nodes, backend, node, U32_MAX, value);
}

/* Return: 0 or why there is no UUID in the backend's directory */
static inline int duct_node_uuid(struct duct_nodes *nodes, const char *backend, uuid_t *uuid)
{
	char *text = xenbus_read(XBT_NIL, backend, "uuid", NULL);
	int err;

	if (IS_ERR(text)) {
		duct_nodes_error(nodes, PTR_ERR(text), "reading %s/uuid", backend);
		return PTR_ERR(text);
	}
	err = uuid_parse(text, uuid);
	if (err)
		duct_nodes_error(nodes, err, "%s/uuid is \"%.40s\", not a UUID", backend, text);
	kfree(text);
	return err;
}

/* The toolstack's "domid" in this domain's home; not all write it for dom0. */
static inline domid_t duct_node_self(void)
{
	return xenbus_read_unsigned("domid", "", xen_initial_domain() ? 0 : DOMID_INVALID);
}

/* The parameters in one directory; a key that is there already stays. */
static inline int duct_policy_read_params(struct duct_policy *policy, const char *dir,
					  const char *service)
{
	unsigned int n, i;
	char **keys = xenbus_directory(XBT_NIL, dir, "", &n);
	int err = 0;

	if (IS_ERR(keys))
		return PTR_ERR(keys) == -ENOENT ? 0 : PTR_ERR(keys);
	for (i = 0; i < n && !err; i++) {
		char *value;

		if (!strcmp(keys[i], "front") || !strcmp(keys[i], "back"))
			continue;
		value = xenbus_read(XBT_NIL, dir, keys[i], NULL);
		if (IS_ERR(value))
			continue;
		if (strlen(value) <= DUCT_NODE_MAX)
			err = duct_policy_param(policy, service, keys[i], value);
		kfree(value);
	}
	kfree(keys);
	return err;
}

/* services/<name>/<n> allows "<name>.<n>". */
static inline int duct_policy_read_service(struct duct_policy *policy, const char *services,
					   const char *name, const char *number,
					   enum duct_side side)
{
	const char *end = side == duct_side_front ? "front" : "back";
	char *service = kasprintf(GFP_KERNEL, "%s.%s", name, number);
	char *both = kasprintf(GFP_KERNEL, "%s/%s/%s", services, name, number);
	char *own = kasprintf(GFP_KERNEL, "%s/%s/%s/%s", services, name, number, end);
	int err = service && both && own ? 0 : -ENOMEM;

	/* The own end's values first: they count. */
	if (!err)
		err = duct_policy_allow(policy, service) ?:
		      duct_policy_read_params(policy, own, service) ?:
		      duct_policy_read_params(policy, both, service);
	kfree(service);
	kfree(both);
	kfree(own);
	return err;
}

static inline int duct_policy_read_name(struct duct_policy *policy, const char *services,
					const char *name, enum duct_side side)
{
	unsigned int n, i;
	char **numbers = xenbus_directory(XBT_NIL, services, name, &n);
	int err = 0;

	if (IS_ERR(numbers))
		return PTR_ERR(numbers);
	for (i = 0; i < n && !err; i++)
		err = duct_policy_read_service(policy, services, name, numbers[i], side);
	kfree(numbers);
	return err;
}

/**
 * duct_policy_read() - the toolstack's policy, from the backend's directory. [sleep]
 * @nodes: for errors
 * @backend: the directory
 * @side: whose parameters
 *
 * Return: the policy, or ERR_PTR() after writing the error node
 */
static inline struct duct_policy *duct_policy_read(struct duct_nodes *nodes, const char *backend,
						   enum duct_side side)
{
	struct duct_policy *policy = duct_policy_new();
	unsigned int n = 0, i;
	u32 channels, pages;
	char *services = kasprintf(GFP_KERNEL, "%s/services", backend);
	const char *what = "budget";
	bool told;
	char **names;
	int err;

	if (!policy || !services) {
		duct_nodes_error(nodes, -ENOMEM, "reading the policy");
		kfree(services);
		duct_policy_put(policy);
		return ERR_PTR(-ENOMEM);
	}
	err = duct_node_budget(nodes, backend, "budget/channels", &channels) ?:
	      duct_node_budget(nodes, backend, "budget/pages", &pages);
	/* The error node has what the value is; "budget" would take its place. */
	told = err;
	err = err ?: duct_policy_budget(policy, channels, pages);
	names = xenbus_directory(XBT_NIL, services, "", &n);
	if (IS_ERR(names)) {
		names = NULL;
		n = 0;
	}
	for (i = 0; i < n && !err; i++) {
		what = names[i];
		err = duct_policy_read_name(policy, services, names[i], side);
	}
	if (err) {
		if (!told)
			duct_nodes_error(nodes, err, "policy in %s: %.32s", backend, what);
		duct_policy_put(policy);
		policy = ERR_PTR(err);
	}
	kfree(names);
	kfree(services);
	return policy;
}

/*
 * After a failed bind of a handler: whether the port is still ours is not said,
 * and it may be somebody else's by now.
 */
static inline void duct_close_port(evtchn_port_t port, domid_t peer)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = port };
	struct evtchn_close close = { .port = port };

	if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
		return;
	if ((status.status == EVTCHNSTAT_unbound && status.u.unbound.dom == peer) ||
	    (status.status == EVTCHNSTAT_interdomain && status.u.interdomain.dom == peer))
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
}

#endif /* _DUCT_NODES_H */
