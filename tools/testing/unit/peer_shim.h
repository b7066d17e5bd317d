/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before ring.c where the test wants to act as the peer between any
 * two reads of shared memory: see peer.h.
 */
#ifndef _PEER_SHIM_H
#define _PEER_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* The test's: called before and after each read of the @len bytes at @p. */
void shim_peer_acts(const void *p, size_t len);

static inline uint32_t shim_load32(const uint32_t *p)
{
	uint32_t v;

	shim_peer_acts(p, sizeof(*p));
	v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	shim_peer_acts(p, sizeof(*p));
	return v;
}

static inline uint64_t shim_load64(const uint64_t *p)
{
	uint64_t v;

	shim_peer_acts(p, sizeof(*p));
	v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	shim_peer_acts(p, sizeof(*p));
	return v;
}

#define duct_peer_load(p) \
	_Generic((p), const uint32_t *: shim_load32, const uint64_t *: shim_load64)(p)

/* Byte by byte: what the peer changes meanwhile is seen in part. */
#define duct_peer_load_bytes(to, from, n)				\
	do {								\
		const unsigned char *from_ = (const unsigned char *)(from); \
		unsigned char *to_ = (unsigned char *)(to);		\
									\
		for (size_t i_ = 0; i_ < (n); i_++) {			\
			shim_peer_acts(from_ + i_, 1);		\
			to_[i_] = __atomic_load_n(from_ + i_, __ATOMIC_RELAXED); \
		}							\
	} while (0)

/* With DUCT_PEER_SHIM_STORES as well: stores, which may be seen as late as the next fence. */
#ifdef DUCT_PEER_SHIM_STORES
void shim_store(uint32_t *p, uint32_t v);
void shim_fence(void);

#define duct_peer_store(p, v) shim_store(p, v)
#define duct_peer_store_release(p, v) shim_store(p, v)
#define virt_mb() shim_fence()
#endif

#endif /* _PEER_SHIM_H */
