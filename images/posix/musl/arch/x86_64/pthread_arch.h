/*
 * The thread pointer is a variable: a guest has one thread, and FS no base. In the place of musl's file of
 * this name.
 */
extern __attribute__((__visibility__("hidden"))) uintptr_t __hatchery_thread_pointer;

static inline uintptr_t __get_tp()
{
	return __hatchery_thread_pointer;
}

#define MC_PC gregs[REG_RIP]
