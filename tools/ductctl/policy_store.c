// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy in xenstore: services/<name>/<n>/<key>, budget, uuid. A node's name
 * has no dots, so the service "echo.0" is the node services/echo/0.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ductctl.h"
#include "policy.h"
#include "text.h"

static char *swap(const char *text, char from, char to)
{
	char *copy = text_copy(text);
	char *at = strchr(copy, from);

	if (at)
		*at = to;
	return copy;
}

char *policy_service_name(const char *node)
{
	return swap(node, '/', '.');
}

static char *service_node(const char *name)
{
	return swap(name, '.', '/');
}

/* A key "front/x" needs the directory "front". */
static int make_end(struct store *s, const struct policy_service *service,
		    const struct store_perm *perm, const char *node, const char *end)
{
	size_t i, len = strlen(end);

	for (i = 0; i < service->count; i++)
		if (!strncmp(service->params[i].key, end, len) &&
		    service->params[i].key[len] == '/')
			return store_mkdir_below(s, perm, "%s/%s", node, end);
	return EXIT_OK;
}

/* @node is the directory of this one service. */
static int write_service(struct store *s, const struct policy_service *service,
			 const struct store_perm *perm, const char *node)
{
	size_t i;
	int ret;

	ret = store_mkdir_below(s, perm, "%s", node);
	if (!ret)
		ret = make_end(s, service, perm, node, "front");
	if (!ret)
		ret = make_end(s, service, perm, node, "back");
	for (i = 0; !ret && i < service->count; i++)
		ret = store_write(s, perm, service->params[i].value, "%s/%s", node,
				  service->params[i].key);
	return ret;
}

/* Has an earlier service the same <name>, whose directory is there already? */
static bool has_directory(const struct policy *p, size_t at)
{
	const char *name = p->services[at].name;
	size_t i, len = strcspn(name, ".") + 1;

	for (i = 0; i < at; i++)
		if (!strncmp(p->services[i].name, name, len))
			return true;
	return false;
}

static int write_services(struct store *s, const struct policy *p,
			  const struct store_perm *perm, const char *dir)
{
	int ret = store_mkdir_below(s, perm, "%s/services", dir);
	char *whole, *node;
	size_t i;

	for (i = 0; !ret && i < p->count; i++) {
		const char *name = p->services[i].name;

		node = service_node(name);
		whole = text_format("%s/services/%s", dir, node);
		if (!has_directory(p, i))
			ret = store_mkdir_below(s, perm, "%s/services/%.*s", dir,
						(int)strcspn(name, "."), name);
		if (!ret)
			ret = write_service(s, &p->services[i], perm, whole);
		free(whole);
		free(node);
	}
	return ret;
}

static int write_number(struct store *s, unsigned int number, const struct store_perm *perm,
			const char *dir, const char *name)
{
	char *text;
	int ret;

	text = text_format("%u", number);
	ret = store_write(s, perm, text, "%s/budget/%s", dir, name);
	free(text);
	return ret;
}

int policy_write(struct store *s, const struct policy *p, const struct store_perm *perm,
		 const char *dir)
{
	int ret;

	ret = store_write(s, perm, p->uuid, "%s/uuid", dir);
	if (!ret)
		ret = store_mkdir_below(s, perm, "%s/budget", dir);
	if (!ret)
		ret = write_number(s, p->channels, perm, dir, "channels");
	if (!ret)
		ret = write_number(s, p->pages, perm, dir, "pages");
	if (!ret)
		ret = write_services(s, p, perm, dir);
	return ret;
}

/* Adds <name>/<n> for each <n>; false if they cannot be listed, but for one that went. */
static bool add_nodes(struct store *s, const char *dir, const char *name, char **nodes,
		      size_t *count)
{
	unsigned int i, n;
	char **numbers;

	numbers = store_list(s, &n, "%s/services/%s", dir, name);
	for (i = 0; i < n && *count < POLICY_NODES; i++)
		nodes[(*count)++] = text_format("%s/%s", name, numbers[i]);
	free(numbers);
	return !s->error || s->error == ENOENT;
}

char **policy_nodes(struct store *s, const char *dir, size_t *count)
{
	char **nodes = text_grow(NULL, POLICY_NODES, sizeof(*nodes));
	unsigned int i, n;
	char **names;

	*count = 0;
	names = store_list(s, &n, "%s/services", dir);
	/* Names without a number count as well: a driver domain could make many. */
	for (i = 0; i < n && i < POLICY_NODES; i++)
		if (!add_nodes(s, dir, names[i], nodes, count))
			break;
	free(names);
	return nodes;
}

void policy_free_nodes(char **nodes, size_t count)
{
	while (count)
		free(nodes[--count]);
	free(nodes);
}

/* A node that is not there is no error; one that cannot be read is. */
static int check_read(struct store *s, const char *dir)
{
	if (!s->error || s->error == ENOENT)
		return EXIT_OK;
	return fail("cannot read %s: %s", dir, store_words(s->error));
}

/* Appends ",key=value" for each parameter below services/<name>/<n>[/<end>]. */
static int append_params(struct store *s, char **spec, const char *dir, const char *prefix)
{
	char **keys, *value, *longer;
	unsigned int i, count;
	size_t len;
	int ret;

	keys = store_list(s, &count, "%s", dir);
	ret = check_read(s, dir);
	for (i = 0; !ret && i < count; i++) {
		if (!*prefix && (!strcmp(keys[i], "front") || !strcmp(keys[i], "back")))
			continue;
		value = store_read_raw(s, &len, "%s/%s", dir, keys[i]);
		ret = check_read(s, dir);
		if (!value)
			continue;
		longer = text_format("%s,%s%s=%s", *spec, prefix, keys[i], value);
		free(value);
		free(*spec);
		*spec = longer;
	}
	free(keys);
	return ret;
}

static int read_service(struct store *s, struct policy *p, const char *dir, const char *node)
{
	char *service = text_format("%s/services/%s", dir, node);
	char *front = text_format("%s/front", service);
	char *back = text_format("%s/back", service);
	char *spec = policy_service_name(node);
	int ret;

	ret = append_params(s, &spec, service, "");
	if (!ret)
		ret = append_params(s, &spec, front, "front/");
	if (!ret)
		ret = append_params(s, &spec, back, "back/");
	if (!ret)
		ret = policy_add_service(p, spec);
	free(spec);
	free(back);
	free(front);
	free(service);
	return ret;
}

static int read_number(struct store *s, unsigned int *number, const char *dir,
		       const char *name, unsigned int min, unsigned int max)
{
	char *text = store_read(s, "%s/budget/%s", dir, name);
	int ret = check_read(s, dir);

	if (text)
		ret = text_option(name, text, min, max, number);
	free(text);
	return ret;
}

int policy_read(struct store *s, struct policy *p, const char *dir)
{
	char *uuid = store_read(s, "%s/uuid", dir);
	size_t i, count;
	char **nodes;
	int ret;

	ret = uuid ? policy_set_uuid(p, uuid) : fail("%s has no uuid", dir);
	free(uuid);
	if (!ret)
		ret = read_number(s, &p->channels, dir, "channels", 1, POLICY_CHANNELS);
	if (!ret)
		ret = read_number(s, &p->pages, dir, "pages", POLICY_PAGES_MIN,
				  POLICY_PAGES_MAX);
	nodes = policy_nodes(s, dir, &count);
	if (!ret)
		ret = check_read(s, dir);
	for (i = 0; !ret && i < count; i++)
		ret = read_service(s, p, dir, nodes[i]);
	policy_free_nodes(nodes, count);
	return ret ? EXIT_FAILED : EXIT_OK;
}
