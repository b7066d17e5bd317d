// SPDX-License-Identifier: GPL-2.0-only
/* What has no other end: memory, a disk, processors. A line for each, as main.c's. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>

#include "bench.h"

#define DISK_MAX	(1u << 20)

uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void told(const char *what, unsigned int size, unsigned int count, uint64_t ns)
{
	printf("%s-%u messages %u bytes %llu ns %llu\n", what, size, count,
	       (unsigned long long)size * count, (unsigned long long)ns);
}

static void parse(const char *word, unsigned int most, unsigned int *size, unsigned int *count)
{
	if (sscanf(word, "%u:%u", size, count) != 2 || !*size || *size > most)
		errx(2, "%s cannot be", word);
}

int alone_memcpy(char **words)
{
	static char from[BENCH_MAX], to[BENCH_MAX];
	unsigned int size, count, i;

	memset(from, 1, sizeof(from));	/* not the zero page */
	for (; *words; words++) {
		uint64_t start;

		parse(*words, BENCH_MAX, &size, &count);
		start = bench_now();
		for (i = 0; i < count; i++) {
			memcpy(to, from, size);
			__asm__ __volatile__("" : : "r"(to) : "memory");
		}
		told("stream", size, count, bench_now() - start);
	}
	return 0;
}

/* The same bytes again and again: the disk is memory. */
int alone_disk(const char *device, char **words)
{
	int fd = open(device, O_RDONLY | O_DIRECT);
	unsigned int size, count, i;
	void *data;

	if (fd < 0 || posix_memalign(&data, 4096, DISK_MAX))
		err(1, "%s", device);
	memset(data, 1, DISK_MAX);
	for (; *words; words++) {
		uint64_t start;

		parse(*words, DISK_MAX, &size, &count);
		start = bench_now();
		for (i = 0; i < count; i++)
			if (pread(fd, data, size, 0) != (ssize_t)size)
				err(1, "%s: reading", device);
		told("read", size, count, bench_now() - start);
	}
	free(data);
	close(fd);
	return 0;
}

/* As Xen accounts it, of all virtual processors of the domain. */
int alone_cpu(const char *domain)
{
	unsigned int id = (unsigned int)strtoul(domain, NULL, 10);
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	xc_dominfo_t info;

	if (!xen || xc_domain_getinfo(xen, id, 1, &info) != 1 || info.domid != id)
		err(1, "domain %u", id);
	printf("%llu\n", (unsigned long long)info.cpu_time);
	xc_interface_close(xen);
	return 0;
}
