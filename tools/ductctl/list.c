// SPDX-License-Identifier: GPL-2.0-only
/* ductctl list and ductctl show */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "link.h"
#include "output.h"
#include "sysfs.h"
#include "text.h"

#define VSOCK_CID(domid)	(2 + (int64_t)(domid))

static const struct output_column list_columns[] = {
	{ "HANDLE", "handle", NULL },
	{ "FRONTEND", "frontend", "domid" },
	{ "NAME", "frontend", "name" },
	{ "STATE", "frontend", "state" },
	{ "CID", "frontend", "cid" },
	{ "BACKEND", "backend", "domid" },
	{ "STATE", "backend", "state" },
	{ "CID", "backend", "cid" },
	{ "UUID", "uuid", NULL },
	{ "SERVICES", "services", NULL },
};

static char *clean_name(const char *node)
{
	char *name = policy_service_name(node);
	char *clean = text_clean(name, strlen(name));

	free(name);
	return clean;
}

/* What AF_VSOCK names the two ends by, where that is allowed: see duct_vsock. */
static void add_cids(struct json_object *row, const struct link *l)
{
	json_object_object_add(json_object_object_get(row, "frontend"), "cid",
			       json_object_new_int64(VSOCK_CID(l->front.domid)));
	json_object_object_add(json_object_object_get(row, "backend"), "cid",
			       json_object_new_int64(VSOCK_CID(l->back.domid)));
}

static void add_names(struct store *s, struct json_object *row, const struct link *l)
{
	struct json_object *list = json_object_new_array();
	size_t i, count;
	char **nodes;

	nodes = policy_nodes(s, l->back.dir, &count);
	for (i = 0; i < count && i < POLICY_SERVICES; i++) {
		char *name = clean_name(nodes[i]);

		if (!strncmp(name, "vsock.", strlen("vsock.")))
			add_cids(row, l);
		json_object_array_add(list, json_object_new_string(name));
		free(name);
	}
	policy_free_nodes(nodes, count);
	json_object_object_add(row, "services", list);
}

int cmd_list(struct ductctl *d)
{
	struct json_object *rows, *row;
	unsigned int back;
	struct link *links;
	size_t i, count;
	int ret;

	if (d->opt.backend) {
		ret = domain_find(&d->store, d->opt.backend, &back);
		if (ret)
			return ret;
	}
	ret = link_scan(&d->store, d->opt.backend ? &back : NULL, &links, &count);
	if (ret)
		return ret;
	rows = json_object_new_array();
	for (i = 0; i < count; i++) {
		row = link_tree(&d->store, &links[i]);
		add_names(&d->store, row, &links[i]);
		json_object_array_add(rows, row);
	}
	free(links);
	output_table(&d->opt, rows, list_columns,
		     ARRAY_SIZE(list_columns));
	return EXIT_OK;
}

static void add_node(struct store *s, struct json_object *tree, const char *dir,
		     const char *name)
{
	char *value = store_read(s, "%s/%s", dir, name);

	if (value)
		json_object_object_add(tree, name, json_object_new_string(value));
	free(value);
}

/* What one end told the other, and what went wrong there. */
static void add_end(struct store *s, struct json_object *tree, const struct link_end *end,
		    const char *key)
{
	static const char * const nodes[] = {
		"online", "min-version", "max-version", "version", "features", "incarnation",
	};
	struct json_object *part = json_object_object_get(tree, key);
	char *error = link_error(s, end);
	size_t i;

	json_object_object_add(part, "directory", json_object_new_string(end->dir));
	for (i = 0; i < ARRAY_SIZE(nodes); i++)
		add_node(s, part, end->dir, nodes[i]);
	if (error)
		json_object_object_add(part, "error", json_object_new_string(error));
	free(error);
}

/* A directory without nodes is shown as one, not as an empty value. */
static void add_tree(struct store *s, struct json_object *tree, const struct link *l,
		     const char *name)
{
	struct json_object *part = store_tree(s, "%s/%s", l->back.dir, name);

	if (!part)
		return;
	if (!json_object_is_type(part, json_type_object)) {
		json_object_put(part);
		part = json_object_new_object();
	}
	json_object_object_add(tree, name, part);
}

static void add_services(struct store *s, struct json_object *tree, const struct link *l)
{
	struct json_object *part;
	size_t i, count;
	char **nodes;

	nodes = policy_nodes(s, l->back.dir, &count);
	if (count || !s->error) {
		part = json_object_new_object();
		for (i = 0; i < count && i < POLICY_SERVICES; i++) {
			char *name = clean_name(nodes[i]);

			json_object_object_add(part, name,
					       store_tree(s, "%s/services/%s", l->back.dir,
							  nodes[i]));
			free(name);
		}
		json_object_object_add(tree, "services", part);
	}
	policy_free_nodes(nodes, count);
}

/* The command that makes this link again, from the toolstack's own record. */
static void add_reattach(struct ductctl *d, struct json_object *tree, const struct link *l)
{
	struct json_object *list, *more, *word;
	struct policy policy;
	char *name = domain_name(&d->store, l->front.domid);
	char *handle = text_format("%u", l->handle);
	char *back = text_format("%u", l->back.domid);
	char *front = text_format("%u", l->front.domid);
	const char *words[] = {
		"ductctl", "reattach", name ? name : front, "--backend", back,
		"--handle", handle,
	};
	char *line, *longer, *quoted;
	size_t i;

	policy_init(&policy);
	if (!link_has_copy(&d->store, l) || policy_read(&d->store, &policy, l->libxl))
		goto out;
	list = json_object_new_array();
	for (i = 0; i < ARRAY_SIZE(words); i++)
		json_object_array_add(list, json_object_new_string(words[i]));
	more = policy_arguments(&policy);
	for (i = 0; i < json_object_array_length(more); i++) {
		word = json_object_array_get_idx(more, i);
		json_object_array_add(list, json_object_get(word));
	}
	json_object_put(more);
	if (d->opt.json) {
		json_object_object_add(tree, "reattach", list);
		goto out;
	}
	line = text_copy("");
	for (i = 0; i < json_object_array_length(list); i++) {
		word = json_object_array_get_idx(list, i);
		quoted = text_quote(json_object_get_string(word));
		longer = text_format("%s%s%s", line, i ? " " : "", quoted);
		free(quoted);
		free(line);
		line = longer;
	}
	json_object_put(list);
	json_object_object_add(tree, "reattach", json_object_new_string(line));
	free(line);
out:
	policy_free(&policy);
	free(front);
	free(back);
	free(handle);
	free(name);
}

int cmd_show(struct ductctl *d)
{
	struct store *s = &d->store;
	struct json_object *tree;
	struct link l;
	char *uuid;
	int ret;

	ret = link_find_present(d, &l);
	if (ret)
		return ret;
	tree = link_tree(s, &l);
	add_end(s, tree, &l.front, "frontend");
	add_end(s, tree, &l.back, "backend");
	add_tree(s, tree, &l, "budget");
	add_services(s, tree, &l);
	add_reattach(d, tree, &l);
	uuid = store_read(s, "%s/uuid", l.back.dir);
	json_object_object_add(tree, "local", sysfs_link(uuid, false));
	free(uuid);
	output_tree(&d->opt, tree);
	return EXIT_OK;
}
