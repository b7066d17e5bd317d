/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of any shape, calls that lend them, and an end that serves those. */
#ifndef _DUCT_TESTS_BULK_H
#define _DUCT_TESTS_BULK_H

#include <linux/scatterlist.h>

#include "calls.h"

#define BULK_PAGES	192u	/* of the field that lists are cut from */
#define BULK_FIELD	(BULK_PAGES * PAGE_SIZE)
#define BULK_PIECES	64u
#define BULK_CANARY	0xc5
#define BULK_CALLS	8u

enum bulk_how {
	BULK_COPY,	/* piece by piece, each of another length */
	BULK_TO_PAGES,	/* into pages of the server's own, in pieces of any length */
	BULK_MAP,
	BULK_REFUSE,
	BULK_HOLD,
};

/* A request: how the server checks, or what it writes: the pattern from @n on. */
struct bulk_ask {
	u32 how;
	u32 n;
	u32 bytes;
};

/**
 * struct bulk - a caller's memory, and what the server saw
 * @kit: the test
 * @a: calls
 * @b: serves
 * @field: BULK_FIELD bytes, the list's pieces and canaries
 * @table: the list
 * @sg: of @table
 * @nents: of @sg
 * @bytes: of the list
 * @scratch: the server's, BULK_FIELD bytes
 * @rnd: the server's
 * @flags: of the calls: DUCT_MAY_MAP
 * @bad: bytes that the server found wrong, or calls that it could not serve
 * @held: the request that BULK_HOLD kept
 */
struct bulk {
	struct kit *kit;
	struct kit_end *a;
	struct kit_end *b;
	u8 *field;
	struct scatterlist sg[BULK_PIECES];
	u32 nents;
	u32 bytes;
	u8 *scratch;
	struct rnd_state rnd;
	u32 flags;
	u32 bad;
	struct duct_request *held;
};

/* Both ends up: side @side calls, with rings of @ring bytes. */
struct bulk *bulk_start(struct kunit *test, unsigned int side, u32 ring);
/* An empty list, and canaries in all of the field. */
void bulk_begin(struct bulk *bulk);
/* A piece that does not cross pages, for vmalloc'ed ones are nowhere near each other. */
void bulk_piece(struct bulk *bulk, u32 at, u32 len);
/* @n whole pages, no two neighbours in the field. */
void bulk_whole(struct bulk *bulk, u32 n);
/* Pieces of one byte to a page, whole pages in between, in any order of kinds. */
void bulk_random(struct bulk *bulk);
/*
 * Number @n's pattern is made the list's bytes; or they are compared with it if @want,
 * and become canaries, and all must be canaries then. Return: bytes that are wrong
 */
u32 bulk_look(struct bulk *bulk, u32 n, bool make, bool want);
void bulk_fill(struct bulk *bulk, u8 *data, u32 n, u32 at, u32 len);
int bulk_call(struct bulk *bulk, struct call *call, enum bulk_how how, u32 n,
	      enum dma_data_direction dir);
/* The same, up to its end: all bytes are right. */
void bulk_round(struct bulk *bulk, struct call *call, enum bulk_how how, u32 n,
		enum dma_data_direction dir);
/* Serves a request that is held; it is not answered. Return: 0 or -errno */
int bulk_serve_copy(struct bulk *bulk, struct duct_request *req, u32 n);
int bulk_serve_pages(struct bulk *bulk, struct duct_request *req, u32 n, u32 piece);
int bulk_serve_map(struct bulk *bulk, struct duct_request *req, u32 n);
/* Answers the request that is held. Return: as duct_reply() */
int bulk_answer(struct bulk *bulk);
/* Nothing is lent, staged or mapped at either end. */
void bulk_expect_settled(struct kunit *test, struct bulk *bulk);
/* @rounds random lists, either way by turns. */
void bulk_many(struct kunit *test, struct bulk *bulk, enum bulk_how how, u32 rounds);

#endif /* _DUCT_TESTS_BULK_H */
