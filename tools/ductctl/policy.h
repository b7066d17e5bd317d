/* SPDX-License-Identifier: GPL-2.0-only */
/* What a link may do: its identity, its services and their parameters, budgets. */
#ifndef DUCTCTL_POLICY_H
#define DUCTCTL_POLICY_H

#include <json-c/json.h>
#include <stddef.h>

#include "store.h"

#define POLICY_SERVICES		64u
#define POLICY_NAME		15u	/* characters of a service's name */
#define POLICY_INSTANCE		65535u
#define POLICY_KEY		32u
#define POLICY_VALUE		256u
#define POLICY_CHANNELS		1023u
#define POLICY_PAGES_MIN	64u
#define POLICY_PAGES_MAX	16384u
#define POLICY_UUID		36u

/* Budgets of a link when none are given: 8 MiB, about 30 busy channels. */
#define POLICY_CHANNELS_DEFAULT	256u
#define POLICY_PAGES_DEFAULT	2048u

struct policy_param {
	char *key;		/* "key", "front/key" or "back/key" */
	char *value;
};

struct policy_service {
	char *name;		/* "echo.0" */
	struct policy_param *params;
	size_t count;
};

struct policy {
	char uuid[POLICY_UUID + 1];	/* empty: not given */
	unsigned int channels;
	unsigned int pages;
	struct policy_service *services;
	size_t count;
};

void policy_init(struct policy *p);

/* Arguments of --uuid and --service; wrong ones are usage errors. */
int policy_set_uuid(struct policy *p, const char *text);
int policy_add_service(struct policy *p, const char *text);
void policy_free(struct policy *p);

/* Gives it a random UUID if it has none. */
int policy_need_uuid(struct policy *p);

/* Writes uuid, services and budget into a directory. */
int policy_write(struct store *s, const struct policy *p,
		 const struct store_perm *perm, const char *dir);

/*
 * Reads them back from a directory, with the same checks as for the command
 * line. An error names what is wrong there.
 */
int policy_read(struct store *s, struct policy *p, const char *dir);

/*
 * Its services below a directory as nodes "<name>/<n>", one more than allowed at
 * most so that too many are seen. s->error tells whether a listing failed.
 */
#define POLICY_NODES (POLICY_SERVICES + 1)
char **policy_nodes(struct store *s, const char *dir, size_t *count);
void policy_free_nodes(char **nodes, size_t count);

/* "echo.0" of the node "echo/0"; to be freed. */
char *policy_service_name(const char *node);

/* The options that stand for it: array of arguments. */
struct json_object *policy_arguments(const struct policy *p);

#endif /* DUCTCTL_POLICY_H */
