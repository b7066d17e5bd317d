/* SPDX-License-Identifier: GPL-2.0-only */
/* What attach and reattach share. */
#ifndef DUCTCTL_ATTACH_H
#define DUCTCTL_ATTACH_H

#include "link.h"

/* Inside of a transaction: the three directories, new, with all their nodes. */
int attach_write(struct store *s, const struct link *l, const struct policy *p);

/* Inside of a transaction: neither end was destroyed in between. */
int attach_check_domains(struct store *s, const struct link *l);

/* Prints what was made and waits for Connected, as the options say. */
int attach_finish(struct ductctl *d, struct link *l);

/*
 * Waits until both ends are Connected, at most @seconds. An error says, in
 * words, why they are not (wait.c).
 */
int attach_wait(struct store *s, struct link *l, unsigned int seconds);

#endif /* DUCTCTL_ATTACH_H */
