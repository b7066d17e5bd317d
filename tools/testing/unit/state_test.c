// SPDX-License-Identifier: GPL-2.0-only
/* The table of the handshake, cell by cell; handshake_test.c runs it. */
#include "unit.h"

#include "state.h"

static bool entered(unsigned int side, unsigned int ours)
{
	switch (ours) {
	case duct_state_initialising:
	case duct_state_connected:
	case duct_state_closed:
		return true;
	case duct_state_initwait:
		return side == duct_side_back;
	case duct_state_initialised:
	case duct_state_closing:
		return side == duct_side_front;
	}
	return false;
}

static bool may(unsigned int side, unsigned int action)
{
	switch (action) {
	case duct_action_offer:
	case duct_action_connect:
	case duct_action_reconnect:
	case duct_action_vanish:
		return side == duct_side_back;
	case duct_action_publish:
	case duct_action_finish:
	case duct_action_quiesce:
		return side == duct_side_front;
	case duct_action_none:
	case duct_action_release:
	case duct_action_bad:
		return true;
	}
	return false;
}

/* Which states have memory of the link to use. */
static bool uses(unsigned int side, unsigned int ours)
{
	return ours == duct_state_connected ||
	       (side == duct_side_front &&
		(ours == duct_state_initialised || ours == duct_state_closing));
}

static void test_each_cell(void **state)
{
	unsigned int side, ours, peer;

	(void)state;
	for (side = 0; side < DUCT_SIDES; side++)
		for (ours = 0; ours < DUCT_STATES; ours++)
			for (peer = 0; peer < DUCT_STATES; peer++) {
				struct duct_step step = duct_state_step(side, ours, peer);

				if (!entered(side, ours)) {
					assert_int_equal(step.action, duct_action_bad);
					assert_int_equal(step.next, duct_state_closed);
					continue;
				}
				assert_true(entered(side, step.next));
				assert_true(may(side, step.action));
				if (step.action == duct_action_bad ||
				    step.action == duct_action_vanish)
					assert_int_equal(step.next, duct_state_closed);
				/* Memory comes and goes only by the actions for it. */
				switch (step.action) {
				case duct_action_publish:
				case duct_action_connect:
					assert_false(uses(side, ours));
					assert_true(uses(side, step.next));
					break;
				case duct_action_release:
				case duct_action_bad:
				case duct_action_vanish:
					assert_false(uses(side, step.next));
					break;
				default:
					assert_int_equal(uses(side, ours), uses(side, step.next));
				}
			}
}

/* Each cell as io/duct.h and the design say it, written down a second time. */
static void test_table(void **state)
{
	/* Columns: unknown initialising initwait initialised connected closing closed renewed */
	static const struct {
		u8 side;
		u8 ours;
		const char *cells;	/* action and next state, a letter each */
	} rows[] = {
		/* Actions: . o p c f q r n v b; states: I W D C G X */
		{ duct_side_front, duct_state_initialising, ".I .I pD bX .I rX .I .I" },
		{ duct_side_front, duct_state_initialised,  "rI rI .D bX fC rX rX rI" },
		{ duct_side_front, duct_state_connected,    "rI rI rI bX .C qG rX rI" },
		{ duct_side_front, duct_state_closing,      "rX rX rX bX .G .G rX rX" },
		{ duct_side_front, duct_state_closed,       ".X .X .I .X .X .X .X .I" },
		{ duct_side_back, duct_state_initialising,  "oW oW oW oW oW oW oW oW" },
		{ duct_side_back, duct_state_initwait,      "vX .W bX cC .W .W .W .W" },
		{ duct_side_back, duct_state_connected,     "vX rI bX .C .C rX rX nC" },
		{ duct_side_back, duct_state_closed,        "vX .I .X .X .X .X .X .I" },
	};
	static const char actions[] = ".opcfqrnvb";
	static const char states[] = "?IWDCGX";
	u32 r, peer;

	(void)state;
	for (r = 0; r < ARRAY_SIZE(rows); r++)
		for (peer = 0; peer < DUCT_STATES; peer++) {
			const char *cell = rows[r].cells + 3 * peer;
			struct duct_step step = duct_state_step(rows[r].side, rows[r].ours, peer);

			if (actions[step.action] != cell[0] || states[step.next] != cell[1])
				fail_msg("side %u, %s sees %s: %s, %s", rows[r].side,
					 duct_state_name(rows[r].ours), duct_state_name(peer),
					 duct_action_name(step.action),
					 duct_state_name(step.next));
		}
}

/* Whatever xenstore said: numbers that are no state are bad pairs. */
static void test_no_state(void **state)
{
	static const unsigned int numbers[] = {
		DUCT_STATES, DUCT_STATES + 1, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	unsigned int side, other, n;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(numbers); n++)
		for (side = 0; side < DUCT_SIDES + 2; side++)
			for (other = 0; other < DUCT_STATES; other++) {
				struct duct_step step = duct_state_step(side, numbers[n], other);

				assert_int_equal(step.action, duct_action_bad);
				assert_int_equal(step.next, duct_state_closed);
				step = duct_state_step(side, other, numbers[n]);
				assert_int_equal(step.action, duct_action_bad);
				assert_int_equal(step.next, duct_state_closed);
			}
	assert_int_equal(duct_state_step(DUCT_SIDES, 1, 1).action, duct_action_bad);
}

static void test_names(void **state)
{
	static const char *const states[] = {
		"unknown", "initialising", "initwait", "initialised", "connected", "closing",
		"closed", "renewed",
	};
	static const char *const actions[] = {
		"none", "offer", "publish", "connect", "finish", "quiesce", "release",
		"reconnect", "vanish", "bad",
	};
	unsigned int i;

	(void)state;
	assert_int_equal(ARRAY_SIZE(states), DUCT_STATES);
	assert_int_equal(ARRAY_SIZE(actions), DUCT_ACTIONS);
	for (i = 0; i < DUCT_STATES; i++)
		assert_string_equal(duct_state_name(i), states[i]);
	for (i = 0; i < DUCT_ACTIONS; i++)
		assert_string_equal(duct_action_name(i), actions[i]);
	assert_string_equal(duct_state_name(DUCT_STATES), "invalid");
	assert_string_equal(duct_state_name(0xffffffff), "invalid");
	assert_string_equal(duct_action_name(DUCT_ACTIONS), "invalid");
	assert_string_equal(duct_action_name(0xffffffff), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_cell),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_state),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
