/* In the place of musl's __set_thread_area.s: see arch/x86_64/pthread_arch.h. */
#include <stdint.h>
#include "pthread_impl.h"

uintptr_t __hatchery_thread_pointer;

/* Above 0: there is a thread pointer, but there are no threads. */
int __set_thread_area(void *pointer)
{
	__hatchery_thread_pointer = (uintptr_t)pointer;
	return 1;
}
