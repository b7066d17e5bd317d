/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUCT_MAP_H
#define _DUCT_MAP_H

#include <xen/interface/xen.h>

#include "../wire.h"

struct duct_mapping *duct_map(domid_t peer, const u32 *refs, u32 n);
void duct_unmap(struct duct_mapping *mapping);

#endif /* _DUCT_MAP_H */
