// SPDX-License-Identifier: GPL-2.0-only
/* Arbitrary bytes as messages of a region: what is accepted is what the core builds on. */
#include "input.h"
#include "region_msg.h"

static void check_accepted(const union duct_region_msg *m, u32 len, bool from_owner)
{
	u32 i;

	must(len == duct_region_msg_len(m->type) && len <= sizeof(*m));
	switch (m->type) {
	case DUCT_REGION_OFFER:
		must(from_owner && m->offer.peer >= 1 && m->offer.peer < 64);
		must(m->offer.flags <= 1 && m->offer.size >= 1 && m->offer.size <= 64u << 20);
		must(duct_region_pages(m->offer.size) <= DUCT_REGION_PAGES_MAX);
		break;
	case DUCT_REGION_REFS:
		must(from_owner && m->refs.n >= 1 && m->refs.n <= 60 && m->refs.first < 16384);
		for (i = m->refs.n; i < 60; i++)
			must(!m->refs.refs[i]);
		break;
	case DUCT_REGION_REVOKE:
		must(from_owner && !m->state.status && !m->state.reserved);
		break;
	case DUCT_REGION_ATTACHED:
	case DUCT_REGION_RELEASED:
		must(!from_owner && !m->state.reserved);
		must(m->state.status <= (m->type == DUCT_REGION_ATTACHED ? 2 : 0));
		break;
	case DUCT_REGION_WATCH:
	case DUCT_REGION_UNWATCH:
		must(!from_owner && !m->point.value);
		break;
	case DUCT_REGION_WATCHED:
		must(from_owner && m->point.value <= 1);
		break;
	default:
		must(m->type == DUCT_REGION_TRIGGER && m->point.value);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { .at = data, .left = size };
	bool from_owner = input_byte(&in) & 1;
	union duct_region_msg msg = { 0 };
	u32 len = in.left, n = len < sizeof(msg) ? len : sizeof(msg);

	memcpy(&msg, in.at, n);
	/* A type that is one, and its length, more often than chance has it. */
	if (size % 2) {
		msg.type = 1 + msg.type % 9;
		len = duct_region_msg_len(msg.type);
	}
	if (!duct_region_msg_check(&msg, len, from_owner))
		check_accepted(&msg, len, from_owner);
	return 0;
}
