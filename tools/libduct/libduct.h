/* SPDX-License-Identifier: MIT */
/*
 * libduct: xen-duct for programs. It is a thin layer over the files of /dev/duct: each
 * function is one system call, unless it says otherwise.
 */
#ifndef LIBDUCT_H
#define LIBDUCT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: libduct
 *
 * The toolstack gives a pair of domains a link, and allows the service "cdev" on it. Then
 * each of the two has a device file /dev/duct/PEER.NAME. A program opens channels, regions
 * and events of it; the program in the other domain opens the same, by the same number.
 *
 * **Names**: A device is named by its path, or by its name in /dev/duct, for instance
 * "3.console". No rights are needed but those to open this file for reading and writing.
 *
 * **Errors**: What fails returns -1, or NULL, and sets errno. Errors in structures are positive
 * errno values, too. Any function that takes a handle may also fail with ENODEV, when the
 * device was removed, and what takes memory of the program with EFAULT. There is no SIGPIPE.
 *
 * **Waiting**: What waits for the other domain is ended by a signal, with EINTR, if the signal's
 * handler was installed without SA_RESTART. With LIBDUCT_NONBLOCK (of a handle) or
 * LIBDUCT_NOWAIT (of one call) it fails with EAGAIN instead of waiting. Each handle has a
 * file descriptor for poll(), select() and epoll; O_NONBLOCK may be changed there, at any
 * time.
 *
 * **Threads**: Any number of threads may use a handle at the same time; only its close function
 * must be the last. A handle does not change after it was opened, there is no other state,
 * and the library starts no threads and installs no handlers of signals. A message, news, or
 * the triggers of an event go to one of those who wait for them.
 *
 * **fork() and exec()**: Parent and child may both use a handle: there is one channel, region or
 * event, which both have; it ends when both have closed it or ended. But a child maps regions
 * for itself: mappings of the parent's are there or not, by the kind of domain. Descriptors
 * are closed by exec(); to pass one on, clear FD_CLOEXEC or send it over a socket, and make a
 * handle of it with the fdopen function.
 *
 * **Growth**: Structures that may grow begin with their size, which the program sets to sizeof.
 * A later library takes the smaller one of an older program. An older library takes the
 * larger one of a newer program if what it does not know is 0, else it fails with E2BIG; it
 * fills what it does not know with 0. A size that cannot be is EINVAL or E2BIG.
 *
 * Lengths are bytes. Unknown flags are EINVAL.
 */

/* Flags of opening. */
#define LIBDUCT_STREAM		0x1u		/* a channel of bytes, not of messages */
#define LIBDUCT_WRITABLE	0x40u		/* others may write the region, too */
#define LIBDUCT_RESUMABLE	0x80u		/* a channel: nothing is lost with the link */
#define LIBDUCT_NONBLOCK	0x10000u	/* EAGAIN instead of waiting */

/* Flags of one call. */
#define LIBDUCT_NOWAIT		0x2u		/* EAGAIN instead of waiting, this time */
#define LIBDUCT_CUT		0x4u		/* give what fits of a message */

/* Told about a message. */
#define LIBDUCT_WAS_CUT		0x8u		/* the rest of it is lost */
#define LIBDUCT_EOF		0x10u		/* the end, not an empty message */

/* What a file is. */
#define LIBDUCT_NOTHING		0u
#define LIBDUCT_CHANNEL		1u
#define LIBDUCT_OWNER		2u		/* a region of ours */
#define LIBDUCT_ATTACHED	3u		/* a region of the other domain */
#define LIBDUCT_EVENT		4u

/* ---- devices ---- */

/**
 * libduct_path() - the path of a device
 * @path: where it goes, with a 0 at its end
 * @size: room there; 160 is enough for any
 * @peer: the other domain's number in decimal, or what the toolstack's parameter "peer" says
 * @name: the toolstack's parameter "name", or "cdev.N" for the service's instance N
 *
 * Makes no system call: whether there is such a device, opening it will tell.
 *
 * Return:
 * * the length of @path without the 0
 * * -1, EINVAL: @peer or @name can be no part of a name
 * * -1, ENAMETOOLONG: @size is too small
 */
int libduct_path(char *path, size_t size, const char *peer, const char *name);

/**
 * libduct_list() - go through all devices
 * @each: is called with the path of each, which is valid until it returns; it ends the list
 *	by returning anything but 0
 * @arg: is passed to @each
 *
 * In no order. Devices that come or go meanwhile may be among them or not.
 *
 * Return:
 * * 0 after the last
 * * what @each has returned
 * * -1, EACCES: /dev/duct cannot be read
 * * -1, EMFILE, ENFILE, ENOMEM: too many open files, or no memory
 */
int libduct_list(int (*each)(const char *path, void *arg), void *arg);

/**
 * struct libduct_info - what a file is, and how it is
 * @size: sizeof(struct libduct_info), set by the program
 * @kind: LIBDUCT_NOTHING to LIBDUCT_EVENT
 * @error: 0: it is up; ENOTCONN: the other end is not there yet, or it is resumable and the
 *	link is away; EPIPE, ECONNRESET, EPROTO: it has ended, and so; EDQUOT: a budget of the
 *	link is used up; ENODEV: the device is gone
 * @peer: the other domain's number
 * @epoch: counts the connections of the link
 * @instance: of the service "cdev"
 * @number: of the channel, region or event
 * @flags: LIBDUCT_STREAM, LIBDUCT_RESUMABLE
 * @max_msg: channel: longest message, or part of a stream; final when it is up
 * @tx_bytes: channel: size of the ring to the other end; final when it is up
 * @rx_bytes: channel: size of the ring from it; final when it is up
 * @self: region: the own peer id; 0 is the owner's
 * @bytes: region: its size; 0 while an attached one is not up
 * @out_messages: frames sent
 * @out_bytes: payload of them
 * @out_events: times that the other domain was woken
 * @in_messages: frames received
 * @in_bytes: payload of them
 * @wakeups: times that this domain was woken
 */
struct libduct_info {
	uint32_t size;
	uint32_t kind;
	uint32_t error;
	uint32_t peer;
	uint32_t epoch;
	uint32_t instance;
	uint32_t number;
	uint32_t flags;
	uint32_t max_msg;
	uint32_t tx_bytes;
	uint32_t rx_bytes;
	uint32_t self;
	uint64_t bytes;
	uint64_t out_messages;
	uint64_t out_bytes;
	uint64_t out_events;
	uint64_t in_messages;
	uint64_t in_bytes;
	uint64_t wakeups;
};

/**
 * libduct_device_info() - whose device it is, without opening a channel
 * @device: path, or name in /dev/duct
 * @info: is filled; its @size is set by the program
 *
 * Opens and closes the file, which three system calls are.
 *
 * Return:
 * * 0
 * * -1, ENOENT, EACCES, ENXIO: no such device, or no right to use it
 * * -1, ENOTTY: it is none of xen-duct
 * * -1, EINVAL, E2BIG: @device is NULL or empty, or @size cannot be
 * * -1, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM: as open()
 */
int libduct_device_info(const char *device, struct libduct_info *info);

/* ---- channels ---- */

/**
 * struct libduct_channel_config - how to open a channel
 * @size: sizeof(struct libduct_channel_config)
 * @number: which, below 2^31; both ends open the same
 * @flags: LIBDUCT_STREAM, LIBDUCT_RESUMABLE, LIBDUCT_NONBLOCK. Both ends must agree about the
 *	stream, and must both wish it resumable, or it is not; it has no calls then
 * @tx_bytes: size of the ring to the other end, at least; 0: for four messages
 * @rx_bytes: size of the ring from it, at least; 0: the same
 * @max_msg: longest message; 0: as the toolstack's parameter max_msg. The smaller of both
 *	ends' counts
 * @max_calls: calls of the other end that are served here at once, up to 64; 0: they are
 *	refused
 * @max_answer: longest answer that is given here
 */
struct libduct_channel_config {
	uint32_t size;
	uint32_t number;
	uint32_t flags;
	uint32_t tx_bytes;
	uint32_t rx_bytes;
	uint32_t max_msg;
	uint32_t max_calls;
	uint32_t max_answer;
};

struct libduct_channel;

/**
 * libduct_channel_open() - open a channel
 * @device: path, or name in /dev/duct
 * @config: how; NULL: channel 0, of messages or a stream, as the toolstack's parameters say
 *
 * Does not wait for the other domain; sending and receiving does.
 *
 * Return:
 * * the channel, which libduct_channel_close() closes
 * * NULL, ENOENT, EACCES, ENXIO: no such device, or no right to use it
 * * NULL, ENOTTY: it is none of xen-duct
 * * NULL, EBUSY: the number is open in this domain
 * * NULL, EDQUOT: longer rings than the toolstack allows, or too many files
 * * NULL, EINVAL, E2BIG: what cannot be
 * * NULL, ENODEV: the device is just being removed
 * * NULL, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM, EINTR: as open()
 */
struct libduct_channel *libduct_channel_open(const char *device,
					     const struct libduct_channel_config *config);

/**
 * libduct_channel_fdopen() - make a handle of a descriptor
 * @fd: is a channel, which libduct_channel_fd() gave in another program
 *
 * With success @fd belongs to the handle.
 *
 * Return:
 * * the channel
 * * NULL, EBADF, ENOTTY: @fd is not open, or none of xen-duct
 * * NULL, EINVAL: @fd is no channel
 * * NULL, ENOMEM: no memory
 */
struct libduct_channel *libduct_channel_fdopen(int fd);

/**
 * libduct_channel_close() - close a channel
 * @ch: the channel, or NULL; is not valid afterwards
 *
 * What was sent before can still be received by the other end. Calls that were not answered
 * are refused, calls in flight are cancelled. Does not change errno.
 */
void libduct_channel_close(struct libduct_channel *ch);

/**
 * libduct_channel_fd() - the descriptor for poll()
 * @ch: the channel
 *
 * POLLIN: receiving does not wait. POLLOUT: sending max_msg bytes does not wait. POLLPRI: libduct_call_end() does not wait. POLLHUP: the end, though
 * there may be something to receive. POLLERR: not a good end.
 *
 * Makes no system call. The descriptor belongs to the channel.
 *
 * Return: the descriptor
 */
int libduct_channel_fd(const struct libduct_channel *ch);

/**
 * libduct_channel_info() - how a channel is
 * @ch: the channel
 * @info: is filled; its @size is set by the program
 *
 * Return:
 * * 0
 * * -1, EINVAL, E2BIG: @size cannot be
 */
int libduct_channel_info(const struct libduct_channel *ch, struct libduct_info *info);

/**
 * libduct_channel_is_open() - whether the channel is up
 * @ch: the channel
 *
 * Return:
 * * 1: both ends have it open
 * * 2: the other end has not opened it yet
 * * 0: it has ended
 * * -1
 */
int libduct_channel_is_open(const struct libduct_channel *ch);

/**
 * libduct_channel_wait() - wait for a channel
 * @ch: the channel
 * @events: POLLIN, POLLOUT, POLLPRI, as of libduct_channel_fd()
 * @timeout_ms: 0: only look; -1: no limit
 *
 * Return:
 * * those of @events that are, and POLLHUP, POLLERR
 * * 0 after @timeout_ms
 * * -1, EINTR: a signal came, also if its handler has SA_RESTART
 * * -1, EINVAL: other @events
 * * -1, ENOMEM: no memory
 */
int libduct_channel_wait(const struct libduct_channel *ch, int events, int timeout_ms);

/**
 * libduct_channel_send() - send a message, or bytes of a stream
 * @ch: the channel
 * @buf: the message
 * @len: its length; 0 is an empty message
 * @flags: LIBDUCT_NOWAIT
 *
 * A message is sent whole or not at all. Of a stream all is sent, too, unless a signal comes
 * in between; not to wait, what there is room for. Waits until the other end has opened the
 * channel.
 *
 * Return:
 * * the bytes that were sent
 * * -1, EAGAIN: it would have to wait
 * * -1, EINTR: a signal came before anything was sent
 * * -1, EMSGSIZE: the message is longer than max_msg
 * * -1, EPIPE: the other end has closed the channel
 * * -1, ECONNRESET: the link has ended
 * * -1, EPROTO: the other end has the other kind of channel
 * * -1, EDQUOT, ENOMEM: a budget of the link, or no memory
 * * -1, EINVAL: other @flags
 */
ssize_t libduct_channel_send(struct libduct_channel *ch, const void *buf, size_t len,
			     unsigned int flags);

/**
 * libduct_channel_sendv() - the same from several pieces
 * @ch: the channel
 * @iov: the pieces, which together are one message
 * @count: how many, up to IOV_MAX
 * @flags: LIBDUCT_NOWAIT
 *
 * But no bytes are no message: nothing is sent.
 *
 * Return: as libduct_channel_send()
 */
ssize_t libduct_channel_sendv(struct libduct_channel *ch, const struct iovec *iov, int count,
			      unsigned int flags);

/**
 * libduct_channel_send_all() - send all of it
 * @ch: the channel
 * @buf: bytes of a stream, or a message
 * @len: how many
 * @done: NULL, or set to the bytes that were sent, with -1, too
 *
 * Sends until all of it is sent; signals do not end that. With LIBDUCT_NONBLOCK it fails with
 * EAGAIN when there is no more room.
 *
 * Return:
 * * 0
 * * -1 as libduct_channel_send(), when a part may have been sent
 */
int libduct_channel_send_all(struct libduct_channel *ch, const void *buf, size_t len,
			     size_t *done);

/**
 * libduct_channel_send_many() - send several messages
 * @ch: the channel
 * @messages: one message each
 * @count: how many
 * @flags: LIBDUCT_NOWAIT
 *
 * As libduct_channel_send() of one after the other, but a system call for 64, and the other
 * end is woken once for those. Waits for the first only: what there is no room for then is
 * not sent.
 *
 * Return:
 * * how many were sent
 * * -1 as libduct_channel_send() of the first
 * * -1, EINVAL: a stream, other @flags, or @count is 0
 */
ssize_t libduct_channel_send_many(struct libduct_channel *ch, const struct iovec *messages,
				  size_t count, unsigned int flags);

/**
 * libduct_channel_recv() - receive a message, or bytes of a stream
 * @ch: the channel
 * @buf: where it goes
 * @size: room there
 * @flags: LIBDUCT_NOWAIT
 *
 * A message is received whole. A stream gives what there is, and waits for the first byte
 * only. Waits until the other end has opened the channel.
 *
 * When the other end has closed the channel, all that it sent before is received, then 0
 * once, then EPIPE. When the link has ended it is 0 once, then ECONNRESET: what was on its
 * way may be lost. libduct_channel_next() tells this 0 from an empty message.
 *
 * Return:
 * * the bytes that were received
 * * 0: the end, or an empty message
 * * -1, EAGAIN: it would have to wait
 * * -1, EINTR: a signal came before there was anything
 * * -1, EMSGSIZE: @size is too small for the message, which stays
 * * -1, EPIPE, ECONNRESET: see above
 * * -1, EPROTO: the other end has the other kind of channel
 * * -1, EDQUOT, ENOMEM: a budget of the link, or no memory
 * * -1, EOPNOTSUPP: calls come on this channel: see libduct_channel_next()
 * * -1, EINVAL: other @flags
 */
ssize_t libduct_channel_recv(struct libduct_channel *ch, void *buf, size_t size,
			     unsigned int flags);

/**
 * libduct_channel_recvv() - the same into several pieces
 * @ch: the channel
 * @iov: the pieces
 * @count: how many, up to IOV_MAX
 * @flags: LIBDUCT_NOWAIT
 *
 * Return: as libduct_channel_recv()
 */
ssize_t libduct_channel_recvv(struct libduct_channel *ch, const struct iovec *iov, int count,
			      unsigned int flags);

/**
 * libduct_channel_recv_all() - receive exactly so many bytes of a stream
 * @ch: the channel
 * @buf: where they go
 * @size: how many
 * @done: NULL, or set to the bytes that were received, with -1, too
 *
 * Receives until all of it is there; signals do not end that. With LIBDUCT_NONBLOCK it fails
 * with EAGAIN when there is no more.
 *
 * Return:
 * * 0
 * * -1 as libduct_channel_recv()
 * * -1, EPIPE: the other end has closed the channel before that many
 * * -1, ECONNRESET: the link has ended before that many
 */
int libduct_channel_recv_all(struct libduct_channel *ch, void *buf, size_t size,
			     size_t *done);

/**
 * libduct_channel_recv_many() - receive several messages
 * @ch: the channel
 * @messages: room for one message each; iov_len is set to the length of what was received
 * @count: how many
 * @flags: LIBDUCT_NOWAIT
 *
 * As libduct_channel_recv() of one after the other, but a system call for 64. Waits for the
 * first only. An empty message counts, and so is told from the end.
 *
 * Return:
 * * how many were received
 * * 0: the end
 * * -1 as libduct_channel_recv() of the first; EMSGSIZE: its iov_len says how long it is
 * * -1, EINVAL: a stream, other @flags, or @count is 0
 */
ssize_t libduct_channel_recv_many(struct libduct_channel *ch, struct iovec *messages,
				  size_t count, unsigned int flags);

/**
 * struct libduct_message - told about a message
 * @size: sizeof(struct libduct_message), set by the program
 * @flags: LIBDUCT_WAS_CUT, LIBDUCT_EOF
 * @len: its length, also with EMSGSIZE, or if it was cut; stream: the bytes received
 * @tag: 0: a message; else it is a call, which libduct_reply() answers by this
 */
struct libduct_message {
	uint32_t size;
	uint32_t flags;
	uint64_t len;
	uint64_t tag;
};

/**
 * libduct_channel_next() - receive a message or a call, and all about it
 * @ch: the channel
 * @msg: is filled; its @size is set by the program
 * @buf: where it goes
 * @room: bytes there
 * @flags: LIBDUCT_NOWAIT, LIBDUCT_CUT
 *
 * The end is told once with 0 and LIBDUCT_EOF in @msg.
 *
 * Return:
 * * 0
 * * -1, EMSGSIZE: @room is too small, LIBDUCT_CUT was not given: the message stays, its
 *   length is told in @msg
 * * -1, E2BIG: @size cannot be
 * * -1, EAGAIN, EINTR, EPIPE, ECONNRESET, EPROTO, EDQUOT, ENOMEM, EINVAL: as
 *   libduct_channel_recv()
 */
int libduct_channel_next(struct libduct_channel *ch, struct libduct_message *msg, void *buf,
			 size_t room, unsigned int flags);

/* ---- calls ---- */

/**
 * libduct_call() - send a request, wait for its answer
 * @ch: the channel, of messages
 * @req: the request
 * @req_len: its length, up to max_msg
 * @rsp: where the answer goes
 * @rsp_size: room there
 * @timeout_ms: for all of it; 0: no limit
 *
 * Waits, also with LIBDUCT_NONBLOCK, and also for the other end to be there. Messages that
 * come before the answer are kept for receiving: four times as much as the ring holds, after
 * which the answer waits until they are received.
 *
 * Return:
 * * the length of the answer
 * * -1, EREMOTEIO: the other end serves no calls, or refused this one
 * * -1, EMSGSIZE: the request or the answer is too long
 * * -1, ETIMEDOUT: no answer in time
 * * -1, EINTR: a signal came, whatever its handler's flags; the call is cancelled
 * * -1, ECONNRESET, EPIPE: the link or the channel has ended; nobody knows whether it was
 *   served
 * * -1, EINVAL: the channel is a stream
 * * -1, EPROTO: the other end has the other kind of channel
 * * -1, EAGAIN: 64 calls are in flight
 * * -1, EDQUOT, ENOMEM: a budget of the link, or no memory
 */
ssize_t libduct_call(struct libduct_channel *ch, const void *req, size_t req_len, void *rsp,
		     size_t rsp_size, unsigned int timeout_ms);

/**
 * libduct_call_start() - send a request, do not wait for its answer
 * @ch: the channel
 * @cookie: what the other functions name it by; no other call has it
 * @req: the request
 * @req_len: its length, up to max_msg
 * @rsp_size: longest answer that is wanted, up to 1 MiB
 * @timeout_ms: from now on; 0: no limit
 * @flags: LIBDUCT_NOWAIT: it does not wait for the other end, or room, either
 *
 * Each call that was started ends once with libduct_call_end(). Up to 64 may be in flight or
 * ended.
 *
 * Return:
 * * 0
 * * -1, EAGAIN: there are 64, or it would have to wait
 * * -1, EEXIST: @cookie is in use
 * * -1, EMSGSIZE, EINTR, ECONNRESET, EPIPE, EINVAL, EPROTO, EDQUOT, ENOMEM: as
 *   libduct_call()
 */
int libduct_call_start(struct libduct_channel *ch, uint64_t cookie, const void *req,
		       size_t req_len, size_t rsp_size, unsigned int timeout_ms,
		       unsigned int flags);

/**
 * struct libduct_ended - a call that has ended
 * @size: sizeof(struct libduct_ended), set by the program
 * @error: 0: it was answered; ECANCELED; or an errno value of libduct_call()
 * @cookie: the call's
 * @len: length of the answer; with EMSGSIZE: the room that it takes
 */
struct libduct_ended {
	uint32_t size;
	uint32_t error;
	uint64_t cookie;
	uint64_t len;
};

/**
 * libduct_call_end() - take the call that ended first
 * @ch: the channel
 * @ended: is filled; its @size is set by the program
 * @rsp: where the answer goes
 * @rsp_size: room there
 * @flags: LIBDUCT_NOWAIT
 *
 * Waits until one ends. What it returns is not how the call ended: see @ended.
 *
 * Return:
 * * 0
 * * -1, ENOENT: no call is in flight
 * * -1, EAGAIN: none has ended yet
 * * -1, EMSGSIZE: @rsp_size is too small: the call stays, @ended tells what it takes
 * * -1, EINTR: a signal came
 * * -1, EINVAL, E2BIG: other @flags, or @size cannot be
 */
int libduct_call_end(struct libduct_channel *ch, struct libduct_ended *ended, void *rsp,
		     size_t rsp_size, unsigned int flags);

/**
 * libduct_call_cancel() - end a call with ECANCELED
 * @ch: the channel
 * @cookie: the call's
 *
 * libduct_call_end() tells its end.
 *
 * Return:
 * * 0
 * * -1, ENOENT: there is none with @cookie, or it has ended
 */
int libduct_call_cancel(struct libduct_channel *ch, uint64_t cookie);

/**
 * libduct_reply() - answer a call
 * @ch: the channel that it came on
 * @tag: the call's, by libduct_channel_next()
 * @buf: the answer
 * @len: its length, up to max_answer
 *
 * Never waits, and there is always room. In any order, and from any thread.
 *
 * Return:
 * * 0
 * * -1, ENOENT: no such call, or it was answered
 * * -1, EMSGSIZE: longer than max_answer; it can be answered again
 * * -1, ECONNRESET, EPIPE: the caller is gone
 */
int libduct_reply(struct libduct_channel *ch, uint64_t tag, const void *buf, size_t len);

/**
 * libduct_refuse() - do not answer a call
 * @ch: the channel that it came on
 * @tag: the call's
 *
 * The caller is told EREMOTEIO.
 *
 * Return:
 * * 0
 * * -1 as libduct_reply()
 */
int libduct_refuse(struct libduct_channel *ch, uint64_t tag);

/* ---- regions ---- */

struct libduct_region;

/**
 * libduct_region_create() - make memory that other domains can map
 * @device: path, or name in /dev/duct, of the first domain it is for
 * @id: what that names it by, below 2^29; each end numbers its own
 * @bytes: its size, of which whole pages are made
 * @flags: LIBDUCT_WRITABLE: the other may write it; LIBDUCT_NONBLOCK
 *
 * It is zeroed, and there is nothing else in its pages. Does not wait: see
 * libduct_region_news().
 *
 * Return:
 * * the region, which libduct_region_close() closes
 * * NULL, EBUSY: @id is in use
 * * NULL, EDQUOT: more than the toolstack allows, or too many files
 * * NULL, ENOENT, EACCES, ENXIO, ENOTTY, EINVAL, ENODEV, ENAMETOOLONG, EMFILE, ENFILE,
 *   ENOMEM, EINTR: as libduct_channel_open()
 */
struct libduct_region *libduct_region_create(const char *device, uint32_t id, uint64_t bytes,
					     unsigned int flags);

/**
 * libduct_region_attach() - use a region that the other domain has made, or will make
 * @device: path, or name in /dev/duct
 * @id: of the region
 * @flags: LIBDUCT_NONBLOCK
 *
 * Does not wait: libduct_region_news() tells when it is up, and can be mapped.
 *
 * Return:
 * * the region
 * * NULL as libduct_region_create()
 */
struct libduct_region *libduct_region_attach(const char *device, uint32_t id,
					     unsigned int flags);

/**
 * libduct_region_fdopen() - make a handle of a descriptor
 * @fd: is a region, which libduct_region_fd() gave in another program
 *
 * With success @fd belongs to the handle.
 *
 * Return:
 * * the region
 * * NULL as libduct_channel_fdopen()
 */
struct libduct_region *libduct_region_fdopen(int fd);

/**
 * libduct_region_close() - let go of a region
 * @rg: the region, or NULL; is not valid afterwards
 *
 * Mappings hold it: unmap them, too. The owner's region is taken back from all. Does not
 * change errno.
 */
void libduct_region_close(struct libduct_region *rg);

/**
 * libduct_region_fd() - the descriptor for poll()
 * @rg: the region
 *
 * POLLIN: there are news. Makes no system call. The descriptor belongs to the region.
 *
 * Return: the descriptor
 */
int libduct_region_fd(const struct libduct_region *rg);

/**
 * libduct_region_info() - how a region is
 * @rg: the region
 * @info: is filled; its @size is set by the program
 *
 * Return:
 * * 0
 * * -1 as libduct_channel_info()
 */
int libduct_region_info(const struct libduct_region *rg, struct libduct_info *info);

/**
 * libduct_region_map() - map a region
 * @rg: the region
 * @off: from this byte on, the first of a page
 * @bytes: how many; 0: all from @off on, which is a second system call
 * @prot: PROT_READ, and PROT_WRITE
 *
 * The owner maps it at any time, others while it is up. When it goes down the mapping stays,
 * and an access is a SIGBUS: unmap it, and map it again when it is up. What this domain may
 * only read is a SIGSEGV to write.
 *
 * The other domain may change what it may write at any time, between any two reads: copy
 * first, then check, then use.
 *
 * Return:
 * * the address, which libduct_region_unmap() unmaps
 * * NULL, ENOTCONN: it is not up
 * * NULL, EACCES: PROT_WRITE of what may only be read
 * * NULL, EINVAL: outside the region, or @off is not the first byte of a page
 * * NULL, ENOMEM, EAGAIN: no memory
 */
void *libduct_region_map(struct libduct_region *rg, uint64_t off, size_t bytes, int prot);

/**
 * libduct_region_unmap() - unmap it
 * @addr: what libduct_region_map() gave, or any page of it
 * @bytes: how many
 *
 * Also after libduct_region_close().
 *
 * Return:
 * * 0
 * * -1, EINVAL: what cannot be
 * * -1, ENOMEM: no memory
 */
int libduct_region_unmap(void *addr, size_t bytes);

/**
 * libduct_region_offer() - a region of ours for one more domain
 * @rg: the region
 * @device: path, or name in /dev/duct, of a device to that domain; NULL: the region's own
 * @id: what that names it by
 * @flags: LIBDUCT_WRITABLE
 *
 * Opens and closes @device.
 *
 * Return:
 * * 0
 * * -1, EINVAL: the region is not ours, or what cannot be
 * * -1, EEXIST: it was offered there
 * * -1, EBUSY: @id is in use there
 * * -1, ENOSPC: there are 63 peers
 * * -1, EBADF: @device is none of xen-duct
 * * -1, ENOENT, EACCES, ENXIO, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM, EINTR: as open()
 */
int libduct_region_offer(struct libduct_region *rg, const char *device, uint32_t id,
			 unsigned int flags);

/**
 * libduct_region_revoke() - take it back from a domain
 * @rg: the region
 * @device: as of libduct_region_offer()
 *
 * Waits up to two seconds for the other domain to let go.
 *
 * Return:
 * * 0
 * * -1, ETIMEDOUT: it did not; the pages stay allocated until it does
 * * -1, ENOENT: it was not offered there, or there is no such @device
 * * -1, EINVAL, EBADF, EACCES, ENXIO, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM, EINTR: as
 *   libduct_region_offer()
 */
int libduct_region_revoke(struct libduct_region *rg, const char *device);

/**
 * libduct_region_watch() - be told of triggers at an offset
 * @rg: the region
 * @off: byte of the region
 * @count: tell of no less than these; 0 is as 1
 *
 * libduct_region_news() tells. Up to 64 offsets.
 *
 * Return:
 * * 0
 * * -1, EINVAL: outside the region
 * * -1, EEXIST: it is watched
 * * -1, ENOSPC: there are 64
 * * -1, ETIMEDOUT: the owner does not answer
 * * -1, EINTR: a signal came
 * * -1, ENOMEM: no memory
 */
int libduct_region_watch(struct libduct_region *rg, uint64_t off, uint32_t count);

/**
 * libduct_region_unwatch() - not any more
 * @rg: the region
 * @off: byte of the region
 *
 * Return:
 * * 0
 * * -1, ENOENT: it is not watched
 * * -1, EINTR: a signal came
 */
int libduct_region_unwatch(struct libduct_region *rg, uint64_t off);

/**
 * libduct_region_trigger() - tell all other domains that watch an offset
 * @rg: the region
 * @off: byte of the region
 *
 * What was written to the region before is seen there by who was told.
 *
 * Return:
 * * 0
 * * -1, EINVAL: outside the region
 * * -1, ENOTCONN: the region is not up
 * * -1, EAGAIN: the owner has not taken triggers at 64 other offsets
 */
int libduct_region_trigger(struct libduct_region *rg, uint64_t off);

/* What happened to a region. */
#define LIBDUCT_NEWS_UP		1u	/* peer has it mapped; attached: it can be mapped */
#define LIBDUCT_NEWS_DOWN	2u	/* the reverse; without "up": it cannot be */
#define LIBDUCT_NEWS_TRIGGERED	3u	/* at off, total times since it is watched */

/**
 * struct libduct_news - one of the news of a region; never grows
 * @type: LIBDUCT_NEWS_UP, LIBDUCT_NEWS_DOWN, LIBDUCT_NEWS_TRIGGERED
 * @peer: owner: the peer id that came or went; attached: 0
 * @error: down: 0: let go of in good order, or revoked; or an errno value
 * @reserved: 0
 * @off: triggered: where
 * @total: triggered: how often so far; several may be told at once
 */
struct libduct_news {
	uint32_t type;
	uint32_t peer;
	int32_t error;
	uint32_t reserved;
	uint64_t off;
	uint64_t total;
};

/**
 * libduct_region_news() - what happened to a region
 * @rg: the region
 * @news: where it goes
 * @count: room for so many, at least 1
 * @flags: LIBDUCT_NOWAIT
 *
 * Waits until there are news. Those not taken yet are joined: nothing is lost but how often
 * a peer came and went.
 *
 * Return:
 * * how many were told
 * * -1, EAGAIN: there are none
 * * -1, EINTR: a signal came
 * * -1, EINVAL: @count is 0, other @flags
 */
int libduct_region_news(struct libduct_region *rg, struct libduct_news *news,
			unsigned int count, unsigned int flags);

/* ---- events ---- */

struct libduct_event;

/**
 * libduct_event_open() - open an event
 * @device: path, or name in /dev/duct
 * @id: which, below 2^30; both ends open the same
 * @flags: LIBDUCT_NONBLOCK
 *
 * Does not wait for the other domain: triggers wait for it.
 *
 * Return:
 * * the event, which libduct_event_close() closes
 * * NULL, EBUSY: it is open in this domain
 * * NULL, ENOENT, EACCES, ENXIO, ENOTTY, EDQUOT, EINVAL, ENODEV, ENAMETOOLONG, EMFILE,
 *   ENFILE, ENOMEM, EINTR: as libduct_channel_open()
 */
struct libduct_event *libduct_event_open(const char *device, uint32_t id, unsigned int flags);

/**
 * libduct_event_fdopen() - make a handle of a descriptor
 * @fd: is an event, which libduct_event_fd() gave in another program
 *
 * With success @fd belongs to the handle.
 *
 * Return:
 * * the event
 * * NULL as libduct_channel_fdopen()
 */
struct libduct_event *libduct_event_fdopen(int fd);

/**
 * libduct_event_close() - close an event
 * @ev: the event, or NULL; is not valid afterwards
 *
 * Does not change errno.
 */
void libduct_event_close(struct libduct_event *ev);

/**
 * libduct_event_fd() - the descriptor for poll()
 * @ev: the event
 *
 * POLLIN: there are triggers that were not taken. Makes no system call. The descriptor
 * belongs to the event.
 *
 * Return: the descriptor
 */
int libduct_event_fd(const struct libduct_event *ev);

/**
 * libduct_event_info() - how an event is
 * @ev: the event
 * @info: is filled; its @size is set by the program
 *
 * Return:
 * * 0
 * * -1 as libduct_channel_info()
 */
int libduct_event_info(const struct libduct_event *ev, struct libduct_info *info);

/**
 * libduct_event_trigger() - trigger it at the other end
 * @ev: the event
 * @count: so many times, at least 1
 *
 * Never waits.
 *
 * Return:
 * * 0
 * * -1, EINVAL: @count is 0
 */
int libduct_event_trigger(struct libduct_event *ev, uint32_t count);

/**
 * libduct_event_take() - take the triggers of the other end
 * @ev: the event
 * @sum: set to the triggers since the last time
 * @flags: LIBDUCT_NOWAIT
 *
 * Waits until there is one.
 *
 * Return:
 * * 0
 * * -1, EAGAIN: there is none
 * * -1, EINTR: a signal came
 * * -1, EINVAL: other @flags
 */
int libduct_event_take(struct libduct_event *ev, uint64_t *sum, unsigned int flags);

/**
 * libduct_event_watch() - be told of no less than so many
 * @ev: the event
 * @after: triggers, 1 at first; 0 is the same
 *
 * Return:
 * * 0
 * * -1
 */
int libduct_event_watch(struct libduct_event *ev, uint32_t after);

#ifdef __cplusplus
}
#endif

#endif /* LIBDUCT_H */
