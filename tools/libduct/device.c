// SPDX-License-Identifier: MIT
/* Devices: their names, all of them, and what each is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

/* What the driver lets be a part of a name. */
static bool is_word(const char *word)
{
	const char *of = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	return word && *word && *word != '.' && strspn(word, of) == strlen(word);
}

EXPORT int libduct_path(char *path, size_t size, const char *peer, const char *name)
{
	int len;

	if (!is_word(peer) || !is_word(name))
		return file_fail(EINVAL);
	len = snprintf(path, size, DEVICES "/%s.%s", peer, name);
	if (len < 0 || (size_t)len >= size)
		return file_fail(ENAMETOOLONG);
	return len;
}

static bool is_device(DIR *dir, const char *name)
{
	struct stat st;

	return !fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) && S_ISCHR(st.st_mode);
}

/* Return: 0 after the last, or what @each has returned, or -1 */
static int list_dir(DIR *dir, int (*each)(const char *path, void *arg), void *arg)
{
	char path[sizeof(DEVICES) + sizeof(((struct dirent *)NULL)->d_name) + 1];
	const struct dirent *entry;
	int ret;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? -1 : 0;
		if (!is_device(dir, entry->d_name))
			continue;
		snprintf(path, sizeof(path), DEVICES "/%s", entry->d_name);
		ret = each(path, arg);
		if (ret)
			return ret;
	}
}

EXPORT int libduct_list(int (*each)(const char *path, void *arg), void *arg)
{
	DIR *dir = opendir(DEVICES);
	int ret, err;

	/* It is there when there is a device. */
	if (!dir)
		return errno == ENOENT ? 0 : -1;
	ret = list_dir(dir, each, arg);
	err = errno;
	closedir(dir);
	errno = err;
	return ret;
}

EXPORT int libduct_device_info(const char *device, struct libduct_info *info)
{
	int ret, err, fd = file_open(device, 0);

	if (fd < 0)
		return -1;
	ret = file_info(fd, info);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}
