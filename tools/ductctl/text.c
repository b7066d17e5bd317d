// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ductctl.h"
#include "text.h"

static int __printf(2, 0) complain(int code, const char *fmt, va_list args)
{
	fflush(stdout);
	fputs("ductctl: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	return code;
}

int fail(const char *fmt, ...)
{
	va_list args;
	int code;

	va_start(args, fmt);
	code = complain(EXIT_FAILED, fmt, args);
	va_end(args);
	return code;
}

int usage_error(const char *fmt, ...)
{
	va_list args;
	int code;

	va_start(args, fmt);
	code = complain(EXIT_USAGE, fmt, args);
	va_end(args);
	return code;
}

static void *must(void *memory)
{
	if (!memory)
		exit(fail("out of memory"));
	return memory;
}

char *text_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return must(text);
}

char *text_copy(const char *text)
{
	return must(strdup(text));
}

char *text_copy_n(const char *text, size_t len)
{
	return must(strndup(text, len));
}

void *text_grow(void *array, size_t count, size_t size)
{
	return must(reallocarray(array, count ? count : 1, size));
}

bool text_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	/* strtoul takes signs and leading space; a number here has neither. */
	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !errno && !*end && *value <= max;
}

int text_option(const char *option, const char *text, unsigned long min,
		unsigned long max, unsigned int *value)
{
	unsigned long number;

	if (!text_number(text, max, &number) || number < min)
		return fail("%s: '%s' is not a number from %lu to %lu",
			    option, text, min, max);
	*value = (unsigned int)number;
	return EXIT_OK;
}

bool text_is_word(const char *text, size_t len, size_t max, bool lower)
{
	size_t i;

	if (!len || len > max)
		return false;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (lower && isupper(c))
			return false;
		if (!isalnum(c) && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool text_is_printable(const char *text, size_t len, size_t max)
{
	size_t i;

	if (len > max)
		return false;
	for (i = 0; i < len; i++)
		if (!isprint((unsigned char)text[i]))
			return false;
	return true;
}

char *text_clean(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	size_t shown = len < TEXT_SHOWN ? len : TEXT_SHOWN;
	/* each byte becomes at most four characters */
	char *text = must(malloc(shown * 4 + sizeof("...")));
	char *out = text;
	size_t i;

	for (i = 0; i < shown; i++) {
		if (bytes[i] == '\\')
			out += sprintf(out, "\\\\");
		else if (isprint(bytes[i]))
			*out++ = (char)bytes[i];
		else
			out += sprintf(out, "\\x%02x", bytes[i]);
	}
	strcpy(out, shown < len ? "..." : "");
	return text;
}

char *text_quote(const char *text)
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,=:@%+";
	char *quoted, *out;

	if (*text && !text[strspn(text, safe)])
		return text_copy(text);
	/* ' becomes '\'' */
	quoted = must(malloc(strlen(text) * 4 + 3));
	out = quoted;
	*out++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			out += sprintf(out, "'\\''");
		else
			*out++ = *text;
	}
	strcpy(out, "'");
	return quoted;
}
