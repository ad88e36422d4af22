/* In the place of musl's syscall_cp.s: a system call that a thread may be cancelled in, of which there
 * is none. */
#include "pthread_impl.h"
#include "syscall.h"

hidden const char __cp_begin[1] = {0}, __cp_end[1] = {0}, __cp_cancel[1] = {0};

hidden long __syscall_cp_asm(volatile void *cancelled, syscall_arg_t number, syscall_arg_t a,
                             syscall_arg_t b, syscall_arg_t c, syscall_arg_t d, syscall_arg_t e,
                             syscall_arg_t f)
{
	(void)cancelled;
	return __hatchery_system_call(number, a, b, c, d, e, f);
}
