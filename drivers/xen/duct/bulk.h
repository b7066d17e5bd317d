/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory lent with calls: the caller's half, lend.c, and the server's, bulk.c, which
 * copies, and bulk_map.c.
 */
#ifndef _DUCT_BULK_H
#define _DUCT_BULK_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <xen/duct.h>

#include "arena.h"
#include "peer.h"
#include "segs.h"

struct duct_bulk_pages;
struct duct_copy_batch;
struct duct_link;
struct duct_request_core;
struct duct_slot;

/* Bytes of each half of the staging, if nothing else is asked for. */
#define DUCT_STAGE_BYTES	(32u << 10)

/*
 * Where one way of lending becomes cheaper than another. Measured by the rig's scenario
 * "crossover": thousands of instructions a call, of both domains and the hypervisor,
 * its round trip included; Linux 6.1, Xen 4.17, dom0 lends to a PV guest with one
 * CPU. Counting instructions makes two things cheaper than processors do: hypercalls,
 * and emptying TLBs, which each unmapping asks for, on all CPUs of the domain. And it makes
 * copying dearer: a word is an instruction. All three are module parameters.
 *
 * Lists of up to so many bytes in all go through the staging:
 *
 *   KiB                 4    8    12    16    24    32
 *   read, staged       93   100   104   109   120   129
 *   read, by grants    94    98   102   107   116   126
 *   written, staged    93   100   103   109   119   130
 *   written, by grants 94    98   102   108   116   127
 *
 * The same at 4 to 8 KiB. By grants there is one more hypercall.
 */
#define DUCT_STAGE_SMALL	(8u << 10)

/*
 * Whole pages from which on duct_bulk_map() maps, where it may:
 *
 *   pages               1    4    16    64   128   256   512  1024
 *   read, copied      186   197   245   431   683  1225  2427  4738
 *   read, mapped      186   198   248   449   719  1261  2344  4463
 *   written, copied   185   198   244   432   678  1219  2433  4756
 *   written, mapped   184   200   251   458   736  1289  2405  4614
 *
 * Mapping wins from between 1 and 2 MiB on, by little, and then spares as much memory.
 * With TLBs it wins later, or, where what was copied falls out of the cache, earlier.
 */
#define DUCT_MAP_PAGES		512u

/*
 * Bytes a piece, on average, from which on duct_bulk_copy() spares the way by pages of
 * ours, of 256 KiB:
 *
 *   bytes a piece     512  1024  2048  4096
 *   read, directly    401   314   274   251
 *   read, by others   411   396   389   385
 *   written, directly 400   316   273   252
 *   written, by others 411  396   390   384
 *
 * The same at 512. An operation of a hypercall is about 330, copying a page and making
 * room for it 2100, which a processor does in a third.
 */
#define DUCT_COPY_PIECE		1024u

/* Pages of one peer that are mapped at once: four of the longest lists, 16 MiB. */
#define DUCT_MAPPED_MAX		(4 * DUCT_BULK_BYTES_MAX / DUCT_PAGE_SIZE)

/* The core's own flag for duct_call_async(): what the peer does not write stays as it is. */
#define DUCT_LEND_KEEP		(1u << 31)

/**
 * struct duct_stage - memory of the arena for small and partial pieces
 * @lock: @arena and @map; hard irqs off
 * @arena: our half; what is in use
 * @map: its
 * @own: our half
 * @peer: the peer's
 * @bytes: of each half; 0: there is none in this epoch
 */
struct duct_stage {
	spinlock_t lock;
	struct duct_arena arena;
	u64 map[DUCT_STAGE_MAX / DUCT_GRANULE / 64];
	u8 __peer *own;
	u8 __peer *peer;
	u32 bytes;
};

/**
 * struct duct_lend - memory of a caller here, while the peer works on the call
 * @node: on link->lends, when the epoch ended before the answer came
 * @flags: DUCT_BULK_*
 * @bytes: of all
 * @sg: the caller's, until @revoked
 * @nents: of @sg
 * @all: even whole pages are staged
 * @staged: bytes that are not lent as whole pages
 * @in_stage: they are in the staging, from @stage on; else in pages of our own
 * @stage: see there
 * @whole: pages of the caller
 * @pages: those and ours
 * @revoked: the peer cannot reach them any more, but for those that it had mapped
 * @ended: of them, those that it cannot reach: what revoking gave
 * @page: whole ones first
 * @ref: theirs
 * @words: of @word
 * @word: the list for the peer
 */
struct duct_lend {
	struct list_head node;
	u32 flags;
	u32 bytes;
	struct scatterlist *sg;
	unsigned int nents;
	bool all;
	u32 staged;
	bool in_stage;
	u32 stage;
	u32 whole;
	u32 pages;
	bool revoked;
	u32 ended;
	struct page **page;
	u32 *ref;
	u32 words;
	u32 *word;
};

/**
 * struct duct_bulk_in - memory of a caller at the peer
 * @head: of the list
 * @word: the list, checked
 */
struct duct_bulk_in {
	struct duct_bulk head;
	u32 word[];
};

/* lend.c */
void duct_stage_init(struct duct_link *link);
int duct_stage_large(struct duct_link *link);
void duct_stage_offer(struct duct_link *link);
const char *duct_stage_receive(struct duct_link *link, const struct duct_ctl_stage *msg);
void duct_stage_end(struct duct_link *link);
struct duct_lend *duct_lend_new(struct duct_slot *slot, const struct duct_call *call, u32 flags);
u32 duct_lend_len(const struct duct_lend *lend);
void duct_lend_write(const struct duct_lend *lend, u8 __peer *to);
void duct_lend_revoke(struct duct_link *link, struct duct_lend *lend);
void duct_lend_end(struct duct_link *link, struct duct_lend *lend, bool good);
void duct_lend_release_all(struct duct_link *link);

/**
 * struct duct_move - copying between what was lent and pages of ours
 * @req: whose
 * @batch: to work with
 * @bv: the pages; none is mapped from the caller
 * @at: bytes done of @bv's first
 * @parts: leave out whole pages, and a @bv for each
 */
struct duct_move {
	struct duct_request_core *req;
	struct duct_copy_batch *batch;
	const struct bio_vec *bv;
	u32 at;
	bool parts;
};

static inline struct duct_segs duct_bulk_segs(const struct duct_bulk_in *bulk)
{
	return (struct duct_segs) {
		.word = bulk->word,
		.words = bulk->head.words,
		.stage = bulk->head.stage,
	};
}

/* bulk.c */
const char *duct_bulk_receive(struct duct_slot *slot, const struct duct_frame *frame, u32 max_msg,
			      struct duct_bulk_in **bulk);
bool duct_bulk_bound(struct duct_request_core *req);
int duct_bulk_move(struct duct_move *move, u32 off, u32 len);

/* bulk_map.c */
void duct_bulk_reply(struct duct_request_core *req, const void *rsp, u32 len, bool fits);
void duct_bulk_unmap(struct duct_bulk_pages *map);

#endif /* _DUCT_BULK_H */
