// SPDX-License-Identifier: GPL-2.0
/*
 * What the toolstack allows on a link: which services, their parameters, and
 * the budgets. Made by the wire before each start, read only after that.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "control.h"
#include "policy.h"

struct duct_policy_param {
	struct list_head node;
	const char *key;
	const char *value;
};

struct duct_policy_entry {
	struct list_head node;
	u8 name[DUCT_SERVICE_NAME];
	u32 instance;
	unsigned int params_len;
	struct list_head params;
};

struct duct_policy {
	struct kref kref;
	unsigned int channels;
	unsigned int pages;
	unsigned int entries_len;
	struct list_head entries;
};

/**
 * duct_policy_new() - a policy that allows nothing, with default budgets. [sleep]
 *
 * Return: the policy, the caller's until duct_policy_put(), or NULL
 */
struct duct_policy *duct_policy_new(void)
{
	struct duct_policy *policy = kzalloc(sizeof(*policy), GFP_KERNEL);

	if (!policy)
		return NULL;
	kref_init(&policy->kref);
	INIT_LIST_HEAD(&policy->entries);
	policy->channels = DUCT_POLICY_CHANNELS;
	policy->pages = DUCT_POLICY_PAGES;
	return policy;
}
EXPORT_SYMBOL_GPL(duct_policy_new);

static void duct_policy_release(struct kref *kref)
{
	struct duct_policy *policy = container_of(kref, struct duct_policy, kref);
	struct duct_policy_entry *entry, *next_entry;
	struct duct_policy_param *param, *next;

	list_for_each_entry_safe(entry, next_entry, &policy->entries, node) {
		list_for_each_entry_safe(param, next, &entry->params, node) {
			kfree(param->key);
			kfree(param->value);
			kfree(param);
		}
		kfree(entry);
	}
	kfree(policy);
}

struct duct_policy *duct_policy_get(struct duct_policy *policy)
{
	kref_get(&policy->kref);
	return policy;
}

/**
 * duct_policy_put() - give a policy back. [sleep]
 * @policy: NULL is fine
 */
void duct_policy_put(struct duct_policy *policy)
{
	if (policy)
		kref_put(&policy->kref, duct_policy_release);
}
EXPORT_SYMBOL_GPL(duct_policy_put);

/* "echo.0" -> name and number; -EINVAL for anything else. */
static int duct_policy_parse(const char *service, u8 *name, u32 *instance)
{
	const char *dot = strrchr(service, '.');
	u16 number;

	if (!dot || dot == service || dot - service >= DUCT_SERVICE_NAME)
		return -EINVAL;
	if (kstrtou16(dot + 1, 10, &number))
		return -EINVAL;
	memset(name, 0, DUCT_SERVICE_NAME);
	memcpy(name, service, dot - service);
	*instance = number;
	return duct_name_valid(name) ? 0 : -EINVAL;
}

static struct duct_policy_entry *duct_policy_find(const struct duct_policy *policy,
						  const u8 *name, u32 instance)
{
	struct duct_policy_entry *entry;

	list_for_each_entry(entry, &policy->entries, node)
		if (entry->instance == instance && !memcmp(entry->name, name, DUCT_SERVICE_NAME))
			return entry;
	return NULL;
}

/**
 * duct_policy_allow() - a service may be offered or used. [sleep]
 * @policy: not yet given to a link
 * @service: "<name>.<number>"
 *
 * Return: 0, -EINVAL if that is no service, -EEXIST, -E2BIG, -ENOMEM
 */
int duct_policy_allow(struct duct_policy *policy, const char *service)
{
	struct duct_policy_entry *entry;
	u8 name[DUCT_SERVICE_NAME];
	u32 instance;

	if (duct_policy_parse(service, name, &instance))
		return -EINVAL;
	if (duct_policy_find(policy, name, instance))
		return -EEXIST;
	if (policy->entries_len >= DUCT_POLICY_SERVICES)
		return -E2BIG;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	memcpy(entry->name, name, sizeof(name));
	entry->instance = instance;
	INIT_LIST_HEAD(&entry->params);
	list_add_tail(&entry->node, &policy->entries);
	policy->entries_len++;
	return 0;
}
EXPORT_SYMBOL_GPL(duct_policy_allow);

/**
 * duct_policy_param() - a parameter of an allowed service; the first value of a key counts. [sleep]
 * @policy: not yet given to a link
 * @service: as in duct_policy_allow()
 * @key: name
 * @value: text
 *
 * Return: 0, -EINVAL, -ENOENT if the service is not allowed, -E2BIG, -ENOMEM
 */
int duct_policy_param(struct duct_policy *policy, const char *service,
		      const char *key, const char *value)
{
	struct duct_policy_entry *entry;
	struct duct_policy_param *param;
	u8 name[DUCT_SERVICE_NAME];
	u32 instance;

	if (duct_policy_parse(service, name, &instance))
		return -EINVAL;
	entry = duct_policy_find(policy, name, instance);
	if (!entry)
		return -ENOENT;
	if (entry->params_len >= DUCT_POLICY_PARAMS)
		return -E2BIG;
	param = kzalloc(sizeof(*param), GFP_KERNEL);
	if (!param)
		return -ENOMEM;
	param->key = kstrdup(key, GFP_KERNEL);
	param->value = kstrdup(value, GFP_KERNEL);
	if (!param->key || !param->value) {
		kfree(param->key);
		kfree(param->value);
		kfree(param);
		return -ENOMEM;
	}
	list_add_tail(&param->node, &entry->params);
	entry->params_len++;
	return 0;
}
EXPORT_SYMBOL_GPL(duct_policy_param);

/**
 * duct_policy_budget() - set the budgets. [any]
 * @policy: not yet given to a link
 * @channels: at once, 1 to DUCT_SLOTS - 1; 0: leave it
 * @pages: of the arena, DUCT_CHUNK_PAGES to 16384; 0: leave it
 *
 * Return: 0 or -ERANGE
 */
int duct_policy_budget(struct duct_policy *policy, unsigned int channels, unsigned int pages)
{
	if (channels >= DUCT_SLOTS || (pages && (pages < DUCT_CHUNK_PAGES || pages > 16384)))
		return -ERANGE;
	if (channels)
		policy->channels = channels;
	if (pages)
		policy->pages = pages;
	return 0;
}
EXPORT_SYMBOL_GPL(duct_policy_budget);

bool duct_policy_allows(const struct duct_policy *policy, const u8 *name, u32 instance)
{
	return policy && duct_policy_find(policy, name, instance);
}

/* Calls @fn for each allowed service until it returns not 0; returns that. */
int duct_policy_for_each(const struct duct_policy *policy,
			 int (*fn)(void *arg, const u8 *name, u32 instance), void *arg)
{
	struct duct_policy_entry *entry;
	int ret;

	list_for_each_entry(entry, &policy->entries, node) {
		ret = fn(arg, entry->name, entry->instance);
		if (ret)
			return ret;
	}
	return 0;
}

/* The value of a parameter, or NULL; lives as long as the policy. */
const char *duct_policy_value(const struct duct_policy *policy, const u8 *name, u32 instance,
			      const char *key)
{
	struct duct_policy_entry *entry = duct_policy_find(policy, name, instance);
	struct duct_policy_param *param;

	if (!entry)
		return NULL;
	list_for_each_entry(param, &entry->params, node)
		if (!strcmp(param->key, key))
			return param->value;
	return NULL;
}

u32 duct_policy_channels(const struct duct_policy *policy)
{
	return policy->channels;
}

u32 duct_policy_pages(const struct duct_policy *policy)
{
	return policy->pages;
}
