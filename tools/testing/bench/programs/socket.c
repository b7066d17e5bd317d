// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel has of its own. unix and pipe make both ends, the address does not matter;
 * tcp, udp: ADDRESS:PORT; vsock: CID:PORT. The server's address is what it listens at.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "bench.h"

static int in = -1, out = -1;

static void fd_send(const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(out, p, len);

		if (n <= 0)
			err(1, "sending");
		p += n;
		len -= (size_t)n;
	}
}

static size_t fd_some(void *data, size_t size)
{
	ssize_t n = read(in, data, size);

	if (n <= 0)
		err(1, "receiving");
	return (size_t)n;
}

static void fd_recv(void *data, size_t len)
{
	char *p = data;

	while (len) {
		size_t n = fd_some(p, len);

		p += n;
		len -= n;
	}
}

/* ---- both ends from here: the child becomes the server of the same program ---- */

static void fork_server(int their_in, int their_out, const char *name)
{
	char fds[32];

	snprintf(fds, sizeof(fds), "%d,%d", their_in, their_out);
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		execl("/proc/self/exe", "duct-bench", name, fds, (char *)NULL);
		err(1, "exec");
	}
	close(their_in);
	close(their_out);
}

static int inherited(const char *address)
{
	return sscanf(address, "%d,%d", &in, &out) == 2;
}

static void unix_open(const char *address, int server)
{
	int fd[2];

	if (server && inherited(address))
		return;
	if (server || socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		err(1, "socketpair");
	fork_server(fd[1], fd[1], "unix");
	in = fd[0];
	out = fd[0];
}

static void pipe_open(const char *address, int server)
{
	int to[2], from[2];

	if (server && inherited(address))
		return;
	if (server || pipe(to) || pipe(from))
		err(1, "pipe");
	fork_server(to[0], from[1], "pipe");
	in = from[0];
	out = to[1];
}

/* ---- connections ---- */

static void connect_to(const struct sockaddr *addr, socklen_t len, int server)
{
	int fd = socket(addr->sa_family, SOCK_STREAM, 0), on = 1;

	if (fd < 0)
		err(1, "socket");
	if (server) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, addr, len) || listen(fd, 1))
			err(1, "listening");
		in = accept(fd, NULL, NULL);
		if (in < 0)
			err(1, "accept");
		close(fd);
	} else {
		if (connect(fd, addr, len))
			err(1, "connecting");
		in = fd;
	}
	out = in;
}

static struct sockaddr_in inet_address(const char *address)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char host[32];
	unsigned short port;

	if (sscanf(address, "%31[0-9.]:%hu", host, &port) != 2 ||
	    inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		errx(2, "%s: no ADDRESS:PORT", address);
	sin.sin_port = htons(port);
	return sin;
}

static void tcp_open(const char *address, int server)
{
	struct sockaddr_in sin = inet_address(address);
	int on = 1;

	connect_to((struct sockaddr *)&sin, sizeof(sin), server);
	setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* The server's other end is who sends first. One that is lost ends the program. */
static void udp_open(const char *address, int server)
{
	struct sockaddr_in sin = inet_address(address);
	const struct timeval wait = { .tv_sec = 10 };
	socklen_t len = sizeof(sin);
	char byte;

	in = socket(AF_INET, SOCK_DGRAM, 0);
	if (in < 0)
		err(1, "socket");
	if (server && (bind(in, (struct sockaddr *)&sin, len) ||
		       recvfrom(in, &byte, 1, MSG_PEEK, (struct sockaddr *)&sin, &len) < 0))
		err(1, "listening");
	if (connect(in, (struct sockaddr *)&sin, len) ||
	    setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		err(1, "connecting");
	out = in;
}

static void vsock_open(const char *address, int server)
{
	struct sockaddr_vm svm = { .svm_family = AF_VSOCK };

	if (sscanf(address, "%u:%u", &svm.svm_cid, &svm.svm_port) != 2)
		errx(2, "%s: no CID:PORT", address);
	connect_to((struct sockaddr *)&svm, sizeof(svm), server);
}

#define WIRE_FD(word, opens)								\
	const struct wire wire_##word = {						\
		.name = #word, .open = opens,						\
		.send = fd_send, .recv = fd_recv, .some = fd_some,			\
	}

WIRE_FD(unix, unix_open);
WIRE_FD(pipe, pipe_open);
WIRE_FD(tcp, tcp_open);
WIRE_FD(udp, udp_open);
WIRE_FD(vsock, vsock_open);
