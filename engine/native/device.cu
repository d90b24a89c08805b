/* The kernels of a GPU, for NVRTC; engine/native/device.py puts the texts of the included files in the
   places of their names.

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
#define mulhi32(a, b) __umulhi(a, b)
#define double_of(x) __uint2double_rn(x)

INLINE u32 float_bits(float x) { return __float_as_uint(x); }
INLINE float bits_float(u32 bits) { return __uint_as_float(bits); }
INLINE u64 double_bits(double x) { return (u64)__double_as_longlong(x); }
INLINE double bits_double(u64 bits) { return __longlong_as_double((i64)bits); }

#include "transforms.h"
#include "drawing.cu"
#include "statistics.cu"
