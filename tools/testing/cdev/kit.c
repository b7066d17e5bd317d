// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "kit.h"

#define ANSWER 1000	/* room for one */

#define PATIENCE 40	/* seconds for a test: the machine may be emulated, and busy */

const char *end_path[4];
static jmp_buf out;
static pthread_t runner;
static int ran, failed;
static const char *running;

#define MAPS 16
static struct {
	void *p;
	size_t size;
} maps[MAPS];
static int maps_len;

void kit_fail(const char *file, int line, const char *text, long long is, long long want)
{
	printf("# %s:%d: %s is %lld, not %lld (errno %d)\n", file, line, text, is, want, errno);
	if (!pthread_equal(pthread_self(), runner)) {
		printf("not ok %d %s\n", ran + 1, running);
		exit(1);
	}
	longjmp(out, 1);
}

static void late(int sig)
{
	char text[200];
	int len = snprintf(text, sizeof(text), "# it takes too long\nnot ok %d %s\n", ran + 1,
			   running);

	(void)sig;
	_exit(write(1, text, len) ? 1 : 2);
}

/* Return: whether it came to its end */
static bool kit_run_one(const struct test *test)
{
	if (setjmp(out))
		return false;
	test->run();
	return true;
}

void kit_run(const struct test *tests)
{
	bool ok;

	runner = pthread_self();
	signal(SIGALRM, late);
	for (; tests->run; tests++) {
		running = tests->name;
		alarm(PATIENCE);
		ok = kit_run_one(tests);
		alarm(0);
		/* Whatever a test has open ends with it. */
		while (maps_len) {
			maps_len--;
			munmap(maps[maps_len].p, maps[maps_len].size);
		}
		close_range(3, ~0U, 0);
		ran++;
		failed += !ok;
		printf("%s %d %s\n", ok ? "ok" : "not ok", ran, tests->name);
		fflush(stdout);
	}
}

int kit_finish(void)
{
	printf("1..%d\n", ran);
	fflush(stdout);
	return failed || !ran;
}

int end_open(int end, int flags)
{
	int fd = open(end_path[end], flags);

	OK(fd >= 0);
	return fd;
}

int end_channel(int end, unsigned int number, unsigned int flags)
{
	struct duct_file_channel arg = { .number = number, .flags = flags };
	int fd = end_open(end, O_RDWR);

	IS(ioctl(fd, DUCT_IOC_CHANNEL, &arg), 0);
	return fd;
}

void say(int fd, const char *text)
{
	IS(write(fd, text, strlen(text)), strlen(text));
}

void hears(int fd, const char *text)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	IS(n, strlen(text));
	IS(memcmp(buf, text, n), 0);
}

short polled(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	OK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

bool polls(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1 && (p.revents & events) == events;
}

void start(pthread_t *thread, void *(*fn)(void *), int fd)
{
	IS(pthread_create(thread, NULL, fn, (void *)(intptr_t)fd), 0);
}

intptr_t joined(pthread_t thread)
{
	void *ret;

	IS(pthread_join(thread, &ret), 0);
	return (intptr_t)ret;
}

static void caught(int sig)
{
	(void)sig;
}

/* By a signal, or more if one comes too early. */
intptr_t interrupted(pthread_t thread, int flags)
{
	struct sigaction action = { .sa_handler = caught, .sa_flags = flags };
	void *ret;

	IS(sigaction(SIGUSR1, &action, NULL), 0);
	do {
		usleep(20000);
		pthread_kill(thread, SIGUSR1);
	} while (pthread_tryjoin_np(thread, &ret) == EBUSY);
	return (intptr_t)ret;
}

struct duct_file_info info_of(int fd)
{
	struct duct_file_info info;

	memset(&info, 0xff, sizeof(info));
	IS(ioctl(fd, DUCT_IOC_INFO, &info), 0);
	return info;
}

void until_up(int fd)
{
	int i;

	for (i = 0; i < 5000 && info_of(fd).error; i++)
		usleep(2000);
	IS(info_of(fd).error, 0);
}

unsigned char pattern(unsigned int seed, unsigned int i)
{
	return (seed * 2654435761u + i * 40503u) >> 13;
}

void fill(unsigned char *p, unsigned int len, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		p[i] = pattern(seed, i);
}

void *map_try(int fd, size_t size, int prot, off_t off)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, off);

	if (p == MAP_FAILED)
		return p;
	IS(maps_len < MAPS, 1);
	maps[maps_len].p = p;
	maps[maps_len++].size = size;
	return p;
}

volatile unsigned char *map(int fd, size_t size, int prot)
{
	void *p = map_try(fd, size, prot, 0);

	OK(p != MAP_FAILED);
	return p;
}

static sigjmp_buf fault;
static int fault_signal;

static void faulted(int sig)
{
	fault_signal = sig;
	siglongjmp(fault, 1);
}

/* Return: the signal that touching it gives, 0: none */
int touched(volatile unsigned char *p, bool write)
{
	struct sigaction action = { .sa_handler = faulted };

	fault_signal = 0;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (!sigsetjmp(fault, 1)) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return fault_signal;
}

int region(int end, unsigned long request, unsigned int id, uint64_t size, unsigned int flags)
{
	struct duct_file_region arg = { .id = id, .size = size, .flags = flags };
	int fd = end_open(end, O_RDWR);

	IS(ioctl(fd, request, &arg), 0);
	return fd;
}

struct duct_file_news news(int fd)
{
	struct duct_file_news n;

	OK(polls(fd, POLLIN, 20000));
	IS(read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

int event(int end, unsigned int id)
{
	struct duct_file_event arg = { .id = id };
	int fd = end_open(end, O_RDWR);

	IS(ioctl(fd, DUCT_IOC_EVENT, &arg), 0);
	return fd;
}

/* Return: length of the answer, or -errno */
int call(int fd, const char *text, char *rsp, unsigned int room, unsigned int ms)
{
	struct duct_file_call arg = {
		.req = (uintptr_t)text, .req_len = strlen(text), .rsp = (uintptr_t)rsp,
		.rsp_len = room, .timeout_ms = ms,
	};

	return ioctl(fd, DUCT_IOC_CALL, &arg) ? -errno : (int)arg.rsp_len;
}

int begin(int fd, const char *text, uint64_t cookie, unsigned int ms)
{
	struct duct_file_call_start arg = {
		.req = (uintptr_t)text, .req_len = strlen(text), .rsp_len = ANSWER,
		.cookie = cookie, .timeout_ms = ms,
	};

	return ioctl(fd, DUCT_IOC_CALL_START, &arg);
}

/* Return: of the call that ended: its error, or length */
int ended(int fd, char *rsp, unsigned int room, uint64_t *cookie, unsigned int flags)
{
	struct duct_file_call_end arg = { .rsp = (uintptr_t)rsp, .rsp_len = room, .flags = flags };

	OK(!ioctl(fd, DUCT_IOC_CALL_END, &arg));
	*cookie = arg.cookie;
	return arg.error ?: (int)arg.rsp_len;
}

/* For threads: what read() and write() give, or -errno. */
void *read_one(void *arg)
{
	char buf[64];
	ssize_t n = read((intptr_t)arg, buf, sizeof(buf));

	return (void *)(intptr_t)(n < 0 ? -errno : n);
}

void *write_one(void *arg)
{
	ssize_t n = write((intptr_t)arg, "hello", 5);

	return (void *)(intptr_t)(n < 0 ? -errno : n);
}
