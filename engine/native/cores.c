/* Which of the library's instruction sets this processor has, and what the library was made of. */

#define EXPORT __attribute__((visibility("default")))

EXPORT const char *made_of(void) { return SOURCE; }

#if defined(__x86_64__)
#include <cpuid.h>

EXPORT int runs_baseline(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.1");
}

EXPORT int runs_avx2(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

EXPORT int runs_avx512(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma");
}

/* Whether it has the instructions of sha256.c, for which older compilers have no name. */
EXPORT int runs_sha256(void)
{
    unsigned a, b, c, d;
    __builtin_cpu_init();
    return __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}
#else
EXPORT int runs_baseline(void) { return 1; }
#endif
