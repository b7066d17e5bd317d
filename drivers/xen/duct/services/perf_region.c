// SPDX-License-Identifier: GPL-2.0
/*
 * Regions for perf: each end attaches what the other offers. "region" makes and ends
 * them, "xfer" moves bytes between lists of random shape at both ends.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "perf.h"

#define PERF_REGION_ID	1u
#define PERF_REGION_CHANNEL 2u
#define PERF_XFER	(64u << 10)	/* bytes of a list */

enum {
	PERF_LOOK,	/* the region holds what @seed says; write what the next says */
	PERF_REGISTER,	/* a list of up to @bytes, to be written or read */
	PERF_MOVED,	/* a transfer has used it: @bytes of it */
};

struct perf_region_ask {
	u32 op;
	u32 seed;
	u32 bytes;
	u32 write;	/* the transfer writes the list */
};

/**
 * struct perf_region - one end
 * @perf: whose
 * @ch: its calls
 * @theirs: the peer's region, attached
 * @wait: for anything
 * @stopping: nobody waits any more
 * @up: @theirs is there
 * @list: what is registered
 * @sg: of @list
 * @reg: of @sg
 * @field: for @list
 * @seed: what is in the list, or will be
 * @moved: done() said
 * @consumed: done() was called
 * @expected: PERF_XFER bytes, to compare with
 * @peer: own region: who has it; 0: nobody
 */
struct perf_region {
	struct perf *perf;
	struct duct_channel *ch;
	struct duct_region *theirs;
	wait_queue_head_t wait;
	bool stopping;
	bool up;
	struct perf_list list;
	struct scatterlist sg[PERF_PIECES];
	struct duct_sg reg;
	u8 *field;
	u32 seed;
	u32 moved;
	bool consumed;
	u8 *expected;
	unsigned int peer;
};

static const u8 *perf_region_data(const struct perf_region *pr, u32 seed)
{
	return pr->perf->pattern + seed % 4096;
}

/* Each page of a region, since the pattern is shorter. */
static void perf_region_fill(struct perf_region *pr, struct duct_region *r, u32 seed)
{
	u64 at;

	for (at = 0; at < r->size; at += PAGE_SIZE)
		memcpy(r->addr + at, perf_region_data(pr, seed + at / PAGE_SIZE), PAGE_SIZE);
}

static bool perf_region_holds(struct perf_region *pr, struct duct_region *r, u32 seed)
{
	bool good = true;
	u64 at;

	for (at = 0; at < r->size; at += PAGE_SIZE)
		good = !memcmp(r->addr + at, perf_region_data(pr, seed + at / PAGE_SIZE),
			       PAGE_SIZE) && good;
	return good;
}

/* Whether the condition comes true in time, and before the device goes. */
#define perf_region_wait(pr, condition)							\
	(wait_event_timeout((pr)->wait, (condition) || READ_ONCE((pr)->stopping),		\
			    PERF_WAIT) && !READ_ONCE((pr)->stopping))

static void perf_region_make(struct perf_list *list, struct scatterlist *sg, struct rnd_state *rnd,
			     u32 most)
{
	u32 i;

	perf_list_make(list, rnd, 1 + prandom_u32_state(rnd) % most);
	sg_init_table(sg, list->n);
	for (i = 0; i < list->n; i++)
		sg_set_buf(&sg[i], list->vec[i].iov_base, list->vec[i].iov_len);
}

/* @moved bytes of what @seed says, then canaries. */
static bool perf_region_check(struct perf_region *pr, struct perf_list *list, u32 seed, u32 moved)
{
	memcpy(pr->expected, perf_region_data(pr, seed), moved);
	memset(pr->expected + moved, PERF_CANARY, list->bytes - moved);
	return perf_list_check(list, pr->expected, false);
}

/* ---- the peer ---- */

static void perf_region_came(struct duct_sg *s, u32 len)
{
	struct perf_region *pr = container_of(s, struct perf_region, reg);

	pr->moved = len;
	WRITE_ONCE(pr->consumed, true);
	wake_up_all(&pr->wait);
}

/* Return: bytes, or -errno */
static int perf_region_look(struct perf_region *pr, u32 seed)
{
	if (!perf_region_wait(pr, READ_ONCE(pr->up)))
		return -ETIMEDOUT;
	if (!perf_region_holds(pr, pr->theirs, seed))
		return -EILSEQ;
	perf_region_fill(pr, pr->theirs, seed + 1);
	return pr->theirs->size;
}

static int perf_region_register(struct perf_region *pr, const struct perf_region_ask *ask)
{
	struct rnd_state rnd;
	int err;

	if (!ask->bytes || ask->bytes > PERF_XFER)
		return -EINVAL;
	/* The peer may have given up on the last one. */
	duct_sg_unregister(pr->theirs, &pr->reg);
	perf_list_init(&pr->list, pr->field, PERF_FIELD(PERF_XFER));
	prandom_seed_state(&rnd, ask->seed);
	perf_region_make(&pr->list, pr->sg, &rnd, ask->bytes);
	if (!ask->write)
		perf_list_fill(&pr->list, perf_region_data(pr, ask->seed));
	pr->seed = ask->seed;
	pr->consumed = false;
	pr->reg = (struct duct_sg) {
		.done = perf_region_came,
		.sg = pr->sg,
		.nents = pr->list.n,
		.dir = ask->write ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
	};
	err = duct_sg_register(pr->theirs, &pr->reg);
	return err ?: (int)pr->list.bytes;
}

static int perf_region_moved(struct perf_region *pr, const struct perf_region_ask *ask)
{
	u32 held = ask->write ? ask->bytes : pr->list.bytes;

	if (!perf_region_wait(pr, READ_ONCE(pr->consumed)))
		return -ETIMEDOUT;
	if (pr->moved != ask->bytes || held > pr->list.bytes)
		return -EBADMSG;
	return perf_region_check(pr, &pr->list, pr->seed, held) ? pr->moved : -EILSEQ;
}

static int perf_region_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct perf_region *pr = ch->priv;
	struct perf_region_ask ask;
	int done;

	if (!msg->request || msg->len != sizeof(ask))
		return -EINVAL;
	done = duct_read(msg, &ask, sizeof(ask));
	if (done)
		return done;
	if (ask.op == PERF_LOOK)
		done = perf_region_look(pr, ask.seed);
	else if (ask.op == PERF_REGISTER)
		done = perf_region_register(pr, &ask);
	else
		done = perf_region_moved(pr, &ask);
	return duct_reply(msg->request, &done, sizeof(done));
}

static const struct duct_channel_ops perf_region_ops = { .recv = perf_region_recv };

static void perf_theirs_up(struct duct_region *r, unsigned int peer)
{
	struct perf_region *pr = r->priv;

	pr->theirs = r;
	WRITE_ONCE(pr->up, true);
	wake_up_all(&pr->wait);
}

static void perf_theirs_down(struct duct_region *r, unsigned int peer, int why)
{
	struct perf_region *pr = r->priv;

	WRITE_ONCE(pr->up, false);
}

static const struct duct_region_ops perf_theirs_ops = {
	.up = perf_theirs_up,
	.down = perf_theirs_down,
};

/* ---- who runs a line ---- */

static void perf_own_up(struct duct_region *r, unsigned int peer)
{
	struct perf_region *pr = r->priv;

	WRITE_ONCE(pr->peer, peer);
	wake_up_all(&pr->wait);
}

static const struct duct_region_ops perf_own_ops = { .up = perf_own_up };

/* A region that the peer has. Return: it or ERR_PTR() */
static struct duct_region *perf_region_begin(struct perf_region *pr, u64 size)
{
	struct duct_region *r = duct_region_create(size, &perf_own_ops, pr);
	int err;

	if (IS_ERR(r))
		return r;
	pr->peer = 0;
	err = duct_region_offer(r, pr->perf->dd, PERF_REGION_ID, true);
	if (!err && !perf_region_wait(pr, READ_ONCE(pr->peer)))
		err = -ETIMEDOUT;
	if (!err)
		return r;
	duct_region_put(r);
	return ERR_PTR(err);
}

/* Return: what the peer answers, 0 or more, or -errno */
static int perf_region_ask(struct perf_region *pr, const struct perf_region_ask *ask)
{
	int answer;
	ssize_t len = duct_call(pr->ch, ask, sizeof(*ask), &answer, sizeof(answer), PERF_WAIT);

	return len < 0 ? len : len != sizeof(answer) ? -EPROTO : answer;
}

/* @count regions of @pages, one after the other. Return: 0; -EILSEQ: a byte is wrong; -errno */
int perf_region(struct perf *perf, struct perf_sum *sum, u32 pages, u32 count)
{
	struct perf_region *pr = perf->region;
	int err = 0;

	for (; count && !err; count--) {
		const struct perf_region_ask ask = { .op = PERF_LOOK, .seed = count };
		struct duct_region *r = perf_region_begin(pr, pages * PAGE_SIZE);

		if (IS_ERR(r))
			return PTR_ERR(r);
		perf_region_fill(pr, r, count);
		err = perf_region_ask(pr, &ask);
		if (err >= 0)
			err = perf_region_holds(pr, r, count + 1) ? 0 : -EILSEQ;
		duct_region_put(r);
		sum->messages++;
		sum->bytes += pages * PAGE_SIZE;
	}
	return err;
}

/* One transfer, to the peer or from it. Return: bytes or -errno */
static int perf_xfer_one(struct perf_region *pr, struct duct_region *r, struct perf_list *list,
			 struct scatterlist *sg, u32 most, bool write)
{
	struct perf_region_ask ask = {
		.op = PERF_REGISTER,
		.seed = prandom_u32_state(&pr->perf->rnd),
		.bytes = most,
		.write = write,
	};
	int theirs, moved;

	perf_region_make(list, sg, &pr->perf->rnd, most);
	if (write)
		perf_list_fill(list, perf_region_data(pr, ask.seed));
	theirs = perf_region_ask(pr, &ask);
	if (theirs < 0)
		return theirs;
	moved = duct_sg_xfer(r, pr->peer, sg, list->n, write ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	if (moved < 0)
		return moved;
	if (moved != min_t(u32, theirs, list->bytes))
		return -EBADMSG;
	ask.op = PERF_MOVED;
	ask.bytes = moved;
	theirs = perf_region_ask(pr, &ask);
	if (theirs < 0)
		return theirs;
	return perf_region_check(pr, list, ask.seed, write ? list->bytes : moved) ? moved : -EILSEQ;
}

/* @count transfers of up to @most bytes, either way by turns. Return: as perf_region() */
int perf_xfer(struct perf *perf, struct perf_sum *sum, u32 most, u32 count)
{
	struct perf_region *pr = perf->region;
	u32 size = PERF_FIELD(min(most, PERF_XFER));
	struct scatterlist *sg = kcalloc(PERF_PIECES, sizeof(*sg), GFP_KERNEL);
	struct perf_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	u8 *field = alloc_pages_exact(size, GFP_KERNEL);
	struct duct_region *r = NULL;
	int done = -ENOMEM;

	if (most > PERF_XFER)
		done = -EINVAL;
	if (most > PERF_XFER || !sg || !list || !field)
		goto out;
	r = perf_region_begin(pr, PAGE_SIZE);
	done = PTR_ERR_OR_ZERO(r);
	perf_list_init(list, field, size);
	for (; count && done >= 0; count--) {
		done = perf_xfer_one(pr, r, list, sg, most, count % 2);
		sum->messages++;
		sum->bytes += max(done, 0);
	}
	duct_region_put(r);
out:
	if (field)
		free_pages_exact(field, size);
	kfree(list);
	kfree(sg);
	return min(done, 0);
}

/* ---- life ---- */

/* Ends a run. */
void perf_region_stop(struct perf *perf)
{
	WRITE_ONCE(perf->region->stopping, true);
	wake_up_all(&perf->region->wait);
	duct_stop(perf->region->ch);
}

void perf_region_remove(struct perf *perf)
{
	struct perf_region *pr = perf->region;

	duct_close(pr->ch);
	duct_region_put(pr->theirs);
	free_pages_exact(pr->field, PERF_FIELD(PERF_XFER));
	kvfree(pr->expected);
	kfree(pr);
}

int perf_region_probe(struct perf *perf)
{
	struct duct_channel_config cfg = {
		.ops = &perf_region_ops,
		.max_calls = 1,
		.max_answer = sizeof(int),
	};
	struct perf_region *pr = kzalloc(sizeof(*pr), GFP_KERNEL);
	int err = -ENOMEM;

	if (!pr)
		return -ENOMEM;
	pr->perf = perf;
	init_waitqueue_head(&pr->wait);
	cfg.priv = pr;
	/* Lists are of pages that follow each other: their pieces cross them. */
	pr->field = alloc_pages_exact(PERF_FIELD(PERF_XFER), GFP_KERNEL);
	pr->expected = kvmalloc(PERF_XFER, GFP_KERNEL);
	if (!pr->field || !pr->expected)
		goto err_free;
	pr->theirs = duct_region_attach(perf->dd, PERF_REGION_ID, &perf_theirs_ops, pr);
	err = PTR_ERR_OR_ZERO(pr->theirs);
	if (err)
		goto err_free;
	err = duct_open(perf->dd, PERF_REGION_CHANNEL, &cfg, &pr->ch);
	if (err)
		goto err_put;
	perf->region = pr;
	return 0;

err_put:
	duct_region_put(pr->theirs);
err_free:
	if (pr->field)
		free_pages_exact(pr->field, PERF_FIELD(PERF_XFER));
	kvfree(pr->expected);
	kfree(pr);
	return err;
}
