// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "text.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | \
		    JSON_C_TO_STRING_NOSLASHESCAPE)

void output_json(struct json_object *tree)
{
	puts(json_object_to_json_string_ext(tree, JSON_FLAGS));
	json_object_put(tree);
}

static bool is_leaf(struct json_object *tree)
{
	return !json_object_is_type(tree, json_type_object) &&
	       !json_object_is_type(tree, json_type_array);
}

static const char *leaf_text(struct json_object *leaf)
{
	const char *text = leaf ? json_object_get_string(leaf) : NULL;

	return text && *text ? text : "-";
}

static void print_tree(struct json_object *tree, int indent);

/* "key: value", or "key:" and the rest below it */
static void print_entry(const char *key, struct json_object *value, int indent)
{
	size_t i;

	if (is_leaf(value)) {
		printf("%*s%s: %s\n", indent, "", key, leaf_text(value));
		return;
	}
	if (!json_object_is_type(value, json_type_array)) {
		printf("%*s%s:\n", indent, "", key);
		print_tree(value, indent + 2);
		return;
	}
	for (i = 0; i < json_object_array_length(value); i++)
		print_entry(key, json_object_array_get_idx(value, i), indent);
}

static void print_tree(struct json_object *tree, int indent)
{
	json_object_object_foreach(tree, key, value)
		print_entry(key, value, indent);
}

void output_tree(const struct options *opt, struct json_object *tree)
{
	if (opt->json) {
		output_json(tree);
		return;
	}
	print_tree(tree, 0);
	json_object_put(tree);
}

static struct json_object *field(struct json_object *tree, const char *key, const char *sub)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(tree, key, &value))
		return NULL;
	if (!sub)
		return value;
	tree = value;
	value = NULL;
	json_object_object_get_ex(tree, sub, &value);
	return value;
}

const char *output_field(struct json_object *tree, const char *key, const char *sub)
{
	return leaf_text(field(tree, key, sub));
}

/* Text of one cell, to be freed: a leaf, or the members of a list with commas. */
static char *cell_text(struct json_object *row, const struct output_column *column)
{
	struct json_object *value = field(row, column->key, column->sub);
	char *text, *longer;
	size_t i;

	if (!json_object_is_type(value, json_type_array))
		return text_copy(leaf_text(value));
	text = text_copy("");
	for (i = 0; i < json_object_array_length(value); i++) {
		longer = text_format("%s%s%s", text, i ? "," : "",
				     leaf_text(json_object_array_get_idx(value, i)));
		free(text);
		text = longer;
	}
	if (!*text) {
		free(text);
		text = text_copy("-");
	}
	return text;
}

/* Row 0 is the titles. */
static char *table_cell(struct json_object *rows, size_t row,
			const struct output_column *column)
{
	if (!row)
		return text_copy(column->title);
	return cell_text(json_object_array_get_idx(rows, row - 1), column);
}

static int column_width(struct json_object *rows, const struct output_column *column)
{
	size_t row, width = 0;

	for (row = 0; row <= json_object_array_length(rows); row++) {
		char *text = table_cell(rows, row, column);

		if (strlen(text) > width)
			width = strlen(text);
		free(text);
	}
	return (int)width;
}

void output_table(const struct options *opt, struct json_object *rows,
		  const struct output_column *columns, size_t count)
{
	size_t row, i;
	int *width;

	if (opt->json) {
		output_json(rows);
		return;
	}
	width = text_grow(NULL, count, sizeof(*width));
	for (i = 0; i < count; i++)
		width[i] = column_width(rows, &columns[i]);
	for (row = 0; row <= json_object_array_length(rows); row++) {
		for (i = 0; i < count; i++) {
			char *text = table_cell(rows, row, &columns[i]);

			/* the last column is not padded */
			printf("%-*s%s", i + 1 < count ? width[i] : 0, text,
			       i + 1 < count ? "  " : "\n");
			free(text);
		}
	}
	free(width);
	json_object_put(rows);
}

void output_changes(struct ductctl *d)
{
	struct json_object *changes = json_object_get(d->store.changes);
	struct json_object *entry, *value;
	size_t i, count;

	if (!changes)
		changes = json_object_new_array();
	if (d->opt.json) {
		output_json(changes);
		return;
	}
	count = json_object_array_length(changes);
	for (i = 0; i < count; i++) {
		entry = json_object_array_get_idx(changes, i);
		printf("%s %s", output_field(entry, "change", NULL),
		       output_field(entry, "path", NULL));
		value = field(entry, "value", NULL);
		if (value)
			printf(" = \"%s\"", json_object_get_string(value));
		value = field(entry, "permissions", NULL);
		if (value)
			printf(" (%s)", json_object_get_string(value));
		putchar('\n');
	}
	json_object_put(changes);
}
