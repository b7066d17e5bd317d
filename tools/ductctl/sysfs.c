// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"
#include "text.h"

#define SYSFS_PAGE	4096u	/* longest content of a sysfs file */

static char devices[512];

const char *sysfs_devices(void)
{
	const char *root = getenv("DUCTCTL_SYSFS");

	snprintf(devices, sizeof(devices), "%s/bus/duct/devices", root ? root : "/sys");
	return devices;
}

/* The file's one line without its end, cleaned; NULL if it is not one line. */
static char *read_value(int dir, const char *name)
{
	char text[SYSFS_PAGE + 1], *value = NULL;
	struct stat st;
	ssize_t len;
	int fd;

	/* Symbolic links lead to other devices, directories are no values. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & 0444))
		return NULL;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	len = read(fd, text, SYSFS_PAGE);
	close(fd);
	if (len < 0)
		return NULL;
	if (len && text[len - 1] == '\n')
		len--;
	if (!memchr(text, '\n', (size_t)len))
		value = text_clean(text, (size_t)len);
	return value;
}

/* A number as such, so that JSON has no quotes around it; else NULL. */
static struct json_object *number_of(const char *value)
{
	bool negative = value[0] == '-';
	char *end;

	if (!isdigit((unsigned char)value[negative ? 1 : 0]))
		return NULL;
	errno = 0;
	if (negative) {
		long long number = strtoll(value, &end, 10);

		return errno || *end ? NULL : json_object_new_int64(number);
	}
	/* 007 and 0x7 stay text */
	if (value[0] == '0' && value[1])
		return NULL;
	{
		unsigned long long number = strtoull(value, &end, 10);

		return errno || *end ? NULL : json_object_new_uint64(number);
	}
}

static struct dirent **names_of(int dir, int *count)
{
	struct dirent **names = NULL;

	*count = scandirat(dir, ".", &names, NULL, versionsort);
	if (*count < 0)
		*count = 0;
	return names;
}

static struct json_object *attributes_of(int dir, bool numbers)
{
	struct json_object *tree = json_object_new_object();
	struct dirent **names;
	int i, count;

	names = names_of(dir, &count);
	for (i = 0; i < count; i++) {
		char *value = read_value(dir, names[i]->d_name);
		struct json_object *leaf = value ? number_of(value) : NULL;

		if (!leaf && value && !numbers)
			leaf = json_object_new_string(value);
		if (leaf)
			json_object_object_add(tree, names[i]->d_name, leaf);
		free(value);
		free(names[i]);
	}
	free(names);
	return tree;
}

static int open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A channel's number, or what it is: "event3", "region3", "attached3"; NULL: none. */
static struct json_object *channel_of(const char *name)
{
	static const char * const kinds[] = { "", "event", "region", "attached" };
	unsigned long number;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		len = strlen(kinds[i]);
		if (!strncmp(name, kinds[i], len) &&
		    text_number(name + len, UINT32_MAX, &number))
			return len ? json_object_new_string(name) :
				     json_object_new_uint64(number);
	}
	return NULL;
}

static struct json_object *channels_of(int device, bool numbers)
{
	struct json_object *list = json_object_new_array(), *name, *tree;
	int dir = open_dir(device, "channels");
	struct dirent **names;
	int i, count, channel;

	if (dir < 0)
		return list;
	names = names_of(dir, &count);
	for (i = 0; i < count; i++) {
		name = channel_of(names[i]->d_name);
		channel = name ? open_dir(dir, names[i]->d_name) : -1;
		free(names[i]);
		if (channel < 0) {
			json_object_put(name);
			continue;
		}
		tree = json_object_new_object();
		json_object_object_add(tree, "channel", name);
		json_object_object_add(tree, "attributes", attributes_of(channel, numbers));
		json_object_array_add(list, tree);
		close(channel);
	}
	free(names);
	close(dir);
	return list;
}

static void add_driver(struct json_object *tree, int device)
{
	char target[512];
	ssize_t len = readlinkat(device, "driver", target, sizeof(target) - 1);
	char *name;

	if (len < 0)
		return;
	target[len] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	json_object_object_add(tree, "driver", json_object_new_string(name));
}

static struct json_object *device_tree(int dir, const char *name, bool numbers)
{
	struct json_object *tree;
	int device = open_dir(dir, name);

	/* It may have gone since the directory was read. */
	if (device < 0)
		return NULL;
	tree = json_object_new_object();
	json_object_object_add(tree, "device", json_object_new_string(name));
	if (!numbers)
		add_driver(tree, device);
	json_object_object_add(tree, "attributes", attributes_of(device, numbers));
	/* Only devices of services have channels: duct0.echo.0.s */
	if (strchr(name, '.'))
		json_object_object_add(tree, "channels", channels_of(device, numbers));
	close(device);
	return tree;
}

static bool has_uuid(int dir, const char *name, const char *uuid)
{
	int device = open_dir(dir, name);
	bool same = false;
	char *value;

	if (device < 0)
		return false;
	value = read_value(device, "uuid");
	if (value)
		same = !strcasecmp(value, uuid);
	free(value);
	close(device);
	return same;
}

/* One end: duct<N> and all of duct<N>.* */
static struct json_object *end_tree(int dir, struct dirent **names, int count,
				    const char *name, bool numbers)
{
	struct json_object *tree = device_tree(dir, name, numbers), *list, *device;
	size_t len = strlen(name);
	int i;

	if (!tree)
		return NULL;
	list = json_object_new_array();
	for (i = 0; i < count; i++) {
		if (strncmp(names[i]->d_name, name, len) || names[i]->d_name[len] != '.')
			continue;
		device = device_tree(dir, names[i]->d_name, numbers);
		if (device)
			json_object_array_add(list, device);
	}
	json_object_object_add(tree, "devices", list);
	return tree;
}

struct json_object *sysfs_link(const char *uuid, bool numbers)
{
	struct json_object *ends = json_object_new_array(), *end;
	int dir = uuid ? open_dir(AT_FDCWD, sysfs_devices()) : -1;
	struct dirent **names;
	int i, count;

	if (dir < 0)
		return ends;
	names = names_of(dir, &count);
	for (i = 0; i < count; i++) {
		const char *name = names[i]->d_name;

		/* The link's own device has no dot; its services' devices do. */
		if (strchr(name, '.') || !has_uuid(dir, name, uuid))
			continue;
		end = end_tree(dir, names, count, name, numbers);
		if (end)
			json_object_array_add(ends, end);
	}
	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
	close(dir);
	return ends;
}
