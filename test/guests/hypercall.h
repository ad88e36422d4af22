/* The kernel's doorbell (images/kernel/platform.h), in the one form that every platform takes. */
#ifndef HATCHERY_TEST_HYPERCALL_H
#define HATCHERY_TEST_HYPERCALL_H

#include "kernel.h"

void hypercall(enum hatchery_operation operation);

#endif
