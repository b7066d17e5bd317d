// SPDX-License-Identifier: GPL-2.0-only
/*
 * libxenvchan, blocking. The address is the other domain's id and the path in xenstore:
 * ID/PATH, below the own domain's directory for the server, absolute for the client. What
 * the library does with its event channel is counted by the linker's --wrap.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxenvchan.h>

#include "bench.h"

static struct libxenvchan *vchan;
static struct counts vchan_sum;
static int vchan_peer;
static const char *vchan_path;

int __real_xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port);
int __wrap_xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port);
int __wrap_xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	vchan_sum.notifies++;
	return __real_xenevtchn_notify(xce, port);
}

xenevtchn_port_or_error_t __real_xenevtchn_pending(xenevtchn_handle *xce);
xenevtchn_port_or_error_t __wrap_xenevtchn_pending(xenevtchn_handle *xce);
xenevtchn_port_or_error_t __wrap_xenevtchn_pending(xenevtchn_handle *xce)
{
	vchan_sum.wakeups++;
	return __real_xenevtchn_pending(xce);
}

static struct libxenvchan *vchan_make(const char *path, int server)
{
	struct libxenvchan *v;

	if (server)
		v = libxenvchan_server_init(NULL, vchan_peer, path, bench_ring, bench_ring);
	else
		v = libxenvchan_client_init(NULL, vchan_peer, path);
	if (!v)
		err(1, "vchan %s with domain %d", path, vchan_peer);
	v->blocking = 1;
	return v;
}

static void vchan_open(const char *address, int server)
{
	char *end;

	vchan_peer = (int)strtol(address, &end, 10);
	if (*end != ':')
		errx(2, "%s: no ID:PATH", address);
	vchan_path = end + 1;
	vchan = vchan_make(vchan_path, server);
}

static void vchan_send(const void *data, size_t len)
{
	if (libxenvchan_write(vchan, data, len) != (int)len)
		err(1, "vchan: sending %zu bytes", len);
}

static void vchan_recv(void *data, size_t len)
{
	if (libxenvchan_recv(vchan, data, len) != (int)len)
		err(1, "vchan: receiving %zu bytes", len);
}

static size_t vchan_some(void *data, size_t size)
{
	int n = libxenvchan_read(vchan, data, size);

	if (n <= 0)
		err(1, "vchan: receiving");
	return (size_t)n;
}

static void vchan_counts(struct counts *counts)
{
	*counts = vchan_sum;
}

/* The client cannot know when there is something to connect to: the server says so. */
static void vchan_again(int server, unsigned int n)
{
	struct libxenvchan *v;
	char path[128], byte = 1;

	snprintf(path, sizeof(path), "%s-%u", vchan_path, n);
	if (server) {
		v = vchan_make(path, 1);
		vchan_send(&byte, 1);
		if (libxenvchan_recv(v, &byte, 1) != 1 || libxenvchan_send(v, &byte, 1) != 1)
			err(1, "vchan %s: serving", path);
		vchan_recv(&byte, 1);
	} else {
		vchan_recv(&byte, 1);
		v = vchan_make(path, 0);
		if (libxenvchan_send(v, &byte, 1) != 1 || libxenvchan_recv(v, &byte, 1) != 1)
			err(1, "vchan %s: asking", path);
		vchan_send(&byte, 1);
	}
	libxenvchan_close(v);
}

const struct wire wire_vchan = {
	.name = "vchan",
	.open = vchan_open,
	.send = vchan_send,
	.recv = vchan_recv,
	.some = vchan_some,
	.counts = vchan_counts,
	.again = vchan_again,
};
