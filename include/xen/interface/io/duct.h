/* SPDX-License-Identifier: MIT */
/*
 * xen-duct: the wire format of a link.
 *
 * OS-neutral; all integers have the byte order of the machine, which both
 * domains share. Every reserved byte is written as zero and must be zero when
 * read: a peer that breaks a rule of this file ends the link or the channel
 * that the rule is about, from the first version on.
 *
 * Everything here is described, with diagrams, in Documentation/protocol.rst.
 *
 * Xenstore (device kind "duct")
 * -----------------------------
 * Backend directory, written by the toolstack (the frontend cannot):
 *
 *   uuid                        identity of the link, 36 characters
 *   services/<name>/<n>         what may be offered or used on this link
 *   services/<name>/<n>/<key>   a parameter of it for both ends
 *   services/<name>/<n>/front/<key>, .../back/<key>
 *                               the same for one end; goes before the common one
 *   budget/channels             channels at once (1 to 1023)
 *   budget/pages                of the arena and of regions (64 to 16384)
 *
 * Backend directory, written by the backend in one transaction with its state
 * InitWait:
 *
 *   min-version, max-version    protocol versions it speaks, decimal
 *   features                    bit mask, decimal; none is defined in version 1
 *   incarnation                 a random number of 64 bits, decimal, new at
 *                               each entry into InitWait
 *
 * Frontend directory, written by the frontend in one transaction before it
 * enters Initialised:
 *
 *   version                     the one it chose
 *   features                    bit mask, decimal; none is defined in version 1
 *   incarnation                 as above, new each time these are written
 *   peer-incarnation            the backend's that this answers; another one is
 *                               for an earlier life of the backend: it waits
 *   ring-ref                    grant reference of the control page
 *   event-channel               port of door 0
 *
 * All else is in band, on the control ring.
 */
#ifndef __XEN_PUBLIC_IO_DUCT_H__
#define __XEN_PUBLIC_IO_DUCT_H__

#define DUCT_VERSION_MIN	1
#define DUCT_VERSION_MAX	1

/* ---- rings ---- */

/*
 * One direction of a channel. Each half has one writer and its own cache line.
 * Indexes count bytes, wrap at 2^32, and are multiples of DUCT_ALIGN.
 *
 *   prod        bytes up to here may be read
 *   cons        bytes up to here have been read
 *   want_data   the reader wants an event when prod passes this
 *   want_space  the writer wants an event when cons passes this
 *
 * "x passes w": x moves from old to new and w is in [old, new).
 */
struct duct_shared_ring {
	uint32_t prod;
	uint32_t want_space;
	uint32_t reserved_prod[14];
	uint32_t cons;
	uint32_t want_data;
	uint32_t reserved_cons[14];
};

#define DUCT_ALIGN		16u	/* frames start and end at multiples */
#define DUCT_RING_MIN		1024u	/* bytes of data in a ring, at least */
#define DUCT_RING_MAX		(4u << 20)
#define DUCT_MSG_MAX		((1u << 20) - 16) /* longest payload: the frame is 1 MiB */

/*
 * Before each payload. The frame takes DUCT_ALIGN * ceil((16 + len) / 16)
 * bytes and never wraps: where it does not fit before the end of the ring, a
 * pad frame of exactly the rest of the ring comes first.
 */
struct duct_frame {
	uint32_t len;		/* bytes of payload */
	uint8_t type;		/* DUCT_FRAME_* */
	uint8_t reserved;
	uint16_t status;	/* answers: 0, or why there is none: DUCT_STATUS_* */
	uint32_t slot;		/* calls and answers: the caller's, else 0 */
	uint32_t generation;	/* the same */
};

#define DUCT_FRAME_PAD		1	/* skip; never at index 0 of the ring */
#define DUCT_FRAME_MSG		2	/* a message; may be empty */
#define DUCT_FRAME_STREAM	3	/* bytes of a stream; never empty */
#define DUCT_FRAME_CALL		4	/* a call; may be empty */
#define DUCT_FRAME_ANSWER	5	/* the answer to a call; may be empty */
#define DUCT_FRAME_BULK		6	/* a call with memory lent: struct duct_bulk first */

#define DUCT_STATUS_OK		0
#define DUCT_STATUS_REFUSED	1	/* the service did not take the call */

/* ---- bulk ---- */

/*
 * What is lent with a call, before the request's own bytes: this, then so many
 * words of segments. The receiver has let go of all of it when it answers.
 */
struct duct_bulk {
	uint32_t flags;		/* DUCT_BULK_* */
	uint32_t bytes;		/* of all segments */
	uint32_t words;		/* of segments, which follow */
	uint32_t stage;		/* where the staged bytes begin in the sender's half */
};

#define DUCT_BULK_WRITE		1u	/* the receiver writes; else it reads */
#define DUCT_BULK_MAP		2u	/* the receiver may map whole pages */
#define DUCT_BULK_BYTES_MAX	(4u << 20)
#define DUCT_BULK_WORDS_MAX	3072u

/* A segment, by the two highest bits of its first word. */
#define DUCT_SEG_KIND		(3u << 30)
#define DUCT_SEG_PAGE		(0u << 30)	/* a whole page: the rest is its reference */
#define DUCT_SEG_PART		(1u << 30)	/* of the page whose reference is the next word */
#define DUCT_SEG_PART_LEN	0x1fffu		/* bytes */
#define DUCT_SEG_PART_SHIFT	13		/* offset in the page */
#define DUCT_SEG_STAGED		(2u << 30)	/* so many bytes of the staging, after the last */
#define DUCT_SEG_REST		(~DUCT_SEG_KIND)

/* ---- doors ---- */

/*
 * Bit n of the table says that the channel in slot n may have something: data
 * or space. The sender sets it atomically and raises the event channel only if
 * it was clear; the receiver takes whole words by atomic exchange.
 */
#define DUCT_SLOTS		1024u
#define DUCT_SLOT_CONTROL	0u	/* the control ring, on door 0 */
#define DUCT_DOORS		64u

struct duct_door_table {
	uint64_t bits[DUCT_SLOTS / 64];
};

/* ---- the control page ---- */

#define DUCT_CONTROL_BYTES	1024u

/* to_back is written by the frontend, to_front by the backend. */
struct duct_control_page {
	struct duct_shared_ring to_back;
	struct duct_shared_ring to_front;
	struct duct_door_table door_to_back;
	struct duct_door_table door_to_front;
	uint8_t reserved0[512];
	uint8_t data_to_back[DUCT_CONTROL_BYTES];
	uint8_t data_to_front[DUCT_CONTROL_BYTES];
	uint8_t reserved1[1024];
};

/* ---- the arena ---- */

#define DUCT_PAGE_SIZE		4096u
#define DUCT_CHUNK_PAGES	64u	/* of a common chunk */
#define DUCT_CHUNK_PAGES_MAX	2048u	/* of one made for a large ring */
#define DUCT_CHUNKS		256u	/* ids are below this */
#define DUCT_REFS_PER_MSG	32u

/* ---- control messages ---- */

/*
 * Payloads of DUCT_FRAME_MSG frames on the control ring. The length is exactly
 * that of the message's struct. HELLO is the first message of each end and
 * comes once; nothing else may precede it.
 */
#define DUCT_CTL_HELLO		1	/* both */
#define DUCT_CTL_ANNOUNCE	2	/* both */
#define DUCT_CTL_WITHDRAW	3	/* both */
#define DUCT_CTL_BIND		4	/* both */
#define DUCT_CTL_UNBIND		5	/* both */
#define DUCT_CTL_OPEN		6	/* backend to frontend */
#define DUCT_CTL_CANCEL		7	/* backend to frontend */
#define DUCT_CTL_BOUND		8	/* frontend to backend */
#define DUCT_CTL_REFUSED	9	/* frontend to backend */
#define DUCT_CTL_CLOSE		10	/* both */
#define DUCT_CTL_CLOSED		11	/* both */
#define DUCT_CTL_CHUNK		12	/* frontend to backend */
#define DUCT_CTL_CHUNK_DONE	13	/* backend to frontend */
#define DUCT_CTL_DOOR		14	/* frontend to backend */
#define DUCT_CTL_DOOR_DONE	15	/* backend to frontend */
#define DUCT_CTL_GOODBYE	16	/* both */
#define DUCT_CTL_STAGE		17	/* frontend to backend */

#define DUCT_SERVICE_NAME	16

/* [a-z0-9_-]{1,15}, padded with zeros; the role is the sender's. */
struct duct_ctl_service {
	uint8_t name[DUCT_SERVICE_NAME];
	uint32_t instance;
	uint32_t role;		/* DUCT_ROLE_* */
};

#define DUCT_ROLE_CONNECT	1	/* uses what the receiver offers */
#define DUCT_ROLE_SERVE		2	/* offers it */
#define DUCT_ROLE_PEER		4	/* both ends are equal */

struct duct_ctl_hello {
	uint32_t type;
	uint32_t epoch;		/* the frontend counts; the backend repeats */
	uint64_t incarnation;	/* own, as in xenstore */
	uint64_t peer_incarnation; /* the one that the sender connected to */
	uint64_t features;
};

/* ANNOUNCE: SERVE or PEER. BIND: CONNECT. */
struct duct_ctl_offer {
	uint32_t type;
	uint32_t reserved;
	struct duct_ctl_service service;
	uint64_t features;	/* the service driver's */
};

/* WITHDRAW: SERVE or PEER. UNBIND: CONNECT. */
struct duct_ctl_withdraw {
	uint32_t type;
	uint32_t reserved;
	struct duct_ctl_service service;
};

/*
 * How far one end of a resumable channel is: positions in the two rings, counted in bytes
 * from where the rings began when the cookie was new; the low half of each is an index.
 */
struct duct_ctl_point {
	uint64_t cookie;	/* the run of the channel; 0: none, and the rest is 0 */
	uint64_t sent;		/* behind the last frame that it wrote */
	uint64_t kept;		/* the first byte of those that it can write again */
	uint64_t taken;		/* behind the last frame that it read */
};

/* What one end asks of a channel. */
struct duct_ctl_wish {
	uint32_t flags;		/* DUCT_WISH_* */
	uint32_t tx_bytes;	/* ring written by the one who asks */
	uint32_t rx_bytes;	/* ring read by it */
	uint32_t max_msg;
	uint32_t max_calls;	/* calls it serves at once */
	uint32_t max_answer;	/* longest answer it gives */
	struct duct_ctl_point point;	/* RESUMABLE: where it was left */
};

#define DUCT_WISH_STREAM	1u
#define DUCT_WISH_RESUMABLE	2u	/* nothing is lost with the epoch */
#define DUCT_WISH_RESUMED	4u	/* BOUND only: both go on where they were */

/* OPEN, CANCEL (wish is zero) */
struct duct_ctl_open {
	uint32_t type;
	uint32_t number;
	struct duct_ctl_service service;
	struct duct_ctl_wish wish;
};

/* A channel's number is the service's own below 2^31, or of a kind, and the rest is the id. */
#define DUCT_NUMBER_KIND	(3u << 30)
#define DUCT_NUMBER_EVENT	(2u << 30)	/* a counted event */
#define DUCT_NUMBER_REGION	(3u << 30)	/* a region */
#define DUCT_NUMBER_FRONT	(1u << 29)	/* of a region: the frontend's end owns it */

/* The messages of a counted event: so many triggers. */
struct duct_trigger {
	uint32_t count;		/* not 0 */
	uint32_t reserved;
};

struct duct_ctl_ring {
	uint32_t chunk;
	uint32_t offset;	/* of struct duct_shared_ring; the data follow it */
	uint32_t bytes;		/* power of two */
	uint32_t start;		/* all its indexes begin here */
};

/* The channel exists now: where, and what both ends agreed on. */
struct duct_ctl_bound {
	uint32_t type;
	uint32_t number;
	struct duct_ctl_service service;
	uint32_t slot;
	uint32_t generation;
	uint32_t door;
	uint32_t flags;		/* DUCT_WISH_* */
	struct duct_ctl_ring to_back;
	struct duct_ctl_ring to_front;
	uint32_t max_msg;	/* the smaller wish, both directions */
	uint32_t max_calls;	/* the frontend's */
	uint32_t max_answer;
	uint32_t reserved;
	struct duct_ctl_point point;	/* RESUMABLE: the frontend's; the cookie is both's */
};

/* The wish of the backend cannot be met; it may wish again. */
struct duct_ctl_refused {
	uint32_t type;
	uint32_t number;
	struct duct_ctl_service service;
	uint32_t reason;	/* DUCT_REFUSED_* */
	uint32_t reserved;
};

#define DUCT_REFUSED_MISMATCH	1u	/* stream at one end, messages at the other */
#define DUCT_REFUSED_BUDGET	2u
#define DUCT_REFUSED_MEMORY	3u

/* CLOSE, CLOSED */
struct duct_ctl_close {
	uint32_t type;
	uint32_t slot;
	uint32_t generation;
	uint32_t reason;	/* CLOSE: DUCT_CLOSE_*; CLOSED: 0 */
};

#define DUCT_CLOSE_NORMAL	0u
#define DUCT_CLOSE_BROKEN	1u	/* the receiver broke the protocol of the channel */
#define DUCT_CLOSE_MEMORY	2u
#define DUCT_CLOSE_LOST		3u	/* what BOUND resumes is gone, with what it had kept */

/*
 * Grants of an arena chunk, DUCT_REFS_PER_MSG at a time in order; the chunk is
 * complete with page @pages - 1. Refs behind the last page are zero.
 */
struct duct_ctl_chunk {
	uint32_t type;
	uint32_t chunk;
	uint32_t pages;
	uint32_t first;		/* page of refs[0]: a multiple of DUCT_REFS_PER_MSG */
	uint32_t refs[DUCT_REFS_PER_MSG];
};

/* CHUNK_DONE, DOOR_DONE: the backend has mapped or bound it, or not. */
struct duct_ctl_done {
	uint32_t type;
	uint32_t id;
	uint32_t status;	/* 0, or not 0: it will never be used */
	uint32_t reserved;
};

/* A further door: its tables (to_back, to_front) lie in the arena. */
struct duct_ctl_door {
	uint32_t type;
	uint32_t door;
	uint32_t port;
	uint32_t chunk;
	uint32_t offset;
	uint32_t reserved;
};

/*
 * The sender has stopped using the link. The backend says it when it has
 * unmapped every chunk; only the control page is left.
 */
struct duct_ctl_goodbye {
	uint32_t type;
	uint32_t reason;	/* DUCT_GOODBYE_* */
};

#define DUCT_GOODBYE_NORMAL	0u
#define DUCT_GOODBYE_BROKEN	1u	/* the receiver broke the protocol of the link */

/*
 * Staging, once in an epoch: memory that is there already, for what is small or
 * no whole page. The first half is the frontend's to place bytes in, and the
 * second the backend's.
 */
struct duct_ctl_stage {
	uint32_t type;
	uint32_t chunk;
	uint32_t offset;
	uint32_t bytes;		/* of each half */
};

#define DUCT_STAGE_MAX		(1u << 20)

/* ---- regions ---- */

/*
 * The messages of a region's channel, between its owner and one peer; the length is
 * exactly that of the message's struct. An offer has a number: what is about an
 * earlier one came late, and is ignored.
 */
#define DUCT_REGION_OFFER	1u	/* owner: the region, then REFS until all are there */
#define DUCT_REGION_REFS	2u	/* owner */
#define DUCT_REGION_ATTACHED	3u	/* peer: it is mapped, or not */
#define DUCT_REGION_REVOKE	4u	/* owner: let go of it */
#define DUCT_REGION_RELEASED	5u	/* peer: nothing of it is mapped any more */
#define DUCT_REGION_WATCH	6u	/* peer: tell it of triggers at an offset */
#define DUCT_REGION_WATCHED	7u	/* owner: from here on, or not */
#define DUCT_REGION_UNWATCH	8u	/* peer */
#define DUCT_REGION_TRIGGER	9u	/* both */

#define DUCT_REGION_PEERS	64u	/* ids of a region are below this; 0 is the owner's */
#define DUCT_REGION_PAGES_MAX	16384u
#define DUCT_REGION_REFS_PER_MSG 60u
#define DUCT_REGION_WATCHES	64u	/* offsets that a peer watches at once */

struct duct_region_offer {
	uint32_t type;
	uint32_t offer;		/* number of it */
	uint32_t peer;		/* the receiver's id */
	uint32_t flags;		/* DUCT_REGION_* */
	uint64_t size;		/* bytes; pages = ceil(size / DUCT_PAGE_SIZE) */
};

#define DUCT_REGION_WRITABLE	1u	/* the receiver may write; else it maps to read */

/* Grants of the pages in order; refs behind the last page are zero. */
struct duct_region_refs {
	uint32_t type;
	uint32_t offer;
	uint32_t first;		/* page of refs[0] */
	uint32_t n;		/* of refs */
	uint32_t refs[DUCT_REGION_REFS_PER_MSG];
};

/* ATTACHED, REVOKE, RELEASED */
struct duct_region_state {
	uint32_t type;
	uint32_t offer;
	uint32_t status;	/* ATTACHED: DUCT_REGION_*; else 0 */
	uint32_t reserved;
};

#define DUCT_REGION_OK		0u
#define DUCT_REGION_BUDGET	1u	/* over the receiver's budget; too many offsets */
#define DUCT_REGION_MEMORY	2u	/* it could not be mapped */
#define DUCT_REGION_NOBODY	3u	/* a transfer: no peer has this id */
#define DUCT_REGION_NONE	4u	/* a transfer: nothing is registered there */
#define DUCT_REGION_BROKEN	5u	/* a transfer: the copying failed */

/* WATCH, WATCHED, UNWATCH, TRIGGER */
struct duct_region_point {
	uint32_t type;
	uint32_t value;		/* TRIGGER: how many; WATCHED: DUCT_REGION_*; else 0 */
	uint64_t off;		/* below the region's size */
};

/* A call with memory lent, for the oldest list that a peer has registered; and its answer. */
struct duct_region_xfer {
	uint32_t peer;
	uint32_t reserved;
};

struct duct_region_moved {
	uint32_t status;	/* DUCT_REGION_* */
	uint32_t bytes;
};

#define DUCT_CTL_MAX		sizeof(struct duct_ctl_chunk)

#define DUCT_WIRE_SIZE(s, n) _Static_assert(sizeof(struct s) == (n), #s)
#define DUCT_WIRE_AT(s, m, n) \
	_Static_assert(__builtin_offsetof(struct s, m) == (n), #s "." #m)
DUCT_WIRE_SIZE(duct_shared_ring, 128);
DUCT_WIRE_AT(duct_shared_ring, want_space, 4);
DUCT_WIRE_AT(duct_shared_ring, cons, 64);
DUCT_WIRE_AT(duct_shared_ring, want_data, 68);
DUCT_WIRE_SIZE(duct_frame, 16);
DUCT_WIRE_AT(duct_frame, type, 4);
DUCT_WIRE_AT(duct_frame, status, 6);
DUCT_WIRE_AT(duct_frame, slot, 8);
DUCT_WIRE_AT(duct_frame, generation, 12);
DUCT_WIRE_SIZE(duct_door_table, 128);
DUCT_WIRE_SIZE(duct_control_page, 4096);
DUCT_WIRE_AT(duct_control_page, to_front, 128);
DUCT_WIRE_AT(duct_control_page, door_to_back, 256);
DUCT_WIRE_AT(duct_control_page, door_to_front, 384);
DUCT_WIRE_AT(duct_control_page, data_to_back, 1024);
DUCT_WIRE_AT(duct_control_page, data_to_front, 2048);
DUCT_WIRE_SIZE(duct_ctl_service, 24);
DUCT_WIRE_AT(duct_ctl_service, instance, 16);
DUCT_WIRE_AT(duct_ctl_service, role, 20);
DUCT_WIRE_SIZE(duct_ctl_hello, 32);
DUCT_WIRE_AT(duct_ctl_hello, incarnation, 8);
DUCT_WIRE_AT(duct_ctl_hello, peer_incarnation, 16);
DUCT_WIRE_AT(duct_ctl_hello, features, 24);
DUCT_WIRE_SIZE(duct_ctl_offer, 40);
DUCT_WIRE_AT(duct_ctl_offer, service, 8);
DUCT_WIRE_AT(duct_ctl_offer, features, 32);
DUCT_WIRE_SIZE(duct_ctl_withdraw, 32);
DUCT_WIRE_AT(duct_ctl_withdraw, service, 8);
DUCT_WIRE_SIZE(duct_ctl_point, 32);
DUCT_WIRE_AT(duct_ctl_point, taken, 24);
DUCT_WIRE_SIZE(duct_ctl_wish, 56);
DUCT_WIRE_AT(duct_ctl_wish, max_msg, 12);
DUCT_WIRE_AT(duct_ctl_wish, max_answer, 20);
DUCT_WIRE_AT(duct_ctl_wish, point, 24);
DUCT_WIRE_SIZE(duct_ctl_open, 88);
DUCT_WIRE_AT(duct_ctl_open, service, 8);
DUCT_WIRE_AT(duct_ctl_open, wish, 32);
DUCT_WIRE_SIZE(duct_trigger, 8);
DUCT_WIRE_SIZE(duct_ctl_ring, 16);
DUCT_WIRE_SIZE(duct_ctl_bound, 128);
DUCT_WIRE_AT(duct_ctl_bound, service, 8);
DUCT_WIRE_AT(duct_ctl_bound, slot, 32);
DUCT_WIRE_AT(duct_ctl_bound, flags, 44);
DUCT_WIRE_AT(duct_ctl_bound, to_back, 48);
DUCT_WIRE_AT(duct_ctl_bound, to_front, 64);
DUCT_WIRE_AT(duct_ctl_bound, max_msg, 80);
DUCT_WIRE_AT(duct_ctl_bound, point, 96);
DUCT_WIRE_SIZE(duct_ctl_refused, 40);
DUCT_WIRE_AT(duct_ctl_refused, reason, 32);
DUCT_WIRE_SIZE(duct_ctl_close, 16);
DUCT_WIRE_AT(duct_ctl_close, reason, 12);
DUCT_WIRE_SIZE(duct_ctl_chunk, 144);
DUCT_WIRE_AT(duct_ctl_chunk, refs, 16);
DUCT_WIRE_SIZE(duct_ctl_done, 16);
DUCT_WIRE_SIZE(duct_ctl_door, 24);
DUCT_WIRE_SIZE(duct_ctl_goodbye, 8);
DUCT_WIRE_SIZE(duct_ctl_stage, 16);
DUCT_WIRE_AT(duct_ctl_stage, bytes, 12);
DUCT_WIRE_SIZE(duct_bulk, 16);
DUCT_WIRE_AT(duct_bulk, words, 8);
DUCT_WIRE_SIZE(duct_region_offer, 24);
DUCT_WIRE_AT(duct_region_offer, size, 16);
DUCT_WIRE_SIZE(duct_region_refs, 256);
DUCT_WIRE_AT(duct_region_refs, refs, 16);
DUCT_WIRE_SIZE(duct_region_state, 16);
DUCT_WIRE_SIZE(duct_region_point, 16);
DUCT_WIRE_AT(duct_region_point, off, 8);
DUCT_WIRE_SIZE(duct_region_xfer, 8);
DUCT_WIRE_SIZE(duct_region_moved, 8);

#endif /* __XEN_PUBLIC_IO_DUCT_H__ */
