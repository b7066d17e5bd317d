/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's words for what C lacks. */
#ifndef DUCTCTL_COMPILER_H
#define DUCTCTL_COMPILER_H

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define __printf(fmt, first) __attribute__((format(printf, fmt, first)))

#endif /* DUCTCTL_COMPILER_H */
