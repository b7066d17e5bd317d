/* SPDX-License-Identifier: GPL-2.0 */
/* net/page_pool.h became several in 6.6; pages in pieces need no flag since 6.7. */
#ifndef _DUCT_COMPAT_PAGE_POOL_H
#define _DUCT_COMPAT_PAGE_POOL_H

#ifdef DUCT_HAVE_PAGE_POOL_HELPERS
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

#ifdef PP_FLAG_PAGE_FRAG
#define DUCT_COMPAT_PP_FRAG	PP_FLAG_PAGE_FRAG
#else
#define DUCT_COMPAT_PP_FRAG	0
#endif

#endif /* _DUCT_COMPAT_PAGE_POOL_H */
