/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All of the kernel that the driver's sources see: included before each of them, whose
 * own #include <linux/...> find empty files that the Makefile made.
 */
#ifndef _SIM_KERNEL_KERNEL_H
#define _SIM_KERNEL_KERNEL_H

#include "xen.h"

/* As the kernels that are tested have it. */
#define DUCT_HAVE_VOID_REMOVE	1

#endif /* _SIM_KERNEL_KERNEL_H */
