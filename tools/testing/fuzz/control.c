// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary bytes as control messages. Whatever is accepted is what the rest
 * of the core builds on, so here is the list of that.
 */
#include "input.h"
#include "control.h"

static void check_service(const struct duct_ctl_service *service)
{
	u32 len = strnlen((const char *)service->name, DUCT_SERVICE_NAME), i;

	must(len >= 1 && len < DUCT_SERVICE_NAME);
	for (i = 0; i < len; i++)
		must(strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", service->name[i]));
	for (; i < DUCT_SERVICE_NAME; i++)
		must(!service->name[i]);
	must(service->instance < 65536);
	must(service->role == 1 || service->role == 2 || service->role == 4);
	must(duct_role_opposite(duct_role_opposite(service->role)) == service->role);
}

static void check_ring_bytes(u32 bytes)
{
	must(bytes >= 1024 && bytes <= 4u << 20);
	must(__builtin_popcount(bytes) == 1);
}

static void check_point(const struct duct_ctl_point *point, u32 flags, u32 tx_bytes)
{
	must(point->cookie ? flags & 2 : !point->sent && !point->kept && !point->taken);
	must(point->sent % 16 == 0 && point->kept % 16 == 0 && point->taken % 16 == 0);
	must(point->kept <= point->sent && point->sent - point->kept <= tx_bytes);
}

static void check_limits(u32 flags, u32 max_msg, u32 max_calls, u32 max_answer)
{
	must(flags <= 3 && (!(flags & 2) || !max_calls));
	must(max_msg >= 1 && max_msg <= DUCT_MSG_MAX);
	must(max_calls <= 1024);
	must(max_answer <= DUCT_MSG_MAX);
}

static void check_bound(const struct duct_ctl_bound *m)
{
	check_service(&m->service);
	must(m->slot >= 1 && m->slot < 1024);
	must(m->door < 64);
	must(m->to_back.start % 16 == 0 && m->to_front.start % 16 == 0);
	must(!m->reserved);
	must(!(m->flags & 2) == !m->point.cookie);
	check_point(&m->point, m->flags, m->to_back.bytes);
	must(m->to_back.chunk < 256 && m->to_front.chunk < 256);
	must(m->to_back.offset % 64 == 0 && m->to_front.offset % 64 == 0);
	check_ring_bytes(m->to_back.bytes);
	check_ring_bytes(m->to_front.bytes);
	must(m->flags <= 3 || m->flags & 2);
	check_limits(m->flags & ~4u, m->max_msg, m->max_calls, m->max_answer);
}

static void check_chunk(const struct duct_ctl_chunk *m)
{
	u32 i;

	must(m->chunk < 256);
	must(m->pages >= 1 && m->pages <= 2048);
	must(m->first % 32 == 0 && m->first < m->pages);
	for (i = 0; i < 32; i++)
		must(m->first + i < m->pages || !m->refs[i]);
}

static void check_accepted(const union duct_ctl *m, u32 len, bool from_front)
{
	must(m->type >= DUCT_CTL_HELLO && m->type <= DUCT_CTL_STAGE);
	must(len == duct_ctl_len(m->type) && len <= DUCT_CTL_MAX);
	must(strcmp(duct_ctl_name(m->type), "unknown"));
	switch (m->type) {
	case DUCT_CTL_HELLO:
		break;
	case DUCT_CTL_ANNOUNCE:
	case DUCT_CTL_BIND:
		must(!m->offer.reserved);
		check_service(&m->offer.service);
		must((m->offer.service.role == DUCT_ROLE_CONNECT) == (m->type == DUCT_CTL_BIND));
		break;
	case DUCT_CTL_WITHDRAW:
	case DUCT_CTL_UNBIND:
		must(!m->withdraw.reserved);
		check_service(&m->withdraw.service);
		must((m->withdraw.service.role == DUCT_ROLE_CONNECT) ==
		     (m->type == DUCT_CTL_UNBIND));
		break;
	case DUCT_CTL_OPEN:
		must(!from_front);
		check_service(&m->open.service);
		check_ring_bytes(m->open.wish.tx_bytes);
		check_ring_bytes(m->open.wish.rx_bytes);
		check_limits(m->open.wish.flags, m->open.wish.max_msg, m->open.wish.max_calls,
			     m->open.wish.max_answer);
		break;
	case DUCT_CTL_CANCEL:
		must(!from_front);
		check_service(&m->open.service);
		must(!(m->open.wish.flags | m->open.wish.tx_bytes | m->open.wish.rx_bytes |
		       m->open.wish.max_msg | m->open.wish.max_calls | m->open.wish.max_answer));
		break;
	case DUCT_CTL_BOUND:
		must(from_front);
		check_bound(&m->bound);
		break;
	case DUCT_CTL_REFUSED:
		must(from_front);
		check_service(&m->refused.service);
		must(m->refused.reason >= 1 && m->refused.reason <= 3 && !m->refused.reserved);
		break;
	case DUCT_CTL_CLOSE:
	case DUCT_CTL_CLOSED:
		must(m->close.slot >= 1 && m->close.slot < 1024);
		must(m->close.reason <= (m->type == DUCT_CTL_CLOSE ? 3 : 0));
		break;
	case DUCT_CTL_CHUNK:
		must(from_front);
		check_chunk(&m->chunk);
		break;
	case DUCT_CTL_CHUNK_DONE:
		must(!from_front);
		must(m->done.id < 256 && !m->done.reserved);
		break;
	case DUCT_CTL_DOOR:
		must(from_front);
		must(m->door.door >= 1 && m->door.door < 64 && m->door.chunk < 256);
		must(m->door.offset % 64 == 0 && !m->door.reserved);
		break;
	case DUCT_CTL_DOOR_DONE:
		must(!from_front);
		must(m->done.id < 64 && !m->done.reserved);
		break;
	case DUCT_CTL_GOODBYE:
		must(m->goodbye.reason <= 1);
		break;
	case DUCT_CTL_STAGE:
		must(from_front);
		must(m->stage.chunk < 256 && m->stage.offset % 64 == 0);
		must(m->stage.bytes >= 128 && m->stage.bytes <= 1u << 20 && m->stage.bytes % 128 == 0);
		break;
	}
}

/* A message that would be accepted, for the input to spoil. */
static void plausible(union duct_ctl *m, u32 type)
{
	static const struct duct_ctl_service service = { .name = "a", .role = 2 };
	static const struct duct_ctl_service user = { .name = "a", .role = 1 };
	static const struct duct_ctl_ring ring = { .bytes = 1024 };

	memset(m, 0, sizeof(*m));
	m->type = type;
	switch (type) {
	case DUCT_CTL_ANNOUNCE:
	case DUCT_CTL_BIND:
	case DUCT_CTL_WITHDRAW:
	case DUCT_CTL_UNBIND:
		m->offer.service = type == DUCT_CTL_BIND || type == DUCT_CTL_UNBIND ?
				   user : service;
		break;
	case DUCT_CTL_OPEN:
		m->open.wish.tx_bytes = 1024;
		m->open.wish.rx_bytes = 1024;
		m->open.wish.max_msg = 1;
		m->open.service = service;
		break;
	case DUCT_CTL_CANCEL:
		m->open.service = service;
		break;
	case DUCT_CTL_BOUND:
		m->bound.service = service;
		m->bound.slot = 1;
		m->bound.to_back = ring;
		m->bound.to_front = ring;
		m->bound.max_msg = 1;
		break;
	case DUCT_CTL_REFUSED:
		m->refused.service = service;
		m->refused.reason = 1;
		break;
	case DUCT_CTL_CLOSE:
	case DUCT_CTL_CLOSED:
		m->close.slot = 1;
		break;
	case DUCT_CTL_CHUNK:
		m->chunk.pages = 1;
		break;
	case DUCT_CTL_DOOR:
		m->door.door = 1;
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t n)
{
	struct input in = { bytes, n };
	u8 how = input_byte(&in);
	bool from_front = how & 1;
	union duct_ctl *m;
	union duct_ctl whole = { 0 };
	u32 len, i;

	if (how & 2) {
		/* As it came. */
		len = min(in.left, sizeof(whole) + 16);
		memcpy(&whole, in.at, min(len, (u32)sizeof(whole)));
	} else {
		u32 type = how >> 2 & 31;

		plausible(&whole, type);
		len = duct_ctl_len(type);
		while (in.left >= 2) {
			u32 at = input_byte(&in) % sizeof(whole);

			((u8 *)&whole)[at] = input_byte(&in);
		}
	}
	/* No more than came, so that a look behind it is seen. */
	i = min(len, (u32)sizeof(whole));
	m = malloc(i + !i);
	must(m);
	memcpy(m, &whole, i);
	if (!duct_ctl_check(m, len, from_front))
		check_accepted(m, len, from_front);
	free(m);
	return 0;
}
