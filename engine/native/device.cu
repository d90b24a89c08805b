/* Drawing on a GPU, for NVRTC; streams/cuda.py puts transforms.h in the place of its name.

   Every operation is an intrinsic that rounds once, so the compiler can fuse nothing. */

typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;

#define INLINE __device__ inline

#define fadd(a, b) __fadd_rn(a, b)
#define fsub(a, b) __fsub_rn(a, b)
#define fmul(a, b) __fmul_rn(a, b)
#define fdiv(a, b) __fdiv_rn(a, b)
#define fsqrt(a) __fsqrt_rn(a)
#define dadd(a, b) __dadd_rn(a, b)
#define dsub(a, b) __dsub_rn(a, b)
#define dmul(a, b) __dmul_rn(a, b)
#define ddiv(a, b) __ddiv_rn(a, b)
#define dsqrt(a) __dsqrt_rn(a)
#define mulhi(a, b) __umul64hi(a, b)
#define double_of(x) __uint2double_rn(x)

INLINE u32 float_bits(float x) { return __float_as_uint(x); }
INLINE float bits_float(u32 bits) { return __uint_as_float(bits); }
INLINE u64 double_bits(double x) { return (u64)__double_as_longlong(x); }
INLINE double bits_double(u64 bits) { return __longlong_as_double((i64)bits); }

#include "transforms.h"

/* The elements of a block: eight of float, four of double */
#define NARROW_BLOCK(name)                                         \
    INLINE void name##_block(const u64 *w, narrow d, float *v)     \
    {                                                              \
        for (int i = 0; i < 4; i++)                                \
            name(w[i], d, v + 2 * i);                              \
    }
#define WIDE_BLOCK(name)                                           \
    INLINE void name##_block(const u64 *w, wide d, double *v)      \
    {                                                              \
        for (int i = 0; i < 4; i += 2)                             \
            name(w[i], w[i + 1], d, v + i);                        \
    }
NARROW_BLOCK(uniform32)
NARROW_BLOCK(normal32)
NARROW_BLOCK(truncated32)
WIDE_BLOCK(uniform64)
WIDE_BLOCK(normal64)
WIDE_BLOCK(truncated64)

/* 16 bytes */
INLINE void store(float *out, const float *v) { *(float4 *)out = make_float4(v[0], v[1], v[2], v[3]); }
INLINE void store(double *out, const double *v) { *(double2 *)out = make_double2(v[0], v[1]); }

/* A thread makes the words of one block after the other and writes only the elements that were asked
   for: 16 bytes at a time where all of the block was asked for and lies at such an address, else one
   by one. */
#define KERNEL(name, number, constants, elements)                                                 \
    extern "C" __global__ void draw_##name(u64 k0, u64 k1, u64 start, u64 count, number c0,       \
                                           number c1, number c2, number c3, u64 base, u64 span,   \
                                           number *out)                                           \
    {                                                                                             \
        constants d = {c0, c1, c2, c3, base, span};                                               \
        u64 last = (start + count - 1) / elements, step = (u64)gridDim.x * blockDim.x;            \
        u64 block = start / elements + (u64)blockIdx.x * blockDim.x + threadIdx.x;                \
        for (; block <= last; block += step) {                                                    \
            u64 w[4], at = block * elements - start;                                              \
            number v[elements];                                                                   \
            philox(k0, k1, block, w);                                                             \
            name##_block(w, d, v);                                                                \
            bool whole = block * elements >= start && at + elements <= count;                     \
            if (whole && ((u64)(out + at) & 15) == 0) {                                           \
                for (int i = 0; i < elements; i += 16 / (int)sizeof(number))                      \
                    store(out + at + i, v + i);                                                   \
            } else {                                                                              \
                for (int i = 0; i < elements; i++) {                                              \
                    u64 element = block * elements + i;                                           \
                    if (element >= start && element - start < count)                              \
                        out[element - start] = v[i];                                              \
                }                                                                                 \
            }                                                                                     \
        }                                                                                         \
    }
KERNEL(uniform32, float, narrow, 8)
KERNEL(normal32, float, narrow, 8)
KERNEL(truncated32, float, narrow, 8)
KERNEL(uniform64, double, wide, 4)
KERNEL(normal64, double, wide, 4)
KERNEL(truncated64, double, wide, 4)
