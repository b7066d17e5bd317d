/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to store*.c */
#ifndef DUCTCTL_STORE_PATH_H
#define DUCTCTL_STORE_PATH_H

#include <stdarg.h>
#include <stdbool.h>

#include "compiler.h"

/* @path has STORE_PATH bytes. False, with errno, when that is too short. */
bool store_path(char *path, const char *fmt, va_list args)
	__printf(2, 0);

#endif /* DUCTCTL_STORE_PATH_H */
