/* SPDX-License-Identifier: GPL-2.0-only */
/* What every test needs: cmocka with the headers that it asks for first. */
#ifndef _UNIT_H
#define _UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "port.h"

/* xorshift64: the same everywhere, so that a failure can be repeated. */
static inline u64 unit_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#endif /* _UNIT_H */
