/* SPDX-License-Identifier: GPL-2.0 */
/* What the toolstack allows on a link, for those in the core who ask; see wire.h. */
#ifndef _DUCT_POLICY_H
#define _DUCT_POLICY_H

#include "wire.h"

struct duct_policy *duct_policy_get(struct duct_policy *policy);
bool duct_policy_allows(const struct duct_policy *policy, const u8 *name, u32 instance);
int duct_policy_for_each(const struct duct_policy *policy,
			 int (*fn)(void *arg, const u8 *name, u32 instance), void *arg);
const char *duct_policy_value(const struct duct_policy *policy, const u8 *name, u32 instance,
			      const char *key);
u32 duct_policy_channels(const struct duct_policy *policy);
u32 duct_policy_pages(const struct duct_policy *policy);

#endif /* _DUCT_POLICY_H */
