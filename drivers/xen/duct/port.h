/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure C of the core (ring, control, state, arena) may use: fixed
 * width types, barriers, one-time accesses, and errno. In the kernel these are
 * the kernel's own; in user space, where the same sources run under
 * sanitizers, fuzzers and models, they are built from the compiler's atomics.
 */
#ifndef _DUCT_PORT_H
#define _DUCT_PORT_H

#ifdef __KERNEL__

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define __force
#define EXPORT_SYMBOL_GPL(symbol) extern int duct_no_export
#define __must_check __attribute__((warn_unused_result))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, a) (((x) + ((a) - 1)) & ~((a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((a) - 1)) == 0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define is_power_of_2(n) ((n) && !((n) & ((n) - 1)))
#define array_index_nospec(i, n) (i)
#define __ffs64(w) ((unsigned long)__builtin_ctzll(w))

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define barrier() __asm__ __volatile__("" : : : "memory")
#ifndef virt_mb
#define virt_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
#define virt_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define virt_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#endif

#endif /* _DUCT_PORT_H */
