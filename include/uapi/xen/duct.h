/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * xen-duct in user space: the files of /dev/duct.
 *
 * Two thirds of this are its documentation; Documentation/user-space.rst is made of it.
 */
#ifndef _UAPI_XEN_DUCT_H
#define _UAPI_XEN_DUCT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Files
 *
 * There is one device file for each instance of the service ``cdev`` on each link:
 * ``/dev/duct/<peer>.<name>``. The other domain has one, too. ``<peer>`` is the number of
 * the other domain, or what the toolstack's parameter ``peer`` says; ``<name>`` is its
 * parameter ``name``, or ``cdev.<instance>``.
 *
 * An open file is one thing: a channel, a region, or an event. Which, says the first of
 *
 * ``DUCT_IOC_CHANNEL``
 *	a channel by its number
 * ``DUCT_IOC_REGION_CREATE``, ``DUCT_IOC_REGION_ATTACH``
 *	a region
 * ``DUCT_IOC_EVENT``
 *	an event
 * read, write, poll, splice, ``DUCT_IOC_SEND``, ``DUCT_IOC_RECV``, ``DUCT_IOC_CALL`` ...
 *	channel 0, as the toolstack's parameters say
 *
 * It stays that until it is closed. Another open is another thing; fork() and dup() share
 * one. A number is open once at each end: ``-EBUSY`` for the second, until the first is
 * closed. Nothing waits for the other domain to open its end but what sends and receives.
 *
 * Everything that waits is ended by a signal (``-EINTR``, or it is restarted), and gives
 * ``-EAGAIN`` instead with ``O_NONBLOCK`` or ``DUCT_FILE_NOWAIT``. poll() and epoll work on
 * each kind. All reserved fields and unknown flags must be 0, or it is ``-EINVAL``. All
 * structs are the same for 32-bit programs.
 */

/**
 * DOC: Messages and streams
 *
 * Both ends must agree whether a channel is one of messages or a stream of bytes, or
 * sending and receiving is ``-EPROTO``.
 *
 * Messages: a write() or writev() is one message: whole or not at all; longer than max_msg:
 * ``-EMSGSIZE``. A read() or readv() is one message. If the buffer is too small it is
 * ``-EMSGSIZE``, and the message stays: nothing is lost (``DUCT_IOC_RECV`` tells its length,
 * or cuts it if asked to). A write() of no bytes sends nothing; ``DUCT_IOC_SEND`` can send an
 * empty message, which is a read() of 0 bytes, and ``DUCT_IOC_RECV`` tells it from the end.
 *
 * Stream: write() waits until all is sent, or with ``O_NONBLOCK`` sends what there is room
 * for; read() gives what there is, at least a byte. splice() works; of messages only out.
 *
 * The end: when the other end has closed the channel, read() still gives all that was sent
 * before, then 0 once (end of file), then ``-EPIPE``. When the link has ended (detached, the
 * domain is gone or was saved), read() gives 0 once, then ``-ECONNRESET``: what was on its
 * way may be lost. So 0 says that nothing more comes, and reading once again says whether
 * all came. write() gives ``-EPIPE`` or ``-ECONNRESET`` at once; there is no SIGPIPE. A
 * channel has one connection: close the file and open it again for the next. When the
 * device itself is removed everything gives ``-ENODEV``.
 *
 * ``DUCT_FILE_RESUMABLE`` at both ends: the channel does not end with the link. Reading and
 * writing wait while it is away, and what was sent arrives, once and in order, when it is
 * back: after a reload of a module, save and restore, migration. If it is not back in time
 * (parameter resume_timeout of the module xen_duct), or the other end is another program
 * or an older image of itself, the channel ends with ``-ECONNRESET``.
 *
 * After ``-EFAULT`` of a read() into memory that is there in part, a message is lost.
 *
 * poll(): EPOLLIN: read() does not wait; EPOLLOUT: write() of max_msg bytes does not wait;
 * EPOLLPRI: ``DUCT_IOC_CALL_END`` does not wait; EPOLLHUP: the end, though there may be
 * something to read; EPOLLERR: not a good one. With EPOLLET, as everywhere: read and write
 * until ``-EAGAIN``.
 */

/**
 * DOC: Regions and events
 *
 * A region is mapped with mmap() (``MAP_SHARED``, from its first byte or any page): by its
 * owner at once, by others when it is up, before that ``-ENOTCONN``. What another domain may
 * only read cannot be mapped to be written, and a write to it is a SIGSEGV. When it goes
 * down the mapping stays and an access is a SIGBUS; map it again when it is up. read() gives
 * whole &struct duct_file_news, as many as fit; at least one must, or it is ``-EINVAL``.
 *
 * An event counts: read() of 8 bytes gives a __u64, the triggers of the other end since the
 * last read(), and waits until there is one; write() of a __u64, 1 to 2^32 - 1, triggers so
 * many times, and never waits. Triggers wait for a peer that is not there yet.
 */

/* For @flags of several ioctls; each says which it knows. */
#define DUCT_FILE_STREAM	1	/* bytes, not messages */
#define DUCT_FILE_NOWAIT	2	/* as with O_NONBLOCK, this time */
#define DUCT_FILE_CUT		4	/* give what fits of a message, the rest is lost */
#define DUCT_FILE_WAS_CUT	8	/* that happened */
#define DUCT_FILE_EOF		16	/* the end, not an empty message */
#define DUCT_FILE_REFUSE	32	/* a call: the caller is told -EREMOTEIO */
#define DUCT_FILE_WRITABLE	64	/* others may write the region, too */
#define DUCT_FILE_RESUMABLE	128	/* a channel: nothing is lost with the link */

/* What an open file is. */
#define DUCT_FILE_NOTHING	0
#define DUCT_FILE_CHANNEL	1
#define DUCT_FILE_OWNER		2	/* a region of ours */
#define DUCT_FILE_ATTACHED	3	/* a region of the other end */
#define DUCT_FILE_EVENT		4

/**
 * struct duct_file_info - DUCT_IOC_INFO: what a file is, and how it is
 * @kind: DUCT_FILE_NOTHING ... DUCT_FILE_EVENT. Asking does not make it a channel
 * @error: 0: it is up (an event: always); -ENOTCONN: the other end has not opened it yet, or
 *	it is resumable and the link is away; -EPIPE, -ECONNRESET, -EPROTO: what read() ends
 *	with; -EDQUOT: a budget of the link is used up; -ENODEV: the device is gone
 * @peer: the other domain's number
 * @epoch: counts the connections of the link
 * @instance: of the service: "cdev.<instance>"
 * @number: of the channel, event, or region
 * @flags: DUCT_FILE_STREAM, DUCT_FILE_RESUMABLE: it is one
 * @max_msg: channel: longest message or part of a stream, bytes; final when it is up
 * @tx_bytes: channel: size of the ring to the other end; final when it is up
 * @rx_bytes: channel: size of the ring from it; the same
 * @self: region: the own peer id: 0: we are the owner
 * @reserved: 0
 * @size: region: bytes; attached: 0 while it is not up
 * @out_messages: channel, event: frames sent
 * @out_bytes: payload of them
 * @out_events: times that the other domain was woken
 * @in_messages: frames received
 * @in_bytes: payload of them
 * @wakeups: times that we were woken
 */
struct duct_file_info {
	__u32 kind;
	__s32 error;
	__u32 peer;
	__u32 epoch;
	__u32 instance;
	__u32 number;
	__u32 flags;
	__u32 max_msg;
	__u32 tx_bytes;
	__u32 rx_bytes;
	__u32 self;
	__u32 reserved;
	__u64 size;
	__u64 out_messages;
	__u64 out_bytes;
	__u64 out_events;
	__u64 in_messages;
	__u64 in_bytes;
	__u64 wakeups;
};

#define DUCT_IOC_INFO		_IOR(0xdc, 0x00, struct duct_file_info)

/* ---- channels ---- */

/**
 * struct duct_file_channel - DUCT_IOC_CHANNEL: the file becomes a channel
 * @number: which, below 2^31; both ends open the same
 * @flags: DUCT_FILE_STREAM, DUCT_FILE_RESUMABLE
 * @tx_bytes: size of the ring to the other end, at least; 0: four messages
 * @rx_bytes: size of the ring from it, at least; 0: the same
 * @max_msg: longest message; 0: as the toolstack's parameter max_msg. The smaller of both
 *	ends' counts
 * @max_calls: calls of the other end that are served here at once, up to 64; 0: they are
 *	refused
 * @max_answer: longest answer given here, bytes
 * @reserved: 0
 *
 * Does not wait for the other end.
 *
 * -EINVAL: the file is something already, or what cannot be; -EBUSY: the number is open;
 * -EDQUOT: rings longer than the toolstack's parameter "ring_limit" allows, or too many
 * files are something ("files"); -ENOMEM
 */
struct duct_file_channel {
	__u32 number;
	__u32 flags;
	__u32 tx_bytes;
	__u32 rx_bytes;
	__u32 max_msg;
	__u32 max_calls;
	__u32 max_answer;
	__u32 reserved;
};

#define DUCT_IOC_CHANNEL	_IOW(0xdc, 0x10, struct duct_file_channel)

/**
 * struct duct_file_send - DUCT_IOC_SEND: write() with flags
 * @buf: address of the message
 * @len: bytes. Stream: set to those that were sent
 * @flags: DUCT_FILE_NOWAIT
 *
 * Also sends empty messages. Errors: as write().
 */
struct duct_file_send {
	__u64 buf;
	__u32 len;
	__u32 flags;
};

#define DUCT_IOC_SEND		_IOWR(0xdc, 0x11, struct duct_file_send)

/**
 * struct duct_file_recv - DUCT_IOC_RECV: read() that tells more
 * @buf: where the message goes
 * @len: room there. Set to the length of the message, also with -EMSGSIZE; what was given
 *	is the smaller of both
 * @flags: in: DUCT_FILE_NOWAIT, DUCT_FILE_CUT; out: DUCT_FILE_WAS_CUT, DUCT_FILE_EOF
 * @tag: set to 0 for a message; else it is a call, which DUCT_IOC_REPLY answers by this
 * @reserved: 0
 *
 * Calls come only to channels that were opened with @max_calls, on which read() is
 * -EOPNOTSUPP. Errors: as read(); -EMSGSIZE: too little room, the message stays, unless
 * DUCT_FILE_CUT was given.
 */
struct duct_file_recv {
	__u64 buf;
	__u32 len;
	__u32 flags;
	__u64 tag;
	__u64 reserved;
};

#define DUCT_IOC_RECV		_IOWR(0xdc, 0x12, struct duct_file_recv)

/**
 * struct duct_file_piece - one of several messages
 * @buf: its address
 * @len: its bytes; receiving: the room there. Set to the length of what was received
 * @reserved: 0
 */
struct duct_file_piece {
	__u64 buf;
	__u32 len;
	__u32 reserved;
};

/**
 * struct duct_file_many - DUCT_IOC_SEND_MANY, DUCT_IOC_RECV_MANY: messages, one after the other
 * @pieces: address of an array of &struct duct_file_piece
 * @count: of it, 1 to 1024. Set to those that were sent or received
 * @flags: DUCT_FILE_NOWAIT
 *
 * Waits for the first only, then goes on as far as that takes no waiting. The other end is
 * told once of what was sent. An error is told if there was none before it, and else the next
 * time: with fewer than @count ask again. Receiving gives 0 messages once, at the end.
 *
 * Errors: as DUCT_IOC_SEND and DUCT_IOC_RECV of the one message; with -EMSGSIZE of receiving
 * its length is told. -EINVAL: a stream. -EOPNOTSUPP: receiving where calls come
 */
struct duct_file_many {
	__u64 pieces;
	__u32 count;
	__u32 flags;
};

#define DUCT_IOC_SEND_MANY	_IOWR(0xdc, 0x18, struct duct_file_many)
#define DUCT_IOC_RECV_MANY	_IOWR(0xdc, 0x19, struct duct_file_many)

/**
 * struct duct_file_call - DUCT_IOC_CALL: a request that is answered once, and its answer
 * @req: address of the request
 * @rsp: where the answer goes
 * @req_len: bytes of the request, up to max_msg
 * @rsp_len: room for the answer. Set to its length
 * @timeout_ms: for all of it; 0: none
 * @flags: 0
 *
 * Waits, with O_NONBLOCK, too, and also for the other end to be there. Messages that come
 * before the answer are kept for read(): four times as much as the ring from the other end
 * holds, after which the answer waits until they are read.
 *
 * -EREMOTEIO: the other end serves no calls, or refused this one; -EMSGSIZE: the request
 * or the answer is too long; -EINVAL: on a stream; -ETIMEDOUT; -EINTR: a signal came, and
 * the call is cancelled, never started again; -ECONNRESET, -EPIPE, -ENODEV: the end of the
 * channel, nobody knows whether it was served
 */
struct duct_file_call {
	__u64 req;
	__u64 rsp;
	__u32 req_len;
	__u32 rsp_len;
	__u32 timeout_ms;
	__u32 flags;
};

#define DUCT_IOC_CALL		_IOWR(0xdc, 0x13, struct duct_file_call)

/**
 * struct duct_file_call_start - DUCT_IOC_CALL_START: the same without waiting for the answer
 * @req: address of the request
 * @cookie: what DUCT_IOC_CALL_END and DUCT_IOC_CALL_CANCEL name it by
 * @req_len: bytes of the request
 * @rsp_len: longest answer that is wanted, up to 1 MiB
 * @timeout_ms: from now on; 0: none
 * @flags: DUCT_FILE_NOWAIT: or else waits for room to send it
 *
 * Up to 64 calls at once, in flight and ended, -EAGAIN for one more: end one first.
 * -EEXIST: @cookie is in use. Else as DUCT_IOC_CALL
 */
struct duct_file_call_start {
	__u64 req;
	__u64 cookie;
	__u32 req_len;
	__u32 rsp_len;
	__u32 timeout_ms;
	__u32 flags;
};

#define DUCT_IOC_CALL_START	_IOW(0xdc, 0x14, struct duct_file_call_start)

/**
 * struct duct_file_call_end - DUCT_IOC_CALL_END: the call that ended first
 * @rsp: where its answer goes
 * @cookie: set to the call's
 * @rsp_len: room for the answer. Set to its length
 * @error: set to 0, or how the call ended: as DUCT_IOC_CALL, -ECANCELED
 * @flags: DUCT_FILE_NOWAIT: or else waits until one ends
 * @reserved: 0
 *
 * Each call that was started ends here, once. -ENOENT: no call is in flight; -EMSGSIZE:
 * too little room: @rsp_len is set to what it takes, and the call stays
 */
struct duct_file_call_end {
	__u64 rsp;
	__u64 cookie;
	__u32 rsp_len;
	__s32 error;
	__u32 flags;
	__u32 reserved;
};

#define DUCT_IOC_CALL_END	_IOWR(0xdc, 0x15, struct duct_file_call_end)

/**
 * struct duct_file_call_cancel - DUCT_IOC_CALL_CANCEL: a call ends with -ECANCELED
 * @cookie: the call's
 *
 * Unless it has ended. -ENOENT: there is none, or it has ended
 */
struct duct_file_call_cancel {
	__u64 cookie;
};

#define DUCT_IOC_CALL_CANCEL	_IOW(0xdc, 0x16, struct duct_file_call_cancel)

/**
 * struct duct_file_reply - DUCT_IOC_REPLY: the answer to a call
 * @buf: address of the answer
 * @tag: the call's
 * @len: bytes, up to @max_answer of the channel
 * @flags: DUCT_FILE_REFUSE: no answer, the caller is told -EREMOTEIO
 *
 * Never waits. Calls that are not answered when the file is closed are refused, or end with
 * the channel. -ENOENT: no such call; -EMSGSIZE: too long, it can be answered again;
 * -ECONNRESET, -EPIPE: the caller is gone
 */
struct duct_file_reply {
	__u64 buf;
	__u64 tag;
	__u32 len;
	__u32 flags;
};

#define DUCT_IOC_REPLY		_IOW(0xdc, 0x17, struct duct_file_reply)

/* ---- regions ---- */

/**
 * struct duct_file_region - DUCT_IOC_REGION_CREATE: the file becomes a region of ours
 * @size: bytes, whole pages are made of it
 * @id: what the other end names it by, below 2^29; each end numbers its own
 * @flags: DUCT_FILE_WRITABLE
 *
 * Also DUCT_IOC_REGION_ATTACH, with @size and @flags 0: a region that the other end has
 * made, or will make. Neither waits: see struct duct_file_news.
 *
 * -EINVAL: the file is something already, or what cannot be; -EBUSY: @id is in use;
 * -EDQUOT: more than the toolstack's parameter "region_limit" allows, or too many files
 * are something ("files"); -ENOMEM
 */
struct duct_file_region {
	__u64 size;
	__u32 id;
	__u32 flags;
};

#define DUCT_IOC_REGION_CREATE	_IOW(0xdc, 0x20, struct duct_file_region)
#define DUCT_IOC_REGION_ATTACH	_IOW(0xdc, 0x21, struct duct_file_region)

/**
 * struct duct_file_offer - DUCT_IOC_REGION_OFFER: a region of ours for one more domain
 * @fd: an open file of the device of that domain, whatever it is; may be closed afterwards.
 *	-1: the region's own
 * @id: what it names it by
 * @flags: DUCT_FILE_WRITABLE
 * @reserved: 0
 *
 * A region is offered once to each. Also DUCT_IOC_REGION_REVOKE, with @id and @flags 0:
 * takes back what was offered there, waits up to two seconds for the other domain to let
 * go; -ETIMEDOUT: it did not, its pages stay allocated until it does; -ENOENT: it was not
 * offered.
 *
 * -EBADF: @fd is none of ours; -EINVAL: not the owner's file; -EEXIST; -ENOSPC: there are
 * 63 peers
 */
struct duct_file_offer {
	__s32 fd;
	__u32 id;
	__u32 flags;
	__u32 reserved;
};

#define DUCT_IOC_REGION_OFFER	_IOW(0xdc, 0x22, struct duct_file_offer)
#define DUCT_IOC_REGION_REVOKE	_IOW(0xdc, 0x23, struct duct_file_offer)

/**
 * struct duct_file_watch - DUCT_IOC_REGION_WATCH: triggers of the others at an offset
 * @off: byte of the region
 * @count: tell of no less than these; 0 is as 1
 * @reserved: 0
 *
 * Also DUCT_IOC_REGION_UNWATCH, and DUCT_IOC_REGION_TRIGGER, with @count 0: all other
 * domains that watch @off are told. An offset is watched once by a file, up to 64 of them.
 *
 * -EINVAL: outside the region; -EEXIST, -ENOSPC: watching; -ENOENT: unwatching;
 * -ETIMEDOUT: watching, the owner does not answer; -ENOTCONN: triggering, the region is
 * not up; -EAGAIN: triggering, the owner has not read triggers at 64 other offsets
 */
struct duct_file_watch {
	__u64 off;
	__u32 count;
	__u32 reserved;
};

#define DUCT_IOC_REGION_WATCH	_IOW(0xdc, 0x24, struct duct_file_watch)
#define DUCT_IOC_REGION_UNWATCH	_IOW(0xdc, 0x25, struct duct_file_watch)
#define DUCT_IOC_REGION_TRIGGER	_IOW(0xdc, 0x26, struct duct_file_watch)

#define DUCT_NEWS_UP		1	/* @peer has it mapped; attached: it is mapped here */
#define DUCT_NEWS_DOWN		2	/* the reverse; without "up": it cannot be */
#define DUCT_NEWS_TRIGGERED	3	/* at @off, @total times since it is watched */

/**
 * struct duct_file_news - what read() of a region gives
 * @type: DUCT_NEWS_UP, DUCT_NEWS_DOWN, DUCT_NEWS_TRIGGERED
 * @peer: owner: the peer id that came or went; attached: 0
 * @why: down: 0: let go of in good order, or revoked; or a negative errno
 * @reserved: 0
 * @off: triggered: where
 * @total: triggered: how often so far; several may be told at once
 *
 * News that were not read yet are joined: a peer that came and went is told as "down", one
 * that went and came as "down" and "up".
 */
struct duct_file_news {
	__u32 type;
	__u32 peer;
	__s32 why;
	__u32 reserved;
	__u64 off;
	__u64 total;
};

/* ---- events ---- */

/**
 * struct duct_file_event - DUCT_IOC_EVENT: the file becomes an event
 * @id: which, below 2^30; both ends open the same
 * @reserved: 0
 *
 * -EINVAL: the file is something already, or @id is none; -EBUSY: it is open; -EDQUOT:
 * too many files are something; -ENOMEM
 */
struct duct_file_event {
	__u32 id;
	__u32 reserved;
};

#define DUCT_IOC_EVENT		_IOW(0xdc, 0x30, struct duct_file_event)

/**
 * struct duct_file_event_watch - DUCT_IOC_EVENT_WATCH: be told of no less than so many
 * @after: triggers, 1 at first; 0 is the same
 * @reserved: 0
 */
struct duct_file_event_watch {
	__u32 after;
	__u32 reserved;
};

#define DUCT_IOC_EVENT_WATCH	_IOW(0xdc, 0x31, struct duct_file_event_watch)

#endif /* _UAPI_XEN_DUCT_H */
