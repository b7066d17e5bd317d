// SPDX-License-Identifier: GPL-2.0
/* Iterators over memory of the kernel and over pages; numbers and texts. */
#include <stdlib.h>

#include "sim.h"

static void iter_init(struct iov_iter *it, bool pages, unsigned int dir, unsigned long n,
		      size_t count)
{
	*it = (struct iov_iter){ .pages = pages, .data_source = dir == ITER_SOURCE,
				 .nr_segs = n, .count = count };
}

void iov_iter_kvec(struct iov_iter *it, unsigned int dir, const struct kvec *v, unsigned long n,
		   size_t count)
{
	iter_init(it, false, dir, n, count);
	it->kvec = v;
}

void iov_iter_bvec(struct iov_iter *it, unsigned int dir, const struct bio_vec *v,
		   unsigned long n, size_t count)
{
	iter_init(it, true, dir, n, count);
	it->bvec = v;
}

void iov_iter_truncate(struct iov_iter *it, u64 n)
{
	if (it->count > n)
		it->count = n;
}

static size_t seg_len(const struct iov_iter *it)
{
	return it->pages ? it->bvec->bv_len : it->kvec->iov_len;
}

static char *seg_at(const struct iov_iter *it, size_t *n)
{
	size_t at;

	if (!it->pages)
		return (char *)it->kvec->iov_base + it->iov_offset;
	at = it->bvec->bv_offset + it->iov_offset;
	*n = min_t(size_t, *n, PAGE_SIZE - at % PAGE_SIZE);
	return (char *)page_address(it->bvec->bv_page + at / PAGE_SIZE) + at % PAGE_SIZE;
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
	it->count -= n;
	n += it->iov_offset;
	while (it->nr_segs && n >= seg_len(it)) {
		n -= seg_len(it);
		it->nr_segs--;
		if (it->pages)
			it->bvec++;
		else
			it->kvec++;
	}
	it->iov_offset = n;
}

void iov_iter_revert(struct iov_iter *it, size_t n)
{
	it->count += n;
	while (n > it->iov_offset) {
		n -= it->iov_offset;
		it->nr_segs++;
		if (it->pages)
			it->bvec--;
		else
			it->kvec--;
		it->iov_offset = seg_len(it);
	}
	it->iov_offset -= n;
}

static size_t iter_copy(char *data, size_t n, struct iov_iter *it, bool from)
{
	size_t done = 0;

	n = min_t(size_t, n, it->count);
	while (done < n) {
		size_t part = min_t(size_t, n - done, seg_len(it) - it->iov_offset);
		char *at;

		if (!part) {
			iov_iter_advance(it, 0);
			continue;
		}
		at = seg_at(it, &part);
		if (from)
			memcpy(data + done, at, part);
		else
			memcpy(at, data + done, part);
		iov_iter_advance(it, part);
		done += part;
	}
	return done;
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *it)
{
	sim_point();
	return iter_copy(to, n, it, true);
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it)
{
	sim_point();
	return iter_copy((char *)from, n, it, false);
}

/* ---- numbers and texts ---- */

int kstrtou64(const char *s, unsigned int base, u64 *res)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*res = strtoull(s, &end, base);
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : errno ? -ERANGE : 0;
}

int kstrtou16(const char *s, unsigned int base, u16 *res)
{
	u64 wide;
	int err = kstrtou64(s, base, &wide);

	if (err)
		return err;
	*res = wide;
	return wide > UINT16_MAX ? -ERANGE : 0;
}

int strscpy(char *to, const char *from, size_t size)
{
	size_t n = strlen(from);

	if (n >= size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
	return n;
}

void sort(void *base, size_t num, size_t size, int (*cmp)(const void *, const void *),
	  void *swap_fn)
{
	qsort(base, num, size, cmp);
}

int uuid_parse(const char *s, uuid_t *u)
{
	unsigned int i, at = 0, byte;

	if (strlen(s) != 36)
		return -EINVAL;
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			at += s[at] == '-';
		if (sscanf(s + at, "%2x", &byte) != 1)
			return -EINVAL;
		u->b[i] = byte;
		at += 2;
	}
	return 0;
}
