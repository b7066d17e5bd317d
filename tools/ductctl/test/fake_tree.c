// SPDX-License-Identifier: GPL-2.0-only
/* The nodes of the fake store, and what tests do with them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fake_tree.h"

struct fake_counts fake_counts;
struct fake fake;

/* ---- the tree ---- */

struct node *tree_find(struct tree *t, const char *path)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (!strcmp(t->nodes[i].path, path))
			return &t->nodes[i];
	return NULL;
}

/* xenstored counts from behind /local/domain/N/, and parts have no limit. */
#define REL_PATH_MAX 2048u

static const char *behind_home(const char *path)
{
	static const char home[] = "/local/domain/";
	const char *number = path + sizeof(home) - 1;
	size_t digits;

	if (strncmp(path, home, sizeof(home) - 1))
		return path;
	digits = strspn(number, "0123456789");
	return digits && digits <= 5 && number[digits] == '/' ? number + digits + 1 : path;
}

bool tree_good_path(const char *path)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@";
	size_t len = strlen(path);

	if (path[0] != '/' || strstr(path, "//") || (len > 1 && path[len - 1] == '/'))
		return false;
	return strlen(behind_home(path)) <= REL_PATH_MAX && !path[strspn(path, good)];
}

static void parent_of(char *parent, const char *path)
{
	strcpy(parent, path);
	*strrchr(parent, '/') = '\0';
}

struct node *tree_make(struct tree *t, const char *path)
{
	struct node *node = tree_find(t, path), *above;
	char parent[PATH_ROOM];

	if (node)
		return node;
	/* A test that makes what cannot be proves nothing. */
	if (!tree_good_path(path))
		abort();
	parent_of(parent, path);
	if (*parent)
		tree_make(t, parent);
	t->nodes = reallocarray(t->nodes, t->count + 1, sizeof(*t->nodes));
	above = *parent ? tree_find(t, parent) : NULL;
	node = &t->nodes[t->count++];
	memset(node, 0, sizeof(*node));
	node->path = strdup(path);
	node->value = strdup("");
	node->num_perms = 1;
	if (above) {
		memcpy(node->perms, above->perms, sizeof(node->perms));
		node->num_perms = above->num_perms;
	}
	return node;
}

void tree_set(struct node *node, const void *value, unsigned int len)
{
	free(node->value);
	node->value = calloc(1, len + 1);
	memcpy(node->value, value, len);
	node->len = len;
}

bool tree_is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

bool tree_cut(struct tree *t, const char *path)
{
	size_t i, kept = 0;

	for (i = 0; i < t->count; i++) {
		if (tree_is_below(t->nodes[i].path, path)) {
			free(t->nodes[i].path);
			free(t->nodes[i].value);
		} else {
			t->nodes[kept++] = t->nodes[i];
		}
	}
	i = t->count;
	t->count = kept;
	return kept < i;
}

void tree_clear(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		free(t->nodes[i].path);
		free(t->nodes[i].value);
	}
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}

void tree_copy(struct tree *to, const struct tree *from)
{
	size_t i;

	tree_clear(to);
	to->nodes = calloc(from->count + 1, sizeof(*to->nodes));
	to->count = from->count;
	for (i = 0; i < from->count; i++) {
		to->nodes[i] = from->nodes[i];
		to->nodes[i].path = strdup(from->nodes[i].path);
		to->nodes[i].value = NULL;
		tree_set(&to->nodes[i], from->nodes[i].value, from->nodes[i].len);
	}
}

void tree_changed(const char *path)
{
	fake.version++;
	fake_fire(path);
}

/* ---- what tests do ---- */

void fake_reset(void)
{
	tree_clear(&fake.main);
	tree_clear(&fake.txn);
	memset(&fake_counts, 0, sizeof(fake_counts));
	fake.caller = 0;
	fake.again = 0;
	fake_fail_at(0, 0);
	fake.relative_works = true;
	fake.running_count = 0;
	fake_watch_reset();
}

void fake_caller(unsigned int domid)
{
	fake.caller = domid;
}

void fake_relative(bool works)
{
	fake.relative_works = works;
}

static void parse_perms(struct node *node, const char *text)
{
	int used;

	for (node->num_perms = 0; *text; text += used) {
		struct xs_permissions *perm = &node->perms[node->num_perms++];
		char letter;

		if (sscanf(text, " %c%u%n", &letter, &perm->id, &used) != 2)
			abort();
		perm->perms = letter == 'r' ? XS_PERM_READ : letter == 'w' ? XS_PERM_WRITE :
			      letter == 'b' ? XS_PERM_READ | XS_PERM_WRITE : XS_PERM_NONE;
	}
}

void fake_put(const char *path, const char *value, const char *perms)
{
	struct node *node = tree_make(&fake.main, path);

	tree_set(node, value, (unsigned int)strlen(value));
	parse_perms(node, perms);
	tree_changed(path);
}

void fake_set_bytes(const char *path, const void *value, unsigned int len)
{
	tree_set(tree_make(&fake.main, path), value, len);
	tree_changed(path);
}

void fake_set(const char *path, const char *value)
{
	fake_set_bytes(path, value, (unsigned int)strlen(value));
}

/* Each node below goes, and fires. */
void fake_del(const char *path)
{
	size_t i;

	for (i = 0; i < fake.main.count; i++)
		if (tree_is_below(fake.main.nodes[i].path, path))
			tree_changed(fake.main.nodes[i].path);
	tree_cut(&fake.main, path);
}

void fake_introduced(unsigned int domid, bool yes)
{
	unsigned int i;

	for (i = 0; i < fake.running_count && fake.running[i] != domid; i++)
		;
	if (yes && i == fake.running_count)
		fake.running[fake.running_count++] = domid;
	else if (!yes && i < fake.running_count)
		fake.running[i] = fake.running[--fake.running_count];
}

const char *fake_get(const char *path)
{
	struct node *node = tree_find(&fake.main, path);

	return node ? node->value : NULL;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

char *fake_dump(void)
{
	static const char letters[] = "nrwb";
	char *text = NULL;
	size_t size, i;
	unsigned int j;
	FILE *out = open_memstream(&text, &size);

	if (fake.main.count)
		qsort(fake.main.nodes, fake.main.count, sizeof(struct node), by_path);
	for (i = 0; i < fake.main.count; i++) {
		struct node *node = &fake.main.nodes[i];

		fprintf(out, "%s = %s (", node->path, node->value);
		for (j = 0; j < node->num_perms; j++)
			fprintf(out, "%s%c%u", j ? " " : "", letters[node->perms[j].perms & 3],
				node->perms[j].id);
		fprintf(out, ")\n");
	}
	fclose(out);
	return text;
}

void fake_again(unsigned int count, void (*disturb)(void))
{
	fake.again = count;
	fake.disturb = disturb;
}
