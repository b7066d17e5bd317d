// SPDX-License-Identifier: GPL-2.0-only
/* Control messages: each right, then each single thing wrong. */
#include "unit.h"

#include "control.h"

#define FRONT	1
#define BACK	2
#define BOTH	3

#define SERVICE(role_) { .name = "echo", .instance = 3, .role = DUCT_ROLE_##role_ }
#define WISH { .flags = 1, .tx_bytes = 4096, .rx_bytes = 1024, .max_msg = 480, \
	       .max_calls = 8, .max_answer = 64 }

static const struct {
	const char *name;
	u8 len;
	u8 from;
	union duct_ctl msg;
} good[] = {
	{ "hello", 32, BOTH, { .hello = {
		DUCT_CTL_HELLO, 1, 0x123456789abcdef0, 0xffffffffffffffff, 0 } } },
	{ "announce", 40, BOTH, { .offer = { DUCT_CTL_ANNOUNCE, 0, SERVICE(SERVE), 5 } } },
	{ "withdraw", 32, BOTH, { .withdraw = { DUCT_CTL_WITHDRAW, 0, SERVICE(PEER) } } },
	{ "bind", 40, BOTH, { .offer = { DUCT_CTL_BIND, 0, SERVICE(CONNECT), 5 } } },
	{ "unbind", 32, BOTH, { .withdraw = { DUCT_CTL_UNBIND, 0, SERVICE(CONNECT) } } },
	{ "open", 88, BACK, { .open = { DUCT_CTL_OPEN, 9, SERVICE(SERVE), WISH } } },
	{ "cancel", 88, BACK, { .open = { DUCT_CTL_CANCEL, 9, SERVICE(CONNECT), { 0 } } } },
	{ "bound", 128, FRONT, { .bound = {
		DUCT_CTL_BOUND, 9, SERVICE(PEER), 1, 0xffffffff, 0, 1,
		{ 0, 64, 4096, 0xffffffc0 }, { 255, 0xffffffc0, 1024, 16 }, 480, 8, 64, 0,
		{ 0 } } } },
	{ "refused", 40, FRONT, { .refused = {
		DUCT_CTL_REFUSED, 9, SERVICE(SERVE), DUCT_REFUSED_BUDGET, 0 } } },
	{ "close", 16, BOTH, { .close = {
		DUCT_CTL_CLOSE, 1023, 77, DUCT_CLOSE_LOST } } },
	{ "closed", 16, BOTH, { .close = { DUCT_CTL_CLOSED, 1, 77, 0 } } },
	{ "chunk", 144, FRONT, { .chunk = {
		DUCT_CTL_CHUNK, 255, 2048, 2016, { 8, 9, 0xffffffff, 11 } } } },
	{ "chunk done", 16, BACK, { .done = { DUCT_CTL_CHUNK_DONE, 255, 1, 0 } } },
	{ "door", 24, FRONT, { .door = { DUCT_CTL_DOOR, 63, 17, 255, 0xffffffc0, 0 } } },
	{ "door done", 16, BACK, { .done = { DUCT_CTL_DOOR_DONE, 63, 0, 0 } } },
	{ "goodbye", 8, BOTH, { .goodbye = { DUCT_CTL_GOODBYE, DUCT_GOODBYE_BROKEN } } },
	{ "stage", 16, FRONT, { .stage = { DUCT_CTL_STAGE, 255, 0xffffffc0, 1u << 20 } } },
};

_Static_assert(ARRAY_SIZE(good) == DUCT_CTL_STAGE, "one for each type");

/* In a malloc of exactly @len, so that ASan sees a look behind it. */
static const char *check(const union duct_ctl *msg, u32 len, bool from_front)
{
	u32 n = min(len, (u32)sizeof(*msg));
	void *copy = malloc(n ? n : 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, msg, n);
	why = duct_ctl_check(copy, len, from_front);
	free(copy);
	return why;
}

static const union duct_ctl *of_type(u32 type)
{
	assert_in_range(type, 1, ARRAY_SIZE(good));
	assert_int_equal(good[type - 1].msg.type, type);
	return &good[type - 1].msg;
}

static void test_good(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		of_type(i + 1);
		if (good[i].from & FRONT)
			assert_null(check(&good[i].msg, good[i].len, true));
		if (good[i].from & BACK)
			assert_null(check(&good[i].msg, good[i].len, false));
	}
	assert_int_equal(sizeof(union duct_ctl), DUCT_CTL_MAX);
}

static void test_direction(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (!(good[i].from & FRONT))
			assert_string_equal(check(&good[i].msg, good[i].len, true),
					    "the wrong end sent it");
		if (!(good[i].from & BACK))
			assert_string_equal(check(&good[i].msg, good[i].len, false),
					    "the wrong end sent it");
	}
}

static void test_length(void **state)
{
	u32 i, len, front;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		for (len = 0; len <= 160; len++)
			for (front = 0; front < 2; front++) {
				const char *why = check(&good[i].msg, len, front);

				if (len < 4)
					assert_string_equal(why, "shorter than its type");
				else if (len != good[i].len)
					assert_string_equal(why, "wrong length");
			}
	assert_string_equal(check(&good[0].msg, 0xffffffff, true), "wrong length");
	/* 32 + 256: the length is not cut to a byte. */
	assert_string_equal(check(&good[0].msg, 32 + 256, true), "wrong length");
}

static void test_type(void **state)
{
	static const u32 types[] = {
		0, 18, 19, 255, 256, 257, 65536 + 1, 0x7fffffff, 0x80000001, 0xffffffff,
	};
	u32 i, len, front;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		union duct_ctl msg = { .type = types[i] };

		assert_int_equal(duct_ctl_len(types[i]), 0);
		assert_string_equal(duct_ctl_name(types[i]), "unknown");
		for (len = 4; len <= 160; len++)
			for (front = 0; front < 2; front++)
				assert_string_equal(check(&msg, len, front), "unknown type");
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(duct_ctl_len(i + 1), good[i].len);
		assert_string_equal(duct_ctl_name(i + 1), good[i].name);
	}
}

/*
 * One field of a good message changed: what is said then, "" for nothing. The
 * values at both sides of each border are here.
 */
#define NAME	"not a service name"
#define ROLE	"a role that cannot send this"
#define ZERO	"reserved bytes are not zero"
#define RING	"ring size is no power of two within the limits"
#define FIELD(type, field, value, why) \
	{ DUCT_CTL_##type, offsetof(union duct_ctl, field), value, why }
#define SERVICES(type, which)						\
	FIELD(type, which.service.name[0], 0, NAME),			\
	FIELD(type, which.service.instance, 65535, ""),			\
	FIELD(type, which.service.instance, 65536, "instance above 65535"), \
	FIELD(type, which.service.role, 0, ROLE),			\
	FIELD(type, which.service.role, 3, ROLE),			\
	FIELD(type, which.service.role, 5, ROLE),			\
	FIELD(type, which.service.role, 6, ROLE),			\
	FIELD(type, which.service.role, 7, ROLE),			\
	FIELD(type, which.service.role, 8, ROLE),			\
	FIELD(type, which.service.role, 0x80000001, ROLE)
#define ROLES(type, which, connect, serve, peer)			\
	FIELD(type, which.service.role, DUCT_ROLE_CONNECT, connect),	\
	FIELD(type, which.service.role, DUCT_ROLE_SERVE, serve),	\
	FIELD(type, which.service.role, DUCT_ROLE_PEER, peer)
#define RINGS(type, field)						\
	FIELD(type, field, 0, RING),					\
	FIELD(type, field, 512, RING),					\
	FIELD(type, field, 1023, RING),					\
	FIELD(type, field, 1024, ""),					\
	FIELD(type, field, 1025, RING),					\
	FIELD(type, field, 3072, RING),					\
	FIELD(type, field, 4u << 20, ""),				\
	FIELD(type, field, (4u << 20) + 1, RING),			\
	FIELD(type, field, 8u << 20, RING),				\
	FIELD(type, field, 0x80000000, RING)
#define WISHES(type, which)						\
	FIELD(type, which.flags, 0, ""),				\
	FIELD(type, which.flags, 8, "unknown channel flags"),		\
	FIELD(type, which.flags, 0x80000001, "unknown channel flags"),	\
	FIELD(type, which.max_msg, 0, "longest message out of range"),	\
	FIELD(type, which.max_msg, 1, ""),				\
	FIELD(type, which.max_msg, DUCT_MSG_MAX, ""),			\
	FIELD(type, which.max_msg, (DUCT_MSG_MAX) + 1, "longest message out of range"), \
	FIELD(type, which.max_calls, 0, ""),				\
	FIELD(type, which.max_calls, 1024, ""),				\
	FIELD(type, which.max_calls, 1025, "calls out of range"),	\
	FIELD(type, which.max_answer, 0, ""),				\
	FIELD(type, which.max_answer, DUCT_MSG_MAX, ""),			\
	FIELD(type, which.max_answer, (DUCT_MSG_MAX) + 1, "calls out of range")
#define BELOW(type, field, most, why)					\
	FIELD(type, field, (most) - 1, ""),				\
	FIELD(type, field, most, why),					\
	FIELD(type, field, 0xffffffff, why)
#define ALIGNED(type, field, why)					\
	FIELD(type, field, 0, ""),					\
	FIELD(type, field, 1, why),					\
	FIELD(type, field, 32, why),					\
	FIELD(type, field, 63, why),					\
	FIELD(type, field, 128, "")

static const struct {
	u32 type;
	u32 offset;
	u32 value;
	const char *why;
} fields[] = {
	FIELD(HELLO, hello.epoch, 0, ""),
	FIELD(HELLO, hello.features, 0xffffffff, ""),

	FIELD(ANNOUNCE, offer.reserved, 1, ZERO),
	SERVICES(ANNOUNCE, offer),
	ROLES(ANNOUNCE, offer, ROLE, "", ""),
	FIELD(BIND, offer.reserved, 0x80000000, ZERO),
	SERVICES(BIND, offer),
	ROLES(BIND, offer, "", ROLE, ROLE),
	FIELD(WITHDRAW, withdraw.reserved, 1, ZERO),
	SERVICES(WITHDRAW, withdraw),
	ROLES(WITHDRAW, withdraw, ROLE, "", ""),
	FIELD(UNBIND, withdraw.reserved, 1, ZERO),
	SERVICES(UNBIND, withdraw),
	ROLES(UNBIND, withdraw, "", ROLE, ROLE),

	FIELD(OPEN, open.number, 0xffffffff, ""),
	SERVICES(OPEN, open),
	ROLES(OPEN, open, "", "", ""),
	WISHES(OPEN, open.wish),
	RINGS(OPEN, open.wish.tx_bytes),
	RINGS(OPEN, open.wish.rx_bytes),
	SERVICES(CANCEL, open),
	ROLES(CANCEL, open, "", "", ""),
	FIELD(CANCEL, open.wish.flags, 1, ZERO),
	FIELD(CANCEL, open.wish.tx_bytes, 1024, ZERO),
	FIELD(CANCEL, open.wish.rx_bytes, 1024, ZERO),
	FIELD(CANCEL, open.wish.max_msg, 1, ZERO),
	FIELD(CANCEL, open.wish.max_calls, 1, ZERO),
	FIELD(CANCEL, open.wish.max_answer, 1, ZERO),
	FIELD(CANCEL, open.wish.point.cookie, 1, ZERO),
	FIELD(OPEN, open.wish.point.cookie, 1, ZERO),
	FIELD(OPEN, open.wish.point.sent, 16, ZERO),
	FIELD(OPEN, open.wish.point.kept, 16, ZERO),
	FIELD(OPEN, open.wish.point.taken, 16, ZERO),

	SERVICES(BOUND, bound),
	ROLES(BOUND, bound, "", "", ""),
	FIELD(BOUND, bound.slot, 0, "no such slot"),
	BELOW(BOUND, bound.slot, 1024, "no such slot"),
	BELOW(BOUND, bound.door, 64, "no such door"),
	FIELD(BOUND, bound.to_back.start, 0, ""),
	FIELD(BOUND, bound.to_back.start, 1, "start index is not aligned"),
	FIELD(BOUND, bound.to_back.start, 0xfffffff0, ""),
	FIELD(BOUND, bound.to_front.start, 8, "start index is not aligned"),
	FIELD(BOUND, bound.to_front.start, 0xffffffff, "start index is not aligned"),
	FIELD(BOUND, bound.to_front.start, 0xfffffff0, ""),
	FIELD(BOUND, bound.reserved, 1, ZERO),
	FIELD(BOUND, bound.point.cookie, 1, ZERO),
	BELOW(BOUND, bound.to_back.chunk, 256, "no such chunk"),
	BELOW(BOUND, bound.to_front.chunk, 256, "no such chunk"),
	ALIGNED(BOUND, bound.to_back.offset, "ring is not aligned"),
	ALIGNED(BOUND, bound.to_front.offset, "ring is not aligned"),
	RINGS(BOUND, bound.to_back.bytes),
	RINGS(BOUND, bound.to_front.bytes),
	WISHES(BOUND, bound),

	FIELD(REFUSED, refused.reserved, 1, ZERO),
	FIELD(REFUSED, refused.reason, 0, "unknown reason"),
	FIELD(REFUSED, refused.reason, 1, ""),
	FIELD(REFUSED, refused.reason, 3, ""),
	FIELD(REFUSED, refused.reason, 4, "unknown reason"),
	SERVICES(REFUSED, refused),
	ROLES(REFUSED, refused, "", "", ""),

	FIELD(CLOSE, close.slot, 0, "no such slot"),
	BELOW(CLOSE, close.slot, 1024, "no such slot"),
	FIELD(CLOSE, close.reason, 0, ""),
	FIELD(CLOSE, close.reason, 4, "unknown reason"),
	FIELD(CLOSED, close.slot, 0, "no such slot"),
	BELOW(CLOSED, close.slot, 1024, "no such slot"),
	FIELD(CLOSED, close.reason, 1, "unknown reason"),

	BELOW(CHUNK, chunk.chunk, 256, "no such chunk"),
	FIELD(CHUNK, chunk.pages, 0, "pages of the chunk out of range"),
	FIELD(CHUNK, chunk.pages, 2049, "pages of the chunk out of range"),
	FIELD(CHUNK, chunk.pages, 2016, "first page of the chunk out of range"),
	FIELD(CHUNK, chunk.pages, 2019, ZERO),
	FIELD(CHUNK, chunk.pages, 2020, ""),
	FIELD(CHUNK, chunk.first, 1, "first page of the chunk out of range"),
	FIELD(CHUNK, chunk.first, 2015, "first page of the chunk out of range"),
	FIELD(CHUNK, chunk.first, 2048, "first page of the chunk out of range"),
	FIELD(CHUNK, chunk.first, 0xffffffe0, "first page of the chunk out of range"),
	FIELD(CHUNK, chunk.first, 0, ""),
	FIELD(CHUNK, chunk.refs[31], 1, ""),

	BELOW(CHUNK_DONE, done.id, 256, "no such chunk or door"),
	FIELD(CHUNK_DONE, done.status, 0xffffffff, ""),
	FIELD(CHUNK_DONE, done.reserved, 1, ZERO),
	BELOW(DOOR_DONE, done.id, 64, "no such chunk or door"),
	FIELD(DOOR_DONE, done.reserved, 1, ZERO),

	FIELD(DOOR, door.door, 0, "no such door"),
	BELOW(DOOR, door.door, 64, "no such door"),
	BELOW(DOOR, door.chunk, 256, "door table out of range"),
	ALIGNED(DOOR, door.offset, "door table out of range"),
	FIELD(DOOR, door.reserved, 1, ZERO),

	FIELD(GOODBYE, goodbye.reason, 0, ""),
	FIELD(GOODBYE, goodbye.reason, 2, "unknown reason"),

	BELOW(STAGE, stage.chunk, 256, "staging out of range"),
	ALIGNED(STAGE, stage.offset, "staging out of range"),
	FIELD(STAGE, stage.bytes, 0, "staging out of range"),
	FIELD(STAGE, stage.bytes, 64, "staging out of range"),
	FIELD(STAGE, stage.bytes, 128, ""),
	FIELD(STAGE, stage.bytes, (1u << 20) + 128, "staging out of range"),
};

static void test_fields(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		union duct_ctl msg = *of_type(fields[i].type);
		bool from_front = good[fields[i].type - 1].from & FRONT;
		const char *why;

		memcpy((u8 *)&msg + fields[i].offset, &fields[i].value, sizeof(u32));
		why = check(&msg, duct_ctl_len(msg.type), from_front);
		if (strcmp(why ? why : "", fields[i].why))
			fail_msg("%s, byte %u is 0x%x: said \"%s\", not \"%s\"",
				 duct_ctl_name(msg.type), fields[i].offset, fields[i].value,
				 why ? why : "", fields[i].why);
	}
}

/* Refs behind the last page of a chunk, for each number of pages. */
static void test_chunk_refs(void **state)
{
	u32 pages, first, i;

	(void)state;
	for (pages = 1; pages <= 66; pages++)
		for (first = 0; first < pages; first += 32)
			for (i = 0; i < 32; i++) {
				union duct_ctl msg = { .chunk = {
					.type = DUCT_CTL_CHUNK, .pages = pages, .first = first,
				} };

				msg.chunk.refs[i] = 1;
				if (first + i < pages)
					assert_null(check(&msg, 144, true));
				else
					assert_string_equal(check(&msg, 144, true), ZERO);
			}
}

static void test_names(void **state)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	u32 len, at, c;

	(void)state;
	for (len = 0; len <= DUCT_SERVICE_NAME; len++)
		for (at = 0; at < DUCT_SERVICE_NAME; at++)
			for (c = 0; c < 256; c++) {
				u8 *name = calloc(1, DUCT_SERVICE_NAME);
				bool valid;

				assert_non_null(name);
				memset(name, 'x', len);
				name[at] = c;
				if (!c && at < len)	/* cut: only at the end */
					valid = at == len - 1 && at >= 1;
				else if (!c)
					valid = len >= 1 && len <= 15;
				else if (at < len)
					valid = strchr(legal, c) && len <= 15;
				else			/* one more: only at the end */
					valid = strchr(legal, c) && at == len && len < 15;
				assert_int_equal(duct_name_valid(name), valid);
				free(name);
			}
}

static void test_roles(void **state)
{
	(void)state;
	assert_int_equal(duct_role_opposite(DUCT_ROLE_SERVE), DUCT_ROLE_CONNECT);
	assert_int_equal(duct_role_opposite(DUCT_ROLE_CONNECT), DUCT_ROLE_SERVE);
	assert_int_equal(duct_role_opposite(DUCT_ROLE_PEER), DUCT_ROLE_PEER);
}

#define POINT(cookie, sent, kept, taken) { cookie, sent, kept, taken }

/* Where a resumable channel was left. */
static const struct {
	struct duct_ctl_point point;
	const char *open;
	const char *bound;
} points[] = {
	{ POINT(0, 0, 0, 0), "", "resumable without a cookie, or the reverse" },
	{ POINT(1, 0, 0, 0), "", "" },
	{ POINT(~0ull, 4096, 0, 16), "", "" },
	{ POINT(1, ~15ull, ~15ull - 4096, ~15ull), "", "" },
	{ POINT(1, 4112, 0, 0), "more kept than a ring", "more kept than a ring" },
	{ POINT(1, 16, 32, 0), "more kept than a ring", "more kept than a ring" },
	{ POINT(1, 8, 0, 0), "position is not aligned", "position is not aligned" },
	{ POINT(1, 16, 1, 0), "position is not aligned", "position is not aligned" },
	{ POINT(1, 0, 0, 24), "position is not aligned", "position is not aligned" },
	{ POINT(0, 16, 0, 0), ZERO, "resumable without a cookie, or the reverse" },
};

static void test_points(void **state)
{
	union duct_ctl open = *of_type(DUCT_CTL_OPEN), bound = *of_type(DUCT_CTL_BOUND);
	const char *why;
	u32 i;

	(void)state;
	open.open.wish.flags = DUCT_WISH_RESUMABLE;
	why = check(&open, sizeof(open.open), false);
	assert_string_equal(why, "calls on a resumable channel");
	open.open.wish.max_calls = 0;
	bound.bound.max_calls = 0;
	bound.bound.flags = DUCT_WISH_RESUMED;
	why = check(&bound, sizeof(bound.bound), true);
	assert_string_equal(why, "resumable without a cookie, or the reverse");
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		open.open.wish.point = points[i].point;
		why = check(&open, sizeof(open.open), false);
		assert_string_equal(why ? why : "", points[i].open);
		bound.bound.point = points[i].point;
		bound.bound.flags = DUCT_WISH_RESUMABLE | (i & 1 ? DUCT_WISH_RESUMED : 0);
		why = check(&bound, sizeof(bound.bound), true);
		assert_string_equal(why ? why : "", points[i].bound);
	}
}

static void test_triggers(void **state)
{
	(void)state;
	assert_true(duct_trigger_valid(&(struct duct_trigger){ .count = 1 }));
	assert_true(duct_trigger_valid(&(struct duct_trigger){ .count = 0xffffffff }));
	assert_false(duct_trigger_valid(&(struct duct_trigger){ .count = 0 }));
	assert_false(duct_trigger_valid(&(struct duct_trigger){ .count = 1, .reserved = 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_type),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_chunk_refs),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
