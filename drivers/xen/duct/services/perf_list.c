// SPDX-License-Identifier: GPL-2.0
/* Lists of random pieces among canaries, for either end of a bulk transfer. */
#include <linux/mm.h>
#include <linux/string.h>

#include "perf.h"

/* @field: memory that pieces are cut from, PERF_FIELD() of the longest list at least */
void perf_list_init(struct perf_list *list, u8 *field, u32 size)
{
	list->field = field;
	list->size = size;
	memset(field, PERF_CANARY, size);
}

/*
 * Up to @bytes in pieces: part of a page, whole pages, runs that begin anywhere;
 * next to each other, or with a gap of any length.
 */
void perf_list_make(struct perf_list *list, struct rnd_state *rnd, u32 bytes)
{
	u32 at = 0;

	list->bytes = 0;
	for (list->n = 0; list->n < PERF_PIECES && list->bytes < bytes; list->n++) {
		u32 r = prandom_u32_state(rnd), kind = r % 4;
		u32 len = 1 + (r >> 4) % PAGE_SIZE;

		if (kind == 1)
			len *= 4;
		else if (kind > 1)
			len = PAGE_SIZE << (r >> 4) % 4;
		if (kind > 1)
			at = PAGE_ALIGN(at);
		else if (r & 4)
			at += 1 + (r >> 16) % PAGE_SIZE;
		if (at >= list->size)
			break;
		len = min3(len, bytes - list->bytes, list->size - at);
		list->vec[list->n].iov_base = list->field + at;
		list->vec[list->n].iov_len = len;
		list->bytes += len;
		at += len;
	}
}

/* The pieces hold @data. */
void perf_list_fill(struct perf_list *list, const u8 *data)
{
	u32 i;

	for (i = 0; i < list->n; i++) {
		memcpy(list->vec[i].iov_base, data, list->vec[i].iov_len);
		data += list->vec[i].iov_len;
	}
}

/*
 * Looks up to a page behind the list, or, @all, at the whole field; makes the
 * pieces canaries again. Return: whether they held @data, among canaries
 */
bool perf_list_check(struct perf_list *list, const u8 *data, bool all)
{
	u32 i, end = 0;
	bool good = true;

	for (i = 0; i < list->n; i++) {
		u8 *piece = list->vec[i].iov_base;
		u32 len = list->vec[i].iov_len;

		good = !memcmp(piece, data, len) && good;
		memset(piece, PERF_CANARY, len);
		data += len;
		end = piece - list->field + len;
	}
	end = all ? list->size : min_t(u32, end + PAGE_SIZE, list->size);
	return !memchr_inv(list->field, PERF_CANARY, end) && good;
}
