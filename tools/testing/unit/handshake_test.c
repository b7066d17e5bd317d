// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explores every order in which two ends can run the table against each other,
 * with either end reloaded at any step: they always reach connected x connected
 * once both stay up, and nothing of an earlier life is used.
 */
#include "unit.h"

#include "handshake.h"

struct world {
	struct hs hs;
	int from;		/* the world before, -1 at a start */
	int color;
	char what[HS_WHAT];	/* how it came from there */
};

#define WORLDS 16384

static struct world worlds[WORLDS];
static int count;
static int hash[8 * WORLDS];

struct result {
	int stuck;
	int cycles;
	int connected;
	const char *broken;
	int example;
};

static int find(const struct hs *hs, int from, const char *what)
{
	u64 key = hs_key(hs);
	u32 at = key * 0x9e3779b97f4a7c15ull >> 40;

	for (at %= ARRAY_SIZE(hash); hash[at]; at = (at + 1) % ARRAY_SIZE(hash))
		if (hs_key(&worlds[hash[at] - 1].hs) == key)
			return hash[at] - 1;
	assert_true(count < WORLDS);
	worlds[count].hs = *hs;
	worlds[count].from = from;
	worlds[count].color = 0;
	snprintf(worlds[count].what, HS_WHAT, "%s", what);
	hash[at] = ++count;
	return count - 1;
}

static void forget(void)
{
	memset(hash, 0, sizeof(hash));
	count = 0;
}

static void print_trace(int i)
{
	const struct hs_end *e = worlds[i].hs.end;

	if (worlds[i].from >= 0)
		print_trace(worlds[i].from);
	print_message("# %-58s front %s (%s), back %s (%s)\n", worlds[i].what,
		      duct_state_name(e[0].ours), duct_state_name(e[0].node),
		      duct_state_name(e[1].ours), duct_state_name(e[1].node));
}

/* Everything that can be reached, with reloads. */
static void explore(const struct hs_rules *rules, struct result *result)
{
	unsigned int side, how;
	int i;

	for (i = 0; i < count; i++)
		for (side = 0; side < DUCT_SIDES; side++) {
			const char *broken = NULL;
			char what[HS_WHAT];
			struct hs hs = worlds[i].hs;

			if (hs_step(&hs, rules, side, what, &broken)) {
				int to = find(&hs, i, what);

				if (broken && !result->broken) {
					result->broken = broken;
					result->example = to;
				}
			}
			if (!worlds[i].hs.end[side].alive)
				continue;
			for (how = 0; how < HS_EXITS; how++) {
				hs = worlds[i].hs;
				hs_exit(&hs, side, how);
				snprintf(what, sizeof(what), "%s is removed, state %s",
					 side == duct_side_front ? "front" : "back",
					 duct_state_name(hs.end[side].node));
				find(&hs, i, what);
			}
		}
}

/* Without reloads from here: ends somewhere, connected, and without a cycle. */
static void follow(const struct hs_rules *rules, int i, struct result *result)
{
	bool waits = true;
	unsigned int side;

	worlds[i].color = 1;
	for (side = 0; side < DUCT_SIDES; side++) {
		const char *broken = NULL;
		struct hs hs = worlds[i].hs;
		char what[HS_WHAT];
		int to;

		if (!hs_step(&hs, rules, side, what, &broken))
			continue;
		waits = false;
		to = find(&hs, i, what);
		if (worlds[to].color == 0) {
			follow(rules, to, result);
		} else if (worlds[to].color == 1) {
			result->cycles++;
			result->example = to;
		}
	}
	if (waits && hs_connected(&worlds[i].hs)) {
		result->connected++;
	} else if (waits) {
		result->stuck++;
		result->example = i;
	}
	worlds[i].color = 2;
}

static struct result run(const struct hs_rules *rules)
{
	struct result result = { .example = -1 };
	struct hs hs;
	int i;

	forget();
	hs_start(&hs);
	find(&hs, -1, "both start");
	explore(rules, &result);
	for (i = 0; i < count; i++)
		if (!worlds[i].color)
			follow(rules, i, &result);
	return result;
}

static void expect_connected(const struct hs_rules *rules)
{
	struct result result = run(rules);

	if (result.broken || result.stuck || result.cycles)
		print_trace(result.example);
	if (result.broken)
		fail_msg("%s", result.broken);
	assert_int_equal(result.stuck, 0);
	assert_int_equal(result.cycles, 0);
	/* All roads lead to worlds that differ at most in what is past. */
	assert_true(result.connected > 0);
	print_message("# %d worlds, %d of them connected\n", count, result.connected);
}

/* Each end acts at once on what the other wrote last. */
static void test_at_once(void **state)
{
	static const struct hs_rules rules = { .answers = true, .offer_at_once = true };
	static const struct hs_rules bare = { .split = false };

	(void)state;
	expect_connected(&rules);
	expect_connected(&bare);
}

/* Anything may happen between looking, acting and writing. */
static void test_split(void **state)
{
	static const struct hs_rules rules = {
		.split = true, .answers = true, .offer_at_once = true,
	};

	(void)state;
	expect_connected(&rules);
}

/* The model finds what happens without these rules: both closed for ever. */
static void test_rules_are_needed(void **state)
{
	static const struct hs_rules no_answers = { .split = true, .offer_at_once = true };
	static const struct hs_rules two_writes = { .split = true, .answers = true };
	struct result result;

	(void)state;
	result = run(&no_answers);
	assert_true(result.stuck > 0);
	result = run(&two_writes);
	assert_true(result.stuck > 0);
}

/*
 * From any pair of states, also those that no history leads to. Both ends
 * close only if one has decided to: a backend that is closed waits for a
 * frontend that starts, and one that sees its frontend close follows it.
 */
static void test_any_pair(void **state)
{
	static const u8 fronts[] = {
		duct_state_initialising, duct_state_initialised, duct_state_connected,
		duct_state_closing, duct_state_closed,
	};
	static const u8 backs[] = {
		duct_state_initialising, duct_state_initwait, duct_state_connected,
		duct_state_closed,
	};
	static const struct hs_rules rules = { .split = false };
	u32 f, b, fk, bk;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(fronts); f++)
		for (b = 0; b < ARRAY_SIZE(backs); b++)
			for (fk = hs_current; fk <= hs_earlier; fk++)
				for (bk = hs_current; bk <= hs_earlier; bk++) {
					bool uses = fronts[f] >= duct_state_initialised &&
						    fronts[f] <= duct_state_closing;
					bool mapped = backs[b] == duct_state_connected;
					bool renewed = (uses && fk == hs_earlier) ||
						       (mapped && bk == hs_earlier);
					bool closes = (backs[b] == duct_state_closed &&
						       fronts[f] != duct_state_initialising) ||
						      (mapped &&
						       fronts[f] >= duct_state_closing);
					struct result result = { .example = -1 };
					struct hs hs;

					forget();
					hs_start(&hs);
					hs.end[0].ours = fronts[f];
					hs.end[0].node = fronts[f];
					hs.end[0].peer = uses ? fk : hs_nothing;
					hs.end[1].ours = backs[b];
					hs.end[1].node = backs[b];
					hs.end[1].peer = mapped ? bk : hs_nothing;
					hs.granted = uses;
					follow(&rules, find(&hs, -1, "starts here"), &result);
					assert_int_equal(result.cycles, 0);
					/* A change of life may lead out of closing. */
					if (closes && renewed)
						continue;
					if ((result.stuck != 0) != closes)
						print_trace(result.example);
					assert_int_equal(result.stuck != 0, closes);
					assert_int_equal(result.connected != 0, !closes);
				}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_rules_are_needed),
		cmocka_unit_test(test_any_pair),
	};

	return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
