/* SPDX-License-Identifier: GPL-2.0 */
/* Grants that are taken back while the peer uses them: see hostile_grants.c. */
#ifndef _DUCT_TESTS_HOSTILE_GRANTS_H
#define _DUCT_TESTS_HOSTILE_GRANTS_H

#include "../core.h"

#define HOSTILE_OFFERED 2u

/**
 * struct hostile_grants - what was revoked
 * @page: of a chunk that was offered and is none
 * @ref: the same; 0: none
 * @revoked: references, by the last line
 * @err: how the call ended that lent what was revoked
 */
struct hostile_grants {
	struct page *page[HOSTILE_OFFERED];
	u32 ref[HOSTILE_OFFERED];
	u32 revoked;
	int err;
};

int hostile_revoke(struct hostile_grants *grants, struct duct_channel *ch, const char *line);
void hostile_grants_end(struct hostile_grants *grants);

#endif /* _DUCT_TESTS_HOSTILE_GRANTS_H */
