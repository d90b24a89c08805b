/* Drawing and measuring on the host. `hatch_build.py` compiles this file once for each instruction
   set and links all of them into one library; CORE is the name of the set.

   Bits are those of NumPy's implementation (streams/reference.py, stats/onepass/kernels.py):
   -ffp-contract=off keeps the compiler from fusing a product and a sum. */

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "float operations must be rounded to float"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the processor must be little-endian"
#endif

typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t i32;
typedef uint64_t u64;
typedef int64_t i64;

#define JOINED(name, core) name##_##core
#define NAMED(name, core) JOINED(name, core)
#define EXPORT(name) __attribute__((visibility("default"))) NAMED(name, CORE)
#define INLINE static inline __attribute__((always_inline))

#define fadd(a, b) ((a) + (b))
#define fsub(a, b) ((a) - (b))
#define fmul(a, b) ((a) * (b))
#define fdiv(a, b) ((a) / (b))
#define fsqrt(a) __builtin_sqrtf(a)
#define dadd(a, b) ((a) + (b))
#define dsub(a, b) ((a) - (b))
#define dmul(a, b) ((a) * (b))
#define ddiv(a, b) ((a) / (b))
#define dsqrt(a) __builtin_sqrt(a)
#define mulhi(a, b) ((u64)((unsigned __int128)(a) * (b) >> 64))
#if defined(__x86_64__)
#define mulhi32(a, b) ((u32)((u64)(a) * (b) >> 32))
#else
/* From products of 16 bits: compilers make no vectors of the longer product. */
INLINE u32 mulhi32(u32 a, u32 b)
{
    u32 low = (a & 0xFFFF) * (b & 0xFFFF), one = (a >> 16) * (b & 0xFFFF) + (low >> 16);
    u32 two = (a & 0xFFFF) * (b >> 16) + (one & 0xFFFF);
    return (a >> 16) * (b >> 16) + (one >> 16) + (two >> 16);
}
#endif

/* i32 is converted by vector instructions that every set has */
#define double_of(x) dadd((double)(i32)((x) ^ 0x80000000u), 2147483648.0)

INLINE u32 float_bits(float x) { u32 bits; memcpy(&bits, &x, 4); return bits; }
INLINE float bits_float(u32 bits) { float x; memcpy(&x, &bits, 4); return x; }
INLINE u64 double_bits(double x) { u64 bits; memcpy(&bits, &x, 8); return bits; }
INLINE double bits_double(u64 bits) { double x; memcpy(&x, &bits, 8); return x; }

#include "transforms.h"
#include "lanes.h"
#include "arrays.h"

/* --- drawing */

#define CHUNK 128 /* blocks whose words lie in the first cache before they are transformed */
#define GROUP 32  /* words transformed by one call; its loop has no rest */

enum { UNIFORM, NORMAL, TRUNCATED, KINDS };

/* The elements of a stream from `start` on. `kind` is KINDS higher for double. `type` is what float
   is rounded to (transforms.h), within [low, high]. Python packs these fields. */
struct row {
    u64 k0, k1, start, kind, base, span;
    double c0, c1, c2, c3;
    u64 type;
    double low, high;
};

#define NARROW_GROUP(name)                                                              \
    static void name##_group(const u64 *restrict w, struct narrow d, float *restrict v) \
    {                                                                                   \
        for (int i = 0; i < GROUP; i++)                                                 \
            name(w[i], d, v + 2 * i);                                                   \
    }
#define WIDE_GROUP(name)                                                               \
    static void name##_group(const u64 *restrict w, struct wide d, double *restrict v) \
    {                                                                                  \
        for (int i = 0; i < GROUP; i += 2)                                             \
            name(w[i], w[i + 1], d, v + i);                                            \
    }
NARROW_GROUP(uniform32)
NARROW_GROUP(normal32)
NARROW_GROUP(truncated32)
WIDE_GROUP(uniform64)
WIDE_GROUP(normal64)
WIDE_GROUP(truncated64)

/* `words` is a multiple of GROUP. */
static void transform(const struct row *row, const u64 *w, i64 words, void *out)
{
    struct narrow n = {(float)row->c0, (float)row->c1, (float)row->c2, (float)row->c3, row->base, row->span};
    struct wide d = {row->c0, row->c1, row->c2, row->c3, row->base, row->span};
    float *narrow = out;
    double *wide = out;
    for (i64 at = 0; at < words; at += GROUP) {
        switch (row->kind) {
        case UNIFORM: uniform32_group(w + at, n, narrow + 2 * at); break;
        case NORMAL: normal32_group(w + at, n, narrow + 2 * at); break;
        case TRUNCATED: truncated32_group(w + at, n, narrow + 2 * at); break;
        case KINDS + UNIFORM: uniform64_group(w + at, d, wide + at); break;
        case KINDS + NORMAL: normal64_group(w + at, d, wide + at); break;
        default: truncated64_group(w + at, d, wide + at);
        }
    }
}

static void round_all(const struct row *row, const float *restrict from, i64 count, u16 *restrict to)
{
    float low = (float)row->low, high = (float)row->high;
    if (row->type == FLOAT16)
        for (i64 i = 0; i < count; i++)
            to[i] = rounded_to(FLOAT16, from[i], low, high);
    else
        for (i64 i = 0; i < count; i++)
            to[i] = rounded_to(BFLOAT16, from[i], low, high);
}

static void draw_row(const struct row *row, struct place place, u64 *w, void *part)
{
    i64 wide = row->kind >= KINDS, elements = wide ? 4 : 8, size = wide ? 8 : 4;
    i64 count = place.count, skipped = (i64)(row->start % (u64)elements);
    i64 written = row->type == OWN ? size : 2;
    u64 block = row->start / (u64)elements;
    for (i64 at = 0; at < count;) {
        i64 blocks = (skipped + count - at + elements - 1) / elements;
        blocks = blocks < CHUNK ? blocks : CHUNK;
        i64 here = blocks * elements - skipped;
        here = here < count - at ? here : count - at;
        i64 words = (4 * blocks + GROUP - 1) / GROUP * GROUP;
        char *out = place.out + at * written;
        make_words(row->k0, row->k1, block, words / 4, w);
        if (row->type == OWN && here == words / 4 * elements) {
            transform(row, w, words, out);
        } else {
            transform(row, w, words, part);
            if (row->type == OWN)
                memcpy(out, (char *)part + skipped * size, (size_t)(here * size));
            else
                round_all(row, (float *)part + skipped, here, (u16 *)out);
        }
        at += here;
        block += (u64)blocks;
        skipped = 0;
    }
}

static void draw_rows(const struct row *rows, const struct place *places, i64 count)
{
    _Alignas(64) u64 w[4 * CHUNK];
    _Alignas(64) double part[4 * CHUNK]; /* or 8 CHUNK floats */
    for (i64 i = 0; i < count; i++)
        draw_row(rows + i, places[i], w, part);
}

/* Draw a row into each of the arrays whose capsules are in a list, and return what `locate` returns;
   -2 if memory lacks. The interpreter's lock is held at the call, and given up while drawing. */
i64 EXPORT(draw)(const struct python *python, const struct row *rows, void *list, i64 count)
{
    struct place *places = malloc((size_t)count * sizeof *places);
    if (count && !places)
        return -2;
    i64 left_out = locate(python, list, count, places);
    if (left_out >= 0) {
        void *state = python->PyEval_SaveThread();
        draw_rows(rows, places, count);
        python->PyEval_RestoreThread(state);
    }
    free(places);
    return left_out;
}

#include "statistics.h"
#include "buckets.h"
