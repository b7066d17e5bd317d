// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a peer claims when a channel is resumed: any cookie, any positions, any rings. Each
 * claim that is well formed is compared with an end of our own, which goes on only where
 * it can write again what the peer has not taken, and then writes just that.
 */
#include "input.h"
#include "control.h"
#include "resume.h"
#include "ring.h"

#define RING 1024u

static struct input in;
static struct duct_shared_ring shared;
static u8 data[RING], kept[RING];

/* The new epoch's ring is the peer's as well: it says at once what it has taken. */
void shim_peer_acts(const void *p, size_t len)
{
	must(len == sizeof(u32) && (p == &shared.cons || p == &shared.want_data));
	if (in.left && input_byte(&in) % 2)
		__atomic_store_n(&shared.cons, input_word(&in), __ATOMIC_RELEASE);
}

/* A position near another one, or anything. */
static u64 position(u64 near)
{
	u8 how = input_byte(&in);

	if (how < 16)
		return (u64)input_word(&in) << 32 | input_word(&in);
	return near + ((u64)how - 128) * (how % 8 ? DUCT_ALIGN : 8);
}

/* Ours is right whatever the peer says: what holds is what the core sees to. */
static void own_end(struct duct_keep *keep, u64 base)
{
	u32 behind = input_byte(&in) % (RING / DUCT_ALIGN + 1) * DUCT_ALIGN;

	*keep = (struct duct_keep){
		.tx = kept,
		.tx_bytes = RING,
		.rx_bytes = input_byte(&in) & 1 ? RING : 2 * RING,
	};
	duct_keep_begin(keep, 1 + (input_byte(&in) & 1), base, base + DUCT_ALIGN);
	must(keep->sent == keep->kept && !keep->skip && keep->sent == (u32)base);
	keep->kept = base;
	keep->sent = base;
	duct_keep_move(&keep->sent, (u32)base + behind);
	must(keep->sent == base + behind);
	keep->taken = base + input_byte(&in) * DUCT_ALIGN;
}

static void claim(struct duct_ctl_point *point, const struct duct_keep *keep)
{
	point->cookie = input_byte(&in) % 4;
	point->sent = position(keep->taken);
	point->kept = position(point->sent);
	point->taken = position(keep->sent);
}

/* Both agreed: what the ring holds again. */
static void go_on(const struct duct_keep *keep, u64 peer_took, u32 start)
{
	struct duct_tx tx;
	u32 room;

	must(start == (u32)peer_took);
	must(keep->kept <= peer_took && peer_took <= keep->sent);
	must(keep->sent - peer_took <= RING);
	shared.cons = start;
	duct_tx_init(&tx, &shared, data, RING, start);
	tx.keep = keep->tx;
	memset(data, 0, RING);
	duct_tx_again(&tx, keep->sent);
	must(tx.prod == (u32)keep->sent);
	for (; start != tx.prod; start++)
		must(data[start & (RING - 1)] == keep->tx[start & (RING - 1)]);
	must(duct_tx_publish(&tx) || tx.published == tx.prod);
	if (!duct_tx_room(&tx, &room))
		must(room <= RING && tx.cons - (u32)peer_took <= tx.prod - (u32)peer_took);
}

static bool fits(const struct duct_ctl_point *a, const struct duct_keep *b)
{
	return a->cookie && a->cookie == b->cookie && a->kept <= b->taken &&
	       b->taken <= a->sent && b->kept <= a->taken && a->taken <= b->sent;
}

/* We are the frontend, and get a wish. */
static void front(const struct duct_keep *keep)
{
	union duct_ctl msg = { .open = { .type = DUCT_CTL_OPEN, .service = { "a", 0, 1 } } };
	struct duct_ctl_bound bound = { .to_back.bytes = RING, .to_front.bytes = RING };
	struct duct_ctl_wish *wish = &msg.open.wish;
	bool agreed;

	*wish = (struct duct_ctl_wish){
		.flags = DUCT_WISH_RESUMABLE, .tx_bytes = RING, .rx_bytes = RING, .max_msg = 64,
	};
	claim(&wish->point, keep);
	if (duct_ctl_check(&msg, sizeof(msg.open), false))
		return;
	agreed = duct_keep_agree(keep, &wish->point, &bound);
	must(agreed == (fits(&wish->point, keep) && keep->rx_bytes == RING));
	must(agreed == !!(bound.flags & DUCT_WISH_RESUMED));
	must(bound.point.cookie == keep->cookie && bound.point.taken == keep->taken);
	if (!agreed)
		return;
	go_on(keep, wish->point.taken, bound.to_back.start);
	must(bound.to_front.start == (u32)keep->taken);
	/* The backend that said this follows. */
	must(duct_keep_follows(&(struct duct_keep){
		.tx_bytes = RING, .rx_bytes = RING, .cookie = wish->point.cookie,
		.sent = wish->point.sent, .kept = wish->point.kept, .taken = wish->point.taken,
	}, &bound));
}

/* We are the backend, and are told where to go on. */
static void back(const struct duct_keep *keep)
{
	union duct_ctl msg = {
		.bound = {
			.type = DUCT_CTL_BOUND, .service = { "a", 0, 2 }, .slot = 1, .max_msg = 64,
			.flags = DUCT_WISH_RESUMABLE | DUCT_WISH_RESUMED,
		},
	};
	struct duct_ctl_bound *bound = &msg.bound;
	u8 wrong;

	claim(&bound->point, keep);
	wrong = input_byte(&in);
	bound->to_front.bytes = wrong & 1 ? 2 * RING : RING;
	bound->to_back.bytes = wrong & 2 ? 2 * RING : RING;
	bound->to_front.start = wrong & 4 ? input_word(&in) : bound->point.taken;
	bound->to_back.start = wrong & 8 ? input_word(&in) : keep->taken;
	if (duct_ctl_check(&msg, sizeof(msg.bound), true))
		return;
	if (!duct_keep_follows(keep, bound))
		return;
	must(fits(&bound->point, keep));
	must(bound->to_front.bytes == keep->tx_bytes && bound->to_back.bytes == keep->rx_bytes);
	must(bound->to_back.start == (u32)keep->taken);
	go_on(keep, bound->point.taken, bound->to_front.start);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct duct_ctl_point none, zero = { 0 };
	struct duct_keep keep;
	u8 how;
	u32 i;

	in.at = bytes;
	in.left = size;
	for (i = 0; !kept[1] && i < RING; i++)
		kept[i] = i * 7 + (i >> 8) + 1;
	how = input_byte(&in);
	/* Near 2^32, and near where positions end. */
	own_end(&keep, (how & 2 ? 0xfffffe00ull : 64) + ((u64)(how >> 2) << 40));
	if (how & 1)
		front(&keep);
	else
		back(&keep);
	keep.cookie = 0;
	duct_keep_point(&keep, &none);
	must(!memcmp(&none, &zero, sizeof(none)));
	must(!duct_resume_fits(&none, &zero));
	return 0;
}
