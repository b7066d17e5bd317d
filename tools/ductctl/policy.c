// SPDX-License-Identifier: GPL-2.0-only
/* The policy as the command line gives it, and checked. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ductctl.h"
#include "policy.h"
#include "text.h"

static const char uuid_source[] = "/proc/sys/kernel/random/uuid";

void policy_init(struct policy *p)
{
	memset(p, 0, sizeof(*p));
	p->channels = POLICY_CHANNELS_DEFAULT;
	p->pages = POLICY_PAGES_DEFAULT;
}

/* 8-4-4-4-12 digits, stored in lower case so that equal ones are the same. */
int policy_set_uuid(struct policy *p, const char *text)
{
	size_t i;

	if (strlen(text) != POLICY_UUID)
		goto bad;
	for (i = 0; i < POLICY_UUID; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			goto bad;
		p->uuid[i] = (char)tolower((unsigned char)text[i]);
	}
	p->uuid[POLICY_UUID] = '\0';
	return EXIT_OK;
bad:
	p->uuid[0] = '\0';
	return usage_error("--uuid: '%s' is no UUID", text);
}

int policy_need_uuid(struct policy *p)
{
	char text[POLICY_UUID + 1] = "";
	ssize_t got;
	int fd;

	if (p->uuid[0])
		return EXIT_OK;
	fd = open(uuid_source, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail("%s: %s", uuid_source, strerror(errno));
	got = read(fd, text, POLICY_UUID);
	close(fd);
	if (got != (ssize_t)POLICY_UUID)
		return fail("%s: no UUID there", uuid_source);
	return policy_set_uuid(p, text);
}

static const struct policy_service *find_service(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (!strcmp(p->services[i].name, name))
			return &p->services[i];
	return NULL;
}

/* @text is NAME.N of @len characters; what is kept has N in its shortest form. */
static int add_name(struct policy *p, const char *text, size_t len)
{
	struct policy_service *service;
	char *whole = text_copy_n(text, len);
	char *dot = strrchr(whole, '.');
	unsigned long instance;
	int ret = EXIT_OK;
	char *name;

	if (!dot || !text_is_word(whole, (size_t)(dot - whole), POLICY_NAME, true) ||
	    !text_number(dot + 1, POLICY_INSTANCE, &instance)) {
		ret = usage_error("--service: '%s' is not NAME.N: 1 to %u of a-z 0-9 _ - and a number up to %u",
				  whole, POLICY_NAME, POLICY_INSTANCE);
		goto out;
	}
	name = text_format("%.*s.%lu", (int)(dot - whole), whole, instance);
	if (find_service(p, name)) {
		ret = usage_error("--service: '%s' is given twice", name);
		free(name);
		goto out;
	}
	p->services = text_grow(p->services, p->count + 1, sizeof(*p->services));
	service = &p->services[p->count++];
	memset(service, 0, sizeof(*service));
	service->name = name;
out:
	free(whole);
	return ret;
}

static const char *key_word(const char *key)
{
	if (!strncmp(key, "front/", 6))
		return key + 6;
	if (!strncmp(key, "back/", 5))
		return key + 5;
	return key;
}

/* @text is key=value of @len characters. */
static int add_param(struct policy_service *service, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	struct policy_param param;
	const char *word;
	size_t i;

	if (!equals)
		return usage_error("--service %s: '%.*s' is not key=value", service->name,
				   (int)len, text);
	param.key = text_copy_n(text, (size_t)(equals - text));
	param.value = text_copy_n(equals + 1, len - (size_t)(equals + 1 - text));
	word = key_word(param.key);
	/* A bare "front" or "back" is the directory of that end's parameters. */
	if (!text_is_word(word, strlen(word), POLICY_KEY, false) ||
	    !strcmp(param.key, "front") || !strcmp(param.key, "back")) {
		usage_error("--service %s: '%s' is no key: 1 to %u of a-z A-Z 0-9 _ -, for one end after front/ or back/",
			    service->name, param.key, POLICY_KEY);
		goto bad;
	}
	if (!text_is_printable(param.value, strlen(param.value), POLICY_VALUE)) {
		usage_error("--service %s: the value of %s is not printable, or longer than %u bytes",
			    service->name, param.key, POLICY_VALUE);
		goto bad;
	}
	for (i = 0; i < service->count; i++) {
		if (!strcmp(service->params[i].key, param.key)) {
			usage_error("--service %s: %s is given twice", service->name, param.key);
			goto bad;
		}
	}
	service->params = text_grow(service->params, service->count + 1,
				    sizeof(*service->params));
	service->params[service->count++] = param;
	return EXIT_OK;
bad:
	free(param.key);
	free(param.value);
	return EXIT_USAGE;
}

int policy_add_service(struct policy *p, const char *text)
{
	size_t len = strcspn(text, ",");
	int ret;

	if (p->count == POLICY_SERVICES)
		return usage_error("--service: more than %u services", POLICY_SERVICES);
	ret = add_name(p, text, len);
	while (!ret && text[len] == ',') {
		text += len + 1;
		len = strcspn(text, ",");
		ret = add_param(&p->services[p->count - 1], text, len);
	}
	return ret;
}

void policy_free(struct policy *p)
{
	size_t i, j;

	for (i = 0; i < p->count; i++) {
		for (j = 0; j < p->services[i].count; j++) {
			free(p->services[i].params[j].key);
			free(p->services[i].params[j].value);
		}
		free(p->services[i].params);
		free(p->services[i].name);
	}
	free(p->services);
	memset(p, 0, sizeof(*p));
}

struct json_object *policy_arguments(const struct policy *p)
{
	struct json_object *list = json_object_new_array();
	char *service, *longer, *number;
	size_t i, j;

#define ADD(text) json_object_array_add(list, json_object_new_string(text))
	ADD("--uuid");
	ADD(p->uuid);
	ADD("--channels");
	number = text_format("%u", p->channels);
	ADD(number);
	free(number);
	ADD("--pages");
	number = text_format("%u", p->pages);
	ADD(number);
	free(number);
	for (i = 0; i < p->count; i++) {
		const struct policy_service *from = &p->services[i];

		service = text_copy(from->name);
		for (j = 0; j < from->count; j++) {
			longer = text_format("%s,%s=%s", service, from->params[j].key,
					     from->params[j].value);
			free(service);
			service = longer;
		}
		ADD("--service");
		ADD(service);
		free(service);
	}
#undef ADD
	return list;
}
