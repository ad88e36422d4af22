/*
 * How this C library asks for something of the operating system: by an ordinary call of the library OS
 * in the same image (../../../system_calls.c). It takes the place of musl's file of this name, in which
 * are SYSCALL instructions. There is no vDSO.
 */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

__attribute__((__visibility__("hidden"))) long __hatchery_system_call(long number, long a, long b, long c,
                                                                       long d, long e, long f);

static __inline long __syscall0(long n)
{
	return __hatchery_system_call(n, 0, 0, 0, 0, 0, 0);
}

static __inline long __syscall1(long n, long a1)
{
	return __hatchery_system_call(n, a1, 0, 0, 0, 0, 0);
}

static __inline long __syscall2(long n, long a1, long a2)
{
	return __hatchery_system_call(n, a1, a2, 0, 0, 0, 0);
}

static __inline long __syscall3(long n, long a1, long a2, long a3)
{
	return __hatchery_system_call(n, a1, a2, a3, 0, 0, 0);
}

static __inline long __syscall4(long n, long a1, long a2, long a3, long a4)
{
	return __hatchery_system_call(n, a1, a2, a3, a4, 0, 0);
}

static __inline long __syscall5(long n, long a1, long a2, long a3, long a4, long a5)
{
	return __hatchery_system_call(n, a1, a2, a3, a4, a5, 0);
}

static __inline long __syscall6(long n, long a1, long a2, long a3, long a4, long a5, long a6)
{
	return __hatchery_system_call(n, a1, a2, a3, a4, a5, a6);
}

#define IPC_64 0
