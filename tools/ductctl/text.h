/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings: numbers read strictly, foreign bytes made printable, memory. */
#ifndef DUCTCTL_TEXT_H
#define DUCTCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

/* Bytes of a foreign value that are shown; "..." stands for the rest. */
#define TEXT_SHOWN	256u

/* Decimal digits and nothing else, at most max. Prints nothing. */
bool text_number(const char *text, unsigned long max, unsigned long *value);

/* A number from @min to @max; another, or none, is a failure that names @option. */
int text_option(const char *option, const char *text, unsigned long min,
		unsigned long max, unsigned int *value);

/* 1 to @max characters, each a letter, digit, '_' or '-' (@lower: no capitals). */
bool text_is_word(const char *text, size_t len, size_t max, bool lower);

/* Only printable ASCII, at most @max bytes; may be empty. */
bool text_is_printable(const char *text, size_t len, size_t max);

/*
 * A copy that is safe on a terminal and in JSON: at most TEXT_SHOWN bytes,
 * backslash as "\\", each byte that is not printable ASCII as "\xNN".
 */
char *text_clean(const void *data, size_t len);

/* The same word for a shell. */
char *text_quote(const char *text);

/* These end the program with exit code 1 when there is no memory. */
char *text_format(const char *fmt, ...) __printf(1, 2);
char *text_copy(const char *text);
char *text_copy_n(const char *text, size_t len);
void *text_grow(void *array, size_t count, size_t size);

#endif /* DUCTCTL_TEXT_H */
