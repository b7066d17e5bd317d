// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random walks of the handshake: any number as a state, a hostile peer that
 * writes any state at any time, and two correct ends that are reloaded at any
 * step and must connect when they are left alone.
 */
#include "input.h"
#include "handshake.h"

static void check_step(u32 side, u32 ours, u32 peer, struct duct_step step)
{
	must(step.action < DUCT_ACTIONS);
	must(step.next > duct_state_unknown && step.next < duct_state_renewed);
	must(strcmp(duct_state_name(step.next), "invalid"));
	must(strcmp(duct_action_name(step.action), "invalid"));
	must(duct_state_name(ours) && duct_state_name(peer) && duct_action_name(peer));
	if (side >= DUCT_SIDES || ours >= DUCT_STATES || peer >= DUCT_STATES)
		must(step.action == duct_action_bad && step.next == duct_state_closed);
}

/* One end alone; the peer's states are the input. */
static void hostile(struct input *in, u32 side)
{
	u32 ours = duct_state_initialising;
	bool holds = false;	/* memory: granted or mapped */

	while (in->left) {
		u32 peer = input_byte(in);
		struct duct_step step;

		if (peer == 255)
			peer = input_word(in);
		else if (peer < 192)
			peer %= DUCT_STATES;
		step = duct_state_step(side, ours, peer);
		check_step(side, ours, peer, step);
		switch (step.action) {
		case duct_action_publish:
		case duct_action_connect:
			must(!holds);
			holds = true;
			break;
		case duct_action_reconnect:
		case duct_action_finish:
		case duct_action_quiesce:
			must(holds);
			break;
		case duct_action_release:
		case duct_action_vanish:
		case duct_action_bad:
			holds = false;
			break;
		}
		ours = step.next;
		must(holds == (ours == duct_state_connected ||
			       (side == duct_side_front && (ours == duct_state_initialised ||
							    ours == duct_state_closing))));
	}
}

static void correct(struct input *in, bool split)
{
	const struct hs_rules rules = {
		.split = split, .answers = true, .offer_at_once = true,
	};
	const char *broken = NULL;
	struct hs hs;
	u32 i;

	hs_start(&hs);
	while (in->left) {
		u8 op = input_byte(in);

		if (op < 32)
			hs_exit(&hs, op & 1, (op >> 1) % HS_EXITS);
		else
			hs_step(&hs, &rules, op & 1, NULL, &broken);
		must(!broken);
	}
	/* Left alone, in any order: connected after few steps. */
	for (i = 0; i < 100; i++) {
		bool moved = hs_step(&hs, &rules, duct_side_front, NULL, &broken);

		must(!broken);
		moved |= hs_step(&hs, &rules, duct_side_back, NULL, &broken);
		must(!broken);
		if (!moved)
			break;
	}
	must(hs_connected(&hs));
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	struct input in = { bytes, len };
	u8 how = input_byte(&in);
	u32 side, ours, peer;

	switch (how % 4) {
	case 0:
		side = input_byte(&in);
		ours = input_word(&in);
		peer = input_word(&in);
		check_step(side, ours, peer, duct_state_step(side, ours, peer));
		break;
	case 1:
		hostile(&in, how >> 2 & 1);
		break;
	default:
		correct(&in, how & 1);
	}
	return 0;
}
