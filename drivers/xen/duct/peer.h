/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that the peer can write, or read, at any time.
 *
 * Pointers to it carry the address space __peer: sparse refuses to dereference
 * them and to mix them with other pointers, so this header is the only way in
 * and out. Each word is read exactly once, into a local that the caller checks
 * before use; nothing is ever read back.
 */
#ifndef _DUCT_PEER_H
#define _DUCT_PEER_H

#include "port.h"

#ifdef __CHECKER__
#define __peer __attribute__((noderef, address_space(__peer)))
#else
#define __peer
#endif

/*
 * The shim of tests, tools/testing/unit/peer_shim.h, replaces these: the peer acts between
 * any two reads, and what was stored is seen late.
 */
#ifndef duct_peer_load
#define duct_peer_load(p) READ_ONCE(*(p))
#define duct_peer_load_bytes(to, from, n) memcpy(to, from, n)
#endif
#ifndef duct_peer_store
#define duct_peer_store(p, v) WRITE_ONCE(*(p), v)
/* The pair is named where it is used. */
#define duct_peer_store_release(p, v) virt_store_release(p, v)
#endif

static inline u32 duct_peer_read32(const u32 __peer *p)
{
	return duct_peer_load((const u32 __force *)p);
}

static inline u64 duct_peer_read64(const u64 __peer *p)
{
	return duct_peer_load((const u64 __force *)p);
}

/* Pairs with duct_peer_release32() at the peer: what it wrote before is seen. */
static inline u32 duct_peer_acquire32(const u32 __peer *p)
{
#ifdef DUCT_PEER_SHIM
	return duct_peer_load((const u32 __force *)p);
#else
	/* The caller's comment names the pair. */
	return virt_load_acquire((const u32 __force *)p);
#endif
}

static inline void duct_peer_write32(u32 __peer *p, u32 v)
{
	duct_peer_store((u32 __force *)p, v);
}

static inline void duct_peer_write64(u64 __peer *p, u64 v)
{
	WRITE_ONCE(*(u64 __force *)p, v);
}

static inline void duct_peer_release32(u32 __peer *p, u32 v)
{
	/* Pairs with duct_peer_acquire32() at the peer. */
	duct_peer_store_release((u32 __force *)p, v);
}

/* Whatever the caller checks afterwards is in @to: the compiler may not look again. */
static inline void duct_peer_copy_in(void *to, const void __peer *from, u32 len)
{
	duct_peer_load_bytes(to, (const void __force *)from, len);
	barrier();
}

static inline void duct_peer_copy_out(void __peer *to, const void *from, u32 len)
{
	memcpy((void __force *)to, from, len);
}

static inline void duct_peer_zero(void __peer *to, u32 len)
{
	memset((void __force *)to, 0, len);
}

#endif /* _DUCT_PEER_H */
