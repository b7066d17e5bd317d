// SPDX-License-Identifier: GPL-2.0
/* The clients: making calls and serving them, with memory lent or without. */
#include "client.h"

#define LEND_PAGES	16
#define LEND_FEW	4
#define POISON		0xbd

/**
 * struct client_lend - memory of a call
 * @page: pages
 * @sg: pieces of them
 * @pieces: of @sg
 * @bytes: of all
 */
struct client_lend {
	struct page *page[LEND_PAGES];
	struct scatterlist sg[LEND_PAGES];
	u32 pieces;
	u32 bytes;
};

struct client_answer {
	u32 id;
	u32 value;
};

struct client_call {
	struct duct_call call;
	struct client_channel *c;
	struct client_lend lend;
	u32 id;
	bool ended;
	int err;
};

/* ---- memory to lend ---- */

static u8 lend_byte(u32 id, u32 at)
{
	return (id * 31 + at * 7 + at / 255) & 0x7f;
}

static u32 lend_walk(struct client_lend *lend, u32 id, bool fill, u8 with)
{
	u32 i, k, at = 0, sum = 0;

	for (i = 0; i < lend->pieces; i++) {
		u8 *p = (u8 *)page_address(lend->sg[i].page) + lend->sg[i].offset;

		for (k = 0; k < lend->sg[i].length; k++, at++) {
			if (fill)
				p[k] = with ? with : lend_byte(id, at);
			sum = sum * 33 + p[k];
		}
	}
	return sum;
}

static u32 lend_expected(u32 id, u32 bytes)
{
	u32 at, sum = 0;

	for (at = 0; at < bytes; at++)
		sum = sum * 33 + lend_byte(id, at);
	return sum;
}

static void lend_free(struct client_lend *lend)
{
	u32 i;

	for (i = 0; i < lend->pieces; i++)
		__free_page(lend->page[i]);
	lend->pieces = 0;
}

/* Whole pages, or parts of them. */
static int lend_new(struct client_lend *lend, bool whole)
{
	u32 n = 1 + sim_rnd(sim_plan.tight ? LEND_PAGES : LEND_FEW), i;

	sg_init_table(lend->sg, n);
	lend->bytes = 0;
	for (i = 0; i < n; i++) {
		u32 offset = whole || sim_chance(2) ? 0 : sim_rnd(3000);
		u32 len = whole || sim_chance(2) ? PAGE_SIZE - offset : 1 + sim_rnd(600);

		lend->page[i] = alloc_page(GFP_KERNEL);
		if (!lend->page[i]) {
			lend_free(lend);
			return -ENOMEM;
		}
		lend->pieces = i + 1;
		sg_set_page(&lend->sg[i], lend->page[i], len, offset);
		lend->bytes += len;
	}
	return 0;
}

/* ---- calling ---- */

static void call_check(struct client_call *call, struct duct_msg *msg)
{
	struct client_answer answer;
	int err;

	if (msg->len != sizeof(answer))
		sim_fail("call %u: an answer of %u bytes", call->id, msg->len);
	err = duct_read(msg, &answer, sizeof(answer));
	if (err) {
		/* The epoch ends this moment: it is as if there were no answer. */
		call->err = err;
		return;
	}
	if (answer.id != call->id || answer.value != sim_call_answer(call->id))
		sim_fail("call %u: the answer to %u", call->id, answer.id);
	if (call->lend.pieces && call->call.dir == DMA_FROM_DEVICE &&
	    lend_walk(&call->lend, call->id, false, 0) != lend_expected(call->id, call->lend.bytes))
		sim_fail("call %u: not what the server wrote", call->id);
}

static void call_done(struct duct_call *duct, int err, struct duct_msg *msg)
{
	struct client_call *call = container_of(duct, struct client_call, call);

	call->err = err;
	if (!err)
		call_check(call, msg);
	sim_call_done(call->id, err);
	/* The peer may not see this: what it reads now is nobody's any more. */
	lend_walk(&call->lend, call->id, true, POISON);
	call->ended = true;
	wake_up_all(&call->c->wait);
}

static int call_prepare(struct client_call *call, struct client_request *req)
{
	struct client_channel *c = call->c;
	int err;

	req->id = call->id;
	req->bytes = 0;
	req->sum = 0;
	if (!c->plan->lend || sim_chance(3))
		return 0;
	err = lend_new(&call->lend, c->plan->map);
	if (err)
		return err;
	call->call.sg = call->lend.sg;
	call->call.nents = call->lend.pieces;
	call->call.dir = sim_chance(2) ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	req->bytes = call->lend.bytes;
	if (call->call.dir == DMA_TO_DEVICE)
		req->sum = lend_walk(&call->lend, call->id, true, 0);
	return 0;
}

/* Until it ends; perhaps it is not waited for. */
static void call_wait(struct client_call *call)
{
	struct client_channel *c = call->c;

	if (sim_chance(6)) {
		sim_sleep(sim_rnd(HZ / 10));
		duct_call_cancel(&call->call);
	}
	wait_event(c->wait, READ_ONCE(call->ended));
}

static bool call_one(struct client_channel *c)
{
	u32 flags = c->plan->map && sim_chance(2) ? DUCT_MAY_MAP : 0, news;
	struct client_call *call = kzalloc(sizeof(*call), GFP_KERNEL);
	struct client_request req;
	int err = -ENOMEM;

	if (!call)
		return true;
	call->c = c;
	call->id = sim_call_new(c->life, c->client->side);
	if (call->id == SIM_CALLS) {
		kfree(call);
		return false;
	}
	call->call.done = call_done;
	call->call.timeout = sim_chance(4) ? 1 + sim_rnd(HZ) : 0;
	if (!call_prepare(call, &req)) {
		news = READ_ONCE(c->news);
		while ((err = duct_call_async(c->ch, &call->call, &req, sizeof(req), flags))) {
			if (err == -ESHUTDOWN || err == -ENOMEM || err == -ENOSPC || client_ends(c))
				break;
			client_wait(c, news);
			news = READ_ONCE(c->news);
		}
	}
	if (!err)
		call_wait(call);
	else
		sim_call_unmade(call->id);
	lend_free(&call->lend);
	kfree(call);
	return err != -ESHUTDOWN;
}

/* The other way: it waits itself. */
static bool call_sync(struct client_channel *c)
{
	struct client_request req = { .id = sim_call_new(c->life, c->client->side) };
	struct client_answer answer;
	ssize_t n;

	if (req.id == SIM_CALLS)
		return false;
	n = duct_call(c->ch, &req, sizeof(req), &answer, sizeof(answer),
		      sim_chance(2) ? 0 : 1 + sim_rnd(HZ));
	if (n > 0 && (n != sizeof(answer) || answer.id != req.id ||
		      answer.value != sim_call_answer(req.id)))
		sim_fail("call %u: the answer to %u", req.id, answer.id);
	if (!n)
		sim_fail("call %u: an empty answer", req.id);
	sim_call_done(req.id, n < 0 ? n : 0);
	if (n == -ENOTCONN || n == -ECONNRESET || n == -EPIPE)
		sim_sleep(1 + sim_rnd(HZ / 10));
	return n != -ESHUTDOWN;
}

void client_caller(void *arg)
{
	struct client_channel *c = arg;
	u32 side = c->client->side;

	while (!client_ends(c)) {
		u32 done = sim_flow_next(c->number, side);

		if (done >= c->plan->goal[side])
			break;
		sim_flow_sent(c->number, side, 1, 0, 0, 0);
		if (!(sim_chance(3) ? call_sync(c) : call_one(c)))
			break;
	}
	c->tasks--;
	wake_up_all(&c->wait);
}

/* ---- serving ---- */

static void serve_check(struct client_request *req, const u8 *bytes)
{
	u32 i, sum = 0;

	/* A page that was busy when its call ended is held, and its owner writes to it. */
	if (sim_fault_held())
		return;
	for (i = 0; i < req->bytes; i++) {
		if (bytes[i] == POISON)
			sim_fail("call %u: byte %u was written after the call's end", req->id, i);
		sum = sum * 33 + bytes[i];
	}
	if (sum != req->sum)
		sim_fail("call %u: %u bytes lent are not what was lent", req->id, req->bytes);
}

static int serve_copy(struct duct_request *request, struct client_request *req)
{
	u8 *bytes = kmalloc(req->bytes, GFP_KERNEL);
	struct kvec vec = { .iov_base = bytes, .iov_len = req->bytes };
	bool read = request->dir == DMA_TO_DEVICE;
	struct iov_iter it;
	ssize_t n;
	u32 i;

	if (!bytes)
		return -ENOMEM;
	for (i = 0; !read && i < req->bytes; i++)
		bytes[i] = lend_byte(req->id, i);
	iov_iter_kvec(&it, read ? ITER_DEST : ITER_SOURCE, &vec, 1, req->bytes);
	n = duct_bulk_copy(request, 0, &it);
	if (n == req->bytes && read)
		serve_check(req, bytes);
	kfree(bytes);
	return n < 0 ? n : n == req->bytes ? 0 : -EIO;
}

static int serve_map(struct duct_request *request, struct client_request *req)
{
	bool read = request->dir == DMA_TO_DEVICE;
	u32 i, k, at = 0, sum = 0;
	struct bio_vec *bv;
	int n = duct_bulk_map(request, &bv);

	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		u8 *p = (u8 *)page_address(bv[i].bv_page) + bv[i].bv_offset;

		for (k = 0; k < bv[i].bv_len; k++, at++) {
			if (!read)
				p[k] = lend_byte(req->id, at);
			sum = sum * 33 + p[k];
		}
		sim_point();
	}
	if (at != req->bytes)
		sim_fail("call %u: %u bytes in pages, of %u", req->id, at, req->bytes);
	/* Mapped pages are the caller's, who may have ended the call. */
	if (read && sum != req->sum && !(req->bytes % PAGE_SIZE == 0))
		sim_fail("call %u: pages are not what was lent", req->id);
	return 0;
}

static int serve_reply(struct duct_request *request, u32 id)
{
	struct client_answer answer = { .id = id, .value = sim_call_answer(id) };

	return duct_reply(request, &answer, sizeof(answer));
}

/* One call: answered now, or later by another task, or refused. */
int client_serve(struct client_channel *c, struct duct_msg *msg)
{
	struct duct_request *request = msg->request;
	struct client_request req;
	int err;

	if (!request || msg->len != sizeof(req))
		sim_fail("channel %u: no call, or one of %u bytes", c->number, msg->len);
	err = duct_read(msg, &req, sizeof(req));
	if (err)
		return err;
	if (request->bulk_len != req.bytes)
		sim_fail("call %u: %u bytes lent, not %u", req.id, request->bulk_len, req.bytes);
	sim_call_served(req.id);
	if (req.bytes)
		err = c->plan->map && sim_chance(2) ? serve_map(request, &req) :
						      serve_copy(request, &req);
	if (err || sim_chance(12))
		return -EIO;
	if (sim_chance(2) && c->calls_n < ARRAY_SIZE(c->calls)) {
		c->asked[c->calls_n] = req;
		c->calls[c->calls_n++] = request;
		client_tell(c);
		return 0;
	}
	serve_reply(request, req.id);
	return 0;
}

/*
 * What was lent is copied once more: of a call that has ended meanwhile nothing is, but for
 * pages that are mapped here.
 */
void client_reply_all(struct client_channel *c)
{
	while (c->calls_n) {
		struct duct_request *request = c->calls[--c->calls_n];
		struct client_request req = c->asked[c->calls_n];

		if (req.bytes && !c->plan->map && sim_chance(2) && serve_copy(request, &req))
			duct_refuse(request);
		else
			serve_reply(request, req.id);
	}
}

void client_replier(void *arg)
{
	struct client_channel *c = arg;

	while (c->calls_n || !READ_ONCE(c->stop)) {
		u32 news = READ_ONCE(c->news);

		if (!c->calls_n) {
			client_wait(c, news);
			continue;
		}
		if (sim_chance(3))
			sim_sleep(sim_rnd(HZ / 5));
		client_reply_all(c);
	}
	c->tasks--;
	wake_up_all(&c->wait);
}
