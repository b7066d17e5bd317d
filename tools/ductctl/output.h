/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything printed on stdout comes from one json_object tree. */
#ifndef DUCTCTL_OUTPUT_H
#define DUCTCTL_OUTPUT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "ductctl.h"

/* A column of a table: tree[key], or tree[key][sub]. */
struct output_column {
	const char *title;
	const char *key;
	const char *sub;
};

/* These take the tree over. */
void output_json(struct json_object *tree);
void output_tree(const struct options *opt, struct json_object *tree);
void output_table(const struct options *opt, struct json_object *rows,
		  const struct output_column *columns, size_t count);

/* What --dry-run noted in the store. */
void output_changes(struct ductctl *d);

/* tree[key] or tree[key][sub] as text; "-" when there is none. */
const char *output_field(struct json_object *tree, const char *key, const char *sub);

#endif /* DUCTCTL_OUTPUT_H */
