/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of the tests, and an end that serves them as it is told. */
#ifndef _DUCT_TESTS_CALLS_H
#define _DUCT_TESTS_CALLS_H

#include "kit.h"

#define CALLS_DATA	64	/* longest request and answer, bytes */
#define CALLS_HELD	16

/**
 * struct call - an asynchronous call that notes how it ended
 * @call: the API's
 * @kit: the test
 * @dones: calls of done(): must become 1 and stay so
 * @err: what done() was told
 * @len: of the answer
 * @data: the answer
 */
struct call {
	struct duct_call call;
	struct kit *kit;
	atomic_t dones;
	int err;
	u32 len;
	u8 data[CALLS_DATA];
};

enum calls_how {
	CALLS_ECHO,	/* the request is the answer */
	CALLS_HOLD,	/* kept for the test to answer */
	CALLS_REFUSE,	/* recv() fails */
	CALLS_TOO_LONG,	/* an answer of more than max_answer */
};

/**
 * struct calls_server - the serving end: kit_end.priv
 * @how: what to do with a request
 * @lock: the requests held
 * @held: requests that wait, by arrival
 * @data: and what they said
 * @len: bytes of that
 * @n: how many
 * @reply: what the last duct_reply() gave
 */
struct calls_server {
	enum calls_how how;
	spinlock_t lock;
	struct duct_request *held[CALLS_HELD];
	u8 data[CALLS_HELD][CALLS_DATA];
	u32 len[CALLS_HELD];
	u32 n;
	int reply;
};

/* Both ends up: @a calls, @b serves @max_calls at once. */
struct calls_server *calls_pair(struct kunit *test, struct kit_end *a, struct kit_end *b,
				u32 max_calls, bool keep);
/* The caller's end without a receiver of its own. */
struct call *calls_new(struct kit *kit);
int calls_start(struct kit_end *end, struct call *call, const void *req, u32 len);
/* The same, as soon as there is a place: that of a call is free after its done(). */
void calls_begin(struct kit_end *end, struct call *call, const void *req, u32 len);
/* Answers the request held at @i with what it said. Any context. */
int calls_answer(struct calls_server *server, u32 i);
/* All of them, last first; then none is held. */
void calls_answer_all(struct calls_server *server);

static inline bool calls_ended(struct call *call)
{
	return atomic_read(&call->dones);
}

#endif /* _DUCT_TESTS_CALLS_H */
