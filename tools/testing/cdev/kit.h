/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of /dev/duct share: a test ends at its first failed check. */
#ifndef CDEV_KIT_H
#define CDEV_KIT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "duct.h"

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test channel_tests[], many_tests[], stream_tests[], call_tests[], region_tests[],
	event_tests[], input_tests[], life_tests[], client_tests[];

/* The two ends: paths of device files, and, where there are, those of a second service. */
extern const char *end_path[4];
#define LEFT 0
#define RIGHT 1
#define LEFT2 2
#define RIGHT2 3

void kit_run(const struct test *tests);
int kit_finish(void);
void kit_serve(const char *path);
void kit_fail(const char *file, int line, const char *text, long long is, long long want)
	__attribute__((noreturn));

/* VALUE is what an expression gives; ERR that it gives -1 with this errno. */
#define IS(expr, want) do {								\
	long long is_ = (long long)(expr), want_ = (long long)(want);			\
	if (is_ != want_)								\
		kit_fail(__FILE__, __LINE__, #expr, is_, want_);			\
} while (0)
#define OK(expr) IS(!!(expr), 1)
#define ERR(expr, error) do {								\
	errno = 0;									\
	IS((expr), -1);									\
	IS(errno, error);								\
} while (0)

int end_open(int end, int flags);
int end_channel(int end, unsigned int number, unsigned int flags);
void say(int fd, const char *text);
void hears(int fd, const char *text);
short polled(int fd, short events);
bool polls(int fd, short events, int ms);
void start(pthread_t *thread, void *(*fn)(void *), int fd);
intptr_t joined(pthread_t thread);
intptr_t interrupted(pthread_t thread, int flags);
void *read_one(void *arg);
void *write_one(void *arg);
struct duct_file_info info_of(int fd);
void until_up(int fd);

/* Mappings end with their test. */
void *map_try(int fd, size_t size, int prot, off_t off);
volatile unsigned char *map(int fd, size_t size, int prot);
int touched(volatile unsigned char *p, bool write);

int region(int end, unsigned long request, unsigned int id, uint64_t size, unsigned int flags);
int event(int end, unsigned int id);
struct duct_file_news news(int fd);
int call(int fd, const char *text, char *rsp, unsigned int room, unsigned int ms);
int begin(int fd, const char *text, uint64_t cookie, unsigned int ms);
int ended(int fd, char *rsp, unsigned int room, uint64_t *cookie, unsigned int flags);

/* Values by a seed, for both ends the same. */
unsigned char pattern(unsigned int seed, unsigned int i);
void fill(unsigned char *p, unsigned int len, unsigned int seed);

#endif
