// SPDX-License-Identifier: GPL-2.0
/*
 * What the rig's scripts need of xenstore, in one static program: a shell's
 * xenstore-* tools cost a tenth of a second each under emulation, and a request
 * to a guest would need eight of them.
 *
 *   rigxs ask DOMID SECONDS COMMAND   runs COMMAND in a guest; its output and
 *                                     exit status; 124 no answer, 125 no guest.
 *                                     One at a time: SECONDS are its own
 *   rigxs wait SECONDS PATH VALUE...  until the node holds one of the values;
 *                                     an empty value stands for no node at all
 *   rigxs serve                       in the guest: the other half of ask
 *   rigxs follow NAME FILE TO         copies what is and comes in FILE, each line
 *                                     with its NAME; to the end, if terminated
 *
 * Request and answer are nodes below /local/domain/DOMID/rig: "cmd" holds
 * "TOKEN SECONDS COMMAND"; "out" and "out2" the output, "done" "TOKEN STATUS".
 * Both sides sleep in a watch.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* From xen/io/xs_wire.h, which is a stable interface. */
enum { XS_READ = 2, XS_WATCH = 4, XS_WRITE = 11, XS_WATCH_EVENT = 15, XS_ERROR = 16 };

struct xs_msg {
	uint32_t type, req_id, tx_id, len;
};

#define XS_MAX 4096
/* xenstored lets a guest write 2048 bytes to a node; two nodes hold the output. */
#define OUT_NODE 1500
#define OUT_MAX (2 * OUT_NODE)
#define FOREVER INT64_MAX

static int xs_fd;
static int xs_events; /* seen while waiting for a reply, not yet acted upon */

static void xs_open(void)
{
	xs_fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	if (xs_fd < 0)
		xs_fd = open("/proc/xen/xenbus", O_RDWR | O_CLOEXEC);
	if (xs_fd < 0)
		err(125, "xenbus device");
}

static void read_all(void *buf, size_t len)
{
	while (len) {
		ssize_t n = read(xs_fd, buf, len);

		if (n <= 0)
			err(125, "xenstore read");
		buf = (char *)buf + n;
		len -= n;
	}
}

/* Takes one message; body is NUL-terminated. */
static void xs_take(struct xs_msg *m, char body[XS_MAX + 1])
{
	read_all(m, sizeof(*m));
	if (m->len > XS_MAX)
		errx(125, "xenstore message of %u bytes", m->len);
	read_all(body, m->len);
	body[m->len] = 0;
}

/* One request and its reply; true unless that is an error. */
static int xs_call(uint32_t type, const char *a, size_t a_len, const char *b, size_t b_len,
		   char reply[XS_MAX + 1])
{
	struct xs_msg m = { .type = type, .len = a_len + b_len };
	char all[sizeof(m) + XS_MAX], scratch[XS_MAX + 1];

	if (m.len > XS_MAX)
		errx(125, "xenstore request of %u bytes", m.len);
	memcpy(all, &m, sizeof(m));
	memcpy(all + sizeof(m), a, a_len);
	memcpy(all + sizeof(m) + a_len, b, b_len);
	if (write(xs_fd, all, sizeof(m) + m.len) < 0)
		err(125, "xenstore write");
	for (;;) {
		xs_take(&m, reply ? reply : scratch);
		if (m.type != XS_WATCH_EVENT)
			return m.type != XS_ERROR;
		xs_events++;
	}
}

static int xs_get(const char *path, char value[XS_MAX + 1])
{
	return xs_call(XS_READ, path, strlen(path) + 1, "", 0, value);
}

static void xs_put(const char *path, const char *value, size_t len)
{
	if (!xs_call(XS_WRITE, path, strlen(path) + 1, value, len, NULL))
		warnx("cannot write %s", path);
}

static void xs_watch(const char *path)
{
	if (!xs_call(XS_WATCH, path, strlen(path) + 1, "w", 2, NULL))
		errx(125, "cannot watch %s", path);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Until any watch fires, true; or the time is over, false. */
static int xs_sleep(int64_t until)
{
	struct pollfd p = { .fd = xs_fd, .events = POLLIN };
	char body[XS_MAX + 1];
	struct xs_msg m;

	if (!xs_events) {
		int64_t left = until - now_ms();

		if (until != FOREVER && left <= 0)
			return 0;
		if (poll(&p, 1, until == FOREVER ? -1 : (int)left) <= 0)
			return 0;
		xs_take(&m, body);
	}
	xs_events = 0;
	return 1;
}

/* A guest has one node for what is asked: who asks meanwhile waits, until this one ends. */
static void ask_alone(const char *domid)
{
	char path[64];
	int lock;

	snprintf(path, sizeof(path), "/run/rigxs.%s", domid);
	lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		err(125, "%s", path);
}

static int ask(const char *domid, int seconds, const char *command)
{
	char home[64], node[96], cmd[XS_MAX], value[XS_MAX + 1], token[32];
	struct timespec t;
	int status = -1;
	int64_t until;

	ask_alone(domid);
	until = now_ms() + seconds * 1000LL;
	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(token, sizeof(token), "%lx%09lx", (long)t.tv_sec, t.tv_nsec);
	snprintf(home, sizeof(home), "/local/domain/%s/name", domid);
	if (!xs_get(home, value))
		return printf("no domain %s\n", domid), 125;

	/* Watching before asking: no answer can be missed, nor a death. */
	snprintf(node, sizeof(node), "/local/domain/%s/rig/done", domid);
	xs_watch(node);
	xs_watch("@releaseDomain");
	if (snprintf(cmd, sizeof(cmd), "%s %d %s", token, seconds, command) > XS_MAX - 96)
		return printf("command too long\n"), 125;
	snprintf(value, sizeof(value), "/local/domain/%s/rig/cmd", domid);
	xs_put(value, cmd, strlen(cmd));

	/* The guest ends the command at the limit, and has two seconds to say so. */
	while (status < 0) {
		if (!xs_sleep(until + 2000))
			return printf("no answer in %d s to: %s\n", seconds, command), 124;
		if (xs_get(node, value) && !strncmp(value, token, strlen(token)))
			status = atoi(value + strlen(token));
		else if (!xs_get(home, value))
			return printf("domain %s died\n", domid), 125;
	}
	snprintf(node, sizeof(node), "/local/domain/%s/rig/out", domid);
	if (xs_get(node, value))
		fputs(value, stdout);
	strcat(node, "2");
	if (xs_get(node, value))
		fputs(value, stdout);
	return status;
}

static int wait_node(int seconds, const char *path, char **values)
{
	int64_t until = now_ms() + seconds * 1000LL;
	char value[XS_MAX + 1] = "";

	xs_watch(path);
	do {
		int there = xs_get(path, value);

		for (char **v = values; *v; v++)
			if (there ? !strcmp(*v, value) : !**v)
				return 0;
		if (!there)
			strcpy(value, "not there");
	} while (xs_sleep(until));
	printf("%s is \"%s\" after %d s\n", path, value, seconds);
	return 1;
}

/* Runs command; what it says goes to the console as it comes, its start to out. */
static int run(const char *command, int seconds, char out[OUT_MAX], size_t *len)
{
	int64_t until = now_ms() + seconds * 1000LL;
	int said[2], status, sigs, ended = 0;
	struct signalfd_siginfo sig;
	struct pollfd p[2];
	char buf[4096];
	sigset_t chld;
	ssize_t n;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigs = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigs < 0 || pipe2(said, O_CLOEXEC) < 0)
		err(1, "run");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		setsid();
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(said[1], 1);
		dup2(said[1], 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(said[1]);
	fcntl(said[0], F_SETFL, O_NONBLOCK);
	p[0] = (struct pollfd){ .fd = sigs, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = said[0], .events = POLLIN };
	*len = 0;
	/* The command's end counts, not its output's: something may stay behind. */
	while (!ended) {
		int64_t left = until - now_ms();

		if (left <= 0)
			kill(-pid, SIGKILL);
		poll(p, 2, left > 0 ? left : -1);
		/* It stays pending, for the next command, too, until it is read. */
		while (read(sigs, &sig, sizeof(sig)) > 0)
			;
		ended = waitpid(pid, &status, WNOHANG) == pid;
		while ((n = read(said[0], buf, sizeof(buf))) > 0) {
			size_t room = OUT_MAX - *len, take = (size_t)n < room ? (size_t)n : room;

			memcpy(out + *len, buf, take);
			*len += take;
			fwrite(buf, 1, n, stdout);
			fflush(stdout);
		}
		/* Only its death is left to wait for. */
		if (!n)
			p[1].fd = -1;
	}
	close(said[0]);
	close(sigs);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void serve(void)
{
	char value[XS_MAX + 1], last[64] = "", token[64], done[96], out[OUT_MAX];
	int seconds, status, at;
	size_t len;

	/* What was answered before this one started is not to be run again. */
	if (xs_get("rig/done", value))
		sscanf(value, "%63s", last);
	xs_watch("rig/cmd");
	while (xs_sleep(FOREVER)) {
		if (!xs_get("rig/cmd", value) ||
		    sscanf(value, "%63s %d %n", token, &seconds, &at) < 2 ||
		    !strcmp(token, last))
			continue;
		strcpy(last, token);
		printf("rig + %s\n", value + at);
		status = run(value + at, seconds, out, &len);
		printf("rig = %d\n", status);
		fflush(stdout);
		xs_put("rig/out", out, len < OUT_NODE ? len : OUT_NODE);
		xs_put("rig/out2", out + OUT_NODE, len < OUT_NODE ? 0 : len - OUT_NODE);
		xs_put("rig/done", done, snprintf(done, sizeof(done), "%s %d", token, status));
	}
}

static void follow(const char *name, const char *file, const char *to)
{
	int in = open(file, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	int out = open(to, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	int notify = inotify_init1(IN_CLOEXEC), sigs, last = 0;
	struct pollfd p[2];
	size_t start = strlen(name) + 2, len = start;
	char line[2048], c[4096];
	sigset_t term;
	ssize_t n;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	sigs = signalfd(-1, &term, SFD_CLOEXEC);
	if (in < 0 || out < 0 || sigs < 0 || inotify_add_watch(notify, file, IN_MODIFY) < 0)
		err(1, "follow %s", file);
	p[0] = (struct pollfd){ .fd = notify, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = sigs, .events = POLLIN };
	snprintf(line, sizeof(line), "%s| ", name);
	for (;;) {
		while ((n = read(in, c, sizeof(c))) > 0)
			for (ssize_t i = 0; i < n; i++) {
				line[len++] = c[i];
				if (c[i] != '\n' && len < sizeof(line) - 1)
					continue;
				/* In one piece: others write there, too. */
				if (c[i] != '\n')
					line[len++] = '\n';
				if (write(out, line, len) < 0)
					err(1, "%s", to);
				len = start;
			}
		if (last)
			break;
		poll(p, 2, -1);
		if (p[0].revents)
			read(notify, c, sizeof(c));
		last = p[1].revents;
	}
	line[len++] = '\n';
	if (len > start + 1)
		write(out, line, len);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "follow"))
		return follow(argv[2], argv[3], argv[4]), 0;
	xs_open();
	if (argc == 5 && !strcmp(argv[1], "ask"))
		return ask(argv[2], atoi(argv[3]), argv[4]);
	if (argc > 4 && !strcmp(argv[1], "wait"))
		return wait_node(atoi(argv[2]), argv[3], argv + 4);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve(), 1;
	errx(2, "usage: rigxs ask DOMID SECONDS COMMAND | wait SECONDS PATH VALUE...\n"
		"       rigxs serve | follow NAME FILE TO");
}
