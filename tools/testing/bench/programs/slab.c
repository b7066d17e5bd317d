// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what ftrace wrote of the events kmem:kmalloc, kmem_cache_alloc, kfree and
 * kmem_cache_free, and says what was taken from the slab allocator and not given back: by the
 * core, for sysfs, and by all others that ran. Bytes are those of the objects, not those that
 * were asked for. Who took how much goes to stderr.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SLAB_MOST	65536u	/* allocations that are held; a power of two */
#define SLAB_SITES	256u

/* An allocation, at a place that its address hashes to, or behind. */
static struct held {
	unsigned long long at;
	unsigned long bytes;
	unsigned int site;
} held[SLAB_MOST];

static struct site {
	char name[96];
	unsigned long bytes;
} sites[SLAB_SITES];

static struct held *held_find(unsigned long long at)
{
	unsigned int i, n = (unsigned int)(at * 0x9e3779b97f4a7c15ull >> 40) % SLAB_MOST;

	for (i = 0; i < SLAB_MOST; i++, n = (n + 1) % SLAB_MOST)
		if (!held[n].at || held[n].at == at)
			return &held[n];
	errx(1, "more than %u allocations", SLAB_MOST);
}

/* Up to the offset in it; a module's name is kept. */
static unsigned int site_find(const char *line)
{
	const char *from = strstr(line, "call_site=") + strlen("call_site=");
	const char *module = strchr(from, '[');
	char name[sizeof(sites->name)];
	unsigned int i;

	snprintf(name, sizeof(name), "%.*s%.*s", (int)strcspn(from, "+ "), from,
		 module ? (int)strcspn(module, " ") : 0, module ? module : "");
	for (i = 0; i < SLAB_SITES && sites[i].name[0]; i++)
		if (!strcmp(sites[i].name, name))
			return i;
	if (i == SLAB_SITES)
		errx(1, "more than %u callers", SLAB_SITES);
	strcpy(sites[i].name, name);
	return i;
}

static void line_read(const char *line)
{
	const char *ptr = strstr(line, " ptr="), *alloc = strstr(line, " bytes_alloc=");
	unsigned long long in_buffer, written;
	struct held *h;

	if (sscanf(line, "# entries-in-buffer/entries-written: %llu/%llu", &in_buffer,
		   &written) == 2 && in_buffer != written)
		errx(1, "%llu of %llu events are lost", written - in_buffer, written);
	if (!ptr || !strstr(line, "call_site="))
		return;
	h = held_find(strtoull(ptr + 5, NULL, 16));
	if (alloc) {
		h->at = strtoull(ptr + 5, NULL, 16);
		h->bytes = strtoul(alloc + 13, NULL, 10);
		h->site = site_find(line);
	} else {
		h->bytes = 0;	/* its place is kept for what is behind it */
	}
}

/* The core's own, and the name of a channel's kobject. */
static int is_core(const char *name)
{
	return strstr(name, "[xen_duct]") || !strcmp(name, "kobject_set_name_vargs");
}

/* Nodes of files, their names, and what finds them by number. */
static int is_sysfs(const char *name)
{
	return strstr(name, "kernfs") || strstr(name, "radix_tree");
}

static void told(const char *name, const char *channels, unsigned long bytes)
{
	printf("%s channels %s bytes %lu\n", name, channels, bytes);
}

int alone_slab(const char *path, const char *channels)
{
	unsigned long core = 0, sysfs = 0, other = 0;
	FILE *f = fopen(path, "r");
	static char line[1024];
	unsigned int i;

	if (!f)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f))
		line_read(line);
	fclose(f);
	for (i = 0; i < SLAB_MOST; i++)
		if (held[i].bytes)
			sites[held[i].site].bytes += held[i].bytes;
	for (i = 0; i < SLAB_SITES && sites[i].name[0]; i++) {
		if (is_core(sites[i].name))
			core += sites[i].bytes;
		else if (is_sysfs(sites[i].name))
			sysfs += sites[i].bytes;
		else
			other += sites[i].bytes;
		if (sites[i].bytes)
			fprintf(stderr, "# %s %lu\n", sites[i].name, sites[i].bytes);
	}
	told("core", channels, core);
	told("sysfs", channels, sysfs);
	told("other", channels, other);
	return 0;
}
