/* SPDX-License-Identifier: GPL-2.0 */
/* See perf.c. */
#ifndef _DUCT_PERF_H
#define _DUCT_PERF_H

#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/uio.h>
#include <xen/duct.h>

#define PERF_MAX	(256u << 10)	/* longest message */
#define PERF_LEND	(4u << 20)	/* longest list lent */
#define PERF_PIECE	512u		/* least piece that bulk is copied in */
#define PERF_WAIT	(60 * HZ)	/* a peer that takes nothing for so long has failed */

enum { PERF_MESSAGES, PERF_STREAM, PERF_CHANNELS, PERF_EVENT = PERF_CHANNELS, PERF_ALL };

/* What one direction of a channel has seen; of the event, the triggers are the messages. */
struct perf_sum {
	u64 messages;
	u64 bytes;
	u32 hash;
};

/* Asked of the peer by a call on the message channel: start, or how it went. */
struct perf_query {
	u32 start;	/* 1: forget what came so far */
	u32 channel;
};

struct perf_report {
	struct perf_sum sum;
	u64 events;
	u64 copies;
	u64 maps;
	u64 wakeups;
};

#define PERF_CANARY	0xc5
#define PERF_PIECES	64u
#define PERF_FIELD(most) PAGE_ALIGN(2 * (most) + 16 * PAGE_SIZE)

/**
 * struct perf_list - pieces of memory
 * @field: what they are cut from; all but them are canaries
 * @size: of @field
 * @vec: the pieces
 * @n: of @vec
 * @bytes: of all pieces
 */
struct perf_list {
	u8 *field;
	u32 size;
	struct kvec vec[PERF_PIECES];
	u32 n;
	u32 bytes;
};

/**
 * struct perf - one device
 * @dd: the device
 * @dir: the file in debugfs
 * @lock: one run at a time; covers @result and @pattern
 * @ch: by PERF_*
 * @ev: the event, PERF_EVENT
 * @region: both ends' regions
 * @churn: channels that come and go
 * @in_lock: @in: one channel's reader counts, another one's reports
 * @in: what came in, by PERF_*
 * @scratch: what was read, by channel; the same
 * @served: pieces of ours for what the peer lends
 * @piece: length of each of @bv; the one reader's
 * @bv: @scratch of the messages, in pieces
 * @pattern: random bytes to send, the same at both ends
 * @rnd: state of the random numbers
 * @result: of the last run
 */
struct perf {
	struct duct_device *dd;
	struct dentry *dir;
	struct mutex lock;
	struct duct_channel *ch[PERF_CHANNELS];
	struct duct_event *ev;
	struct perf_region *region;
	struct perf_churn *churn;
	struct mutex in_lock;
	struct perf_sum in[PERF_ALL];
	u8 *scratch[PERF_CHANNELS];
	struct perf_list *served;
	u32 piece;
	struct bio_vec *bv;
	u8 *pattern;
	struct rnd_state rnd;
	struct {
		u64 messages, bytes, ns, events, peer_events, hypercalls, peer_hypercalls, wakeups;
		u64 peer_maps;
		bool match;
		int err;
	} result;
};

/* perf_list.c */
void perf_list_init(struct perf_list *list, u8 *field, u32 size);
void perf_list_make(struct perf_list *list, struct rnd_state *rnd, u32 bytes);
void perf_list_fill(struct perf_list *list, const u8 *data);
bool perf_list_check(struct perf_list *list, const u8 *data, bool all);

/* perf_bulk.c */
int perf_bulk(struct perf *perf, struct perf_sum *sum, u32 most, u32 count, u32 parts);
int perf_bulk_serve(struct perf *perf, struct duct_request *req, const u8 *data, u32 len);

/**
 * struct perf_lend_ask - what a call of perf_lend() wants; no other has its length
 * @how: the peer serves it
 * @keep: ms between mapping and the answer
 */
struct perf_lend_ask {
	u32 how;
	u32 keep;
};

/* perf_lend.c */
int perf_lend(struct perf *perf, struct perf_sum *sum, bool write, u32 size, u32 count, u32 how);
int perf_lend_serve(struct perf *perf, struct duct_request *req, const struct perf_lend_ask *ask);

/* perf_region.c */
int perf_region_probe(struct perf *perf);
void perf_region_stop(struct perf *perf);
void perf_region_remove(struct perf *perf);
int perf_region(struct perf *perf, struct perf_sum *sum, u32 pages, u32 count);
int perf_xfer(struct perf *perf, struct perf_sum *sum, u32 most, u32 count);

/* perf_churn.c */
int perf_churn_probe(struct perf *perf);
void perf_churn_stop(struct perf *perf);
void perf_churn_remove(struct perf *perf);
int perf_churn(struct perf *perf, struct perf_sum *sum, u32 n, u32 count, u32 most);

#endif /* _DUCT_PERF_H */
