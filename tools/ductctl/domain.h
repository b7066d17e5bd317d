/* SPDX-License-Identifier: GPL-2.0-only */
/* Domains as xenstore shows them. */
#ifndef DUCTCTL_DOMAIN_H
#define DUCTCTL_DOMAIN_H

#include <stdbool.h>

#include "store.h"

/* The domain that this program runs in. */
int domain_own(struct store *s, unsigned int *domid);

/* @text is a number (which need not exist) or the name of one domain. */
int domain_find(struct store *s, const char *text, unsigned int *domid);

/* An error if the domain does not exist, is being built or is dying. */
int domain_running(struct store *s, unsigned int domid);

/* Its name, cleaned, or NULL; to be freed. */
char *domain_name(struct store *s, unsigned int domid);

/* "domain 5 (guest)"; to be freed. */
char *domain_label(struct store *s, unsigned int domid);

/* Ids of all domains; our own alone where we may not list them. */
int domain_all(struct store *s, unsigned int **domids, unsigned int *count);

/* Names below a path that are plain numbers, at most @max; @numbers is freed. */
void store_numbers(struct store *s, unsigned int max, unsigned int **numbers,
		   unsigned int *count, const char *fmt, ...)
	__printf(5, 6);

#endif /* DUCTCTL_DOMAIN_H */
