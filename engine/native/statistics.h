/* Measuring on the host. block.h defines the statistics of a block.

   Both passes over a block take some rows at a time, with the sums of some lanes in registers. Each
   counts the bins of some rows meanwhile, because counting and adding use different parts of a
   processor; the second one counts more, because the first one waits for memory too. The second one
   fetches the next block from memory. */

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h> /* a tenth of the other one's time to compile */
#endif

/* One copy for all types of elements */
#define SHARED static __attribute__((noinline))

#define COUNTERS 4 /* of each bin: a processor waits when it adds to one that it just wrote */

#if defined(__AVX512F__)
#define WIDTH 8
#elif defined(__AVX2__)
#define WIDTH 4
#else
#define WIDTH 2
#endif

typedef double doubles __attribute__((vector_size(8 * WIDTH)));
typedef i64 longs __attribute__((vector_size(8 * WIDTH)));
typedef float floats __attribute__((vector_size(4 * WIDTH)));
typedef i32 ints __attribute__((vector_size(4 * WIDTH)));
typedef u32 words __attribute__((vector_size(4 * WIDTH)));
typedef u16 shorts __attribute__((vector_size(2 * WIDTH)));

#define bits_of(x) ((words)(x))
#define numbers_of(x) __builtin_convertvector((ints)(x), floats)
#define all_if(x) ((words)(x))
#define EACH_LANE(i, count) for (int i = 0; i < (count); i++)

#include "block.h"

struct bin { u32 counts[COUNTERS]; };

struct measuring {
    doubles sum[ROW / WIDTH], low[ROW / WIDTH], high[ROW / WIDTH];
    doubles m2[ROW / WIDTH], m3[ROW / WIDTH], m4[ROW / WIDTH];
    struct bin bins[BINS];
};

/* --- elements as double; `type` is a constant where these are called */

#if WIDTH == 8
#define widened(x) _mm512_cvtps_pd(x)
#define smaller(a, b) _mm512_min_pd(a, b)
#define larger(a, b) _mm512_max_pd(a, b)
#elif WIDTH == 4
#define widened(x) _mm256_cvtps_pd(x)
#define smaller(a, b) _mm256_min_pd(a, b)
#define larger(a, b) _mm256_max_pd(a, b)
#elif defined(__SSE2__)
#define widened(x) _mm_cvtps_pd((__m128)(longs){(i64)(x), 0})
#define smaller(a, b) _mm_min_pd(a, b)
#define larger(a, b) _mm_max_pd(a, b)
#else
#define widened(x) __builtin_convertvector(x, doubles)
INLINE doubles either(longs first, doubles a, doubles b)
{
    return (doubles)(((longs)a & first) | ((longs)b & ~first));
}
#define smaller(a, b) either((a) < (b), a, b)
#define larger(a, b) either((a) > (b), a, b)
#endif

STEPS(doubles, first_of_lanes, smaller, larger, second_of_lanes)

/* Rows taken at a time. Rows of double lie 4096 bytes apart, which a cache can hold few of. */
INLINE int rows_of(int type) { return type == FLOAT64 ? 4 : 8; }

INLINE doubles load(int type, const char *x)
{
    doubles wide;
    floats narrow;
    shorts half;
    if (type == FLOAT64) {
        memcpy(&wide, x, sizeof wide);
        return wide;
    }
    if (type == FLOAT32) {
        memcpy(&narrow, x, sizeof narrow);
        return widened(narrow);
    }
    memcpy(&half, x, sizeof half);
#if WIDTH == 8
    words bits = (words)_mm256_cvtepu16_epi32((__m128i)half);
#else
    words bits = __builtin_convertvector(half, words);
#endif
    return widened((floats)(type == FLOAT16 ? of_float16(bits) : bits << 16));
}

/* Count the bins of `elements` elements. */
INLINE void count(int type, const char *x, i64 elements, int row, struct bin *restrict bins)
{
    for (i64 k = 0; k < elements; k++) {
        u16 top;
        memcpy(&top, x + (k + 1) * size_of(type) - 2, 2);
        bins[bin_of(top)].counts[(k + row / 2 * WIDTH) % COUNTERS]++;
    }
}

/* --- two passes over some rows */

INLINE void first_rows(int type, const char *restrict x, struct measuring *restrict m)
{
    for (int i = 0; i < ROW / WIDTH; i++) {
        doubles sum = m->sum[i], low = m->low[i], high = m->high[i];
#pragma GCC unroll 8
        for (int row = 0; row < rows_of(type); row++) {
            const char *here = x + (row * ROW + i * WIDTH) * size_of(type);
            first_of_lanes(load(type, here), &sum, &low, &high);
            if (row % 3 == 0)
                count(type, here, WIDTH, row, m->bins);
        }
        m->sum[i] = sum; m->low[i] = low; m->high[i] = high;
    }
}

INLINE void second_rows(int type, double mean, const char *restrict x, struct measuring *restrict m)
{
    for (int i = 0; i < ROW / WIDTH; i++) {
        doubles m2 = m->m2[i], m3 = m->m3[i], m4 = m->m4[i];
        i64 bytes = rows_of(type) * WIDTH * size_of(type); /* of one turn; fetching beyond the end is no error */
        for (i64 at = 0; at < bytes; at += 64)
            __builtin_prefetch((char *)((uintptr_t)x + (uintptr_t)(BLOCK * size_of(type) + i * bytes + at)), 0, 2);
#pragma GCC unroll 8
        for (int row = 0; row < rows_of(type); row++) {
            const char *here = x + (row * ROW + i * WIDTH) * size_of(type);
            second_of_lanes(load(type, here), mean + (doubles){0}, &m2, &m3, &m4);
            if (row % 3 != 0)
                count(type, here, WIDTH, row, m->bins);
        }
        m->m2[i] = m2; m->m3[i] = m3; m->m4[i] = m4;
    }
}

/* --- the same two passes over what is left: one row, or the beginning of one, as double */

INLINE void widen(int type, const char *x, i64 elements, double *to)
{
    for (i64 i = 0; i < elements; i += WIDTH) {
        char part[8 * WIDTH] = {0};
        i64 here = elements - i < WIDTH ? elements - i : WIDTH;
        memcpy(part, x + i * size_of(type), (size_t)(here * size_of(type)));
        doubles values = load(type, part);
        memcpy(to + i, &values, sizeof values);
    }
}

SHARED void first_rest(const double *restrict values, i64 elements, struct measuring *restrict m)
{
    double *sum = (double *)m->sum, *low = (double *)m->low, *high = (double *)m->high;
    EACH_LANE(i, elements)
        first_of_lane(values[i], sum + i, low + i, high + i);
}

SHARED void second_rest(const double *restrict values, i64 elements, double mean, struct measuring *restrict m)
{
    double *m2 = (double *)m->m2, *m3 = (double *)m->m3, *m4 = (double *)m->m4;
    EACH_LANE(i, elements)
        second_of_lane(values[i], mean, m2 + i, m3 + i, m4 + i);
}

/* --- blocks */

/* The sum of all lanes */
SHARED double folded(doubles *of)
{
    add_lanes((double *)of);
    return figure(of[0][0]);
}

/* The extremes of all lanes */
SHARED void extremes(struct measuring *m, struct record *record)
{
    fold_extremes((double *)m->low, (double *)m->high);
    record->low = figure(m->low[0][0]);
    record->high = figure(m->high[0][0]);
}

/* The infinite and NaN elements counted so far */
SHARED i64 nonfinite(int type, const struct bin *bins)
{
    i64 found = 0;
    for (int bin = first_nonfinite(type); bin < NEGATIVE; bin++)
        for (int k = 0; k < COUNTERS; k++)
            found += (i64)bins[bin].counts[k] + bins[NEGATIVE + bin].counts[k];
    return found;
}

/* 1 to BLOCK elements. Unless all of them are `finite`, the other figures mean nothing. */
INLINE void block(int type, i64 elements, const char *x, struct measuring *m, struct record *record)
{
    i64 together = rows_of(type) * ROW, whole = elements / together * together, at;
    i64 counted = nonfinite(type, m->bins);
    double row[ROW], mean;
    widen(type, x, 1, row);
    memset(m, 0, offsetof(struct measuring, bins));
    for (int i = 0; i < ROW / WIDTH; i++)
        m->low[i] = m->high[i] = row[0] + (doubles){0};
    for (at = 0; at < whole; at += together)
        first_rows(type, x + at * size_of(type), m);
    for (; at < elements; at += ROW) {
        i64 here = elements - at < ROW ? elements - at : ROW;
        widen(type, x + at * size_of(type), here, row);
        first_rest(row, here, m);
        count(type, x + at * size_of(type), here, 0, m->bins);
    }
    extremes(m, record);
    record->sum = folded(m->sum);
    mean = ddiv(record->sum, (double)elements);
    for (at = 0; at < whole; at += together)
        second_rows(type, mean, x + at * size_of(type), m);
    for (; at < elements; at += ROW) {
        i64 here = elements - at < ROW ? elements - at : ROW;
        widen(type, x + at * size_of(type), here, row);
        second_rest(row, here, mean, m);
    }
    record->m2 = folded(m->m2);
    record->m3 = folded(m->m3);
    record->m4 = folded(m->m4);
    record->exponent = 0;
    record->finite = elements - (nonfinite(type, m->bins) - counted);
}

#define COUNT_ZEROS(bits)                                   \
    for (i64 i = 0; i < elements; i++) {                    \
        bits element;                                       \
        memcpy(&element, x + i * size_of(type), sizeof element); \
        found += IS_ZERO(element, bits);                    \
    }

INLINE i64 zeros(int type, i64 elements, const char *x)
{
    i64 found = 0;
    if (type == FLOAT64)
        COUNT_ZEROS(u64)
    else if (type == FLOAT32)
        COUNT_ZEROS(u32)
    else
        COUNT_ZEROS(u16)
    return found;
}

/* Add the counters of each bin; return the number of elements that may be zero. */
SHARED i64 reduced(const struct bin *bins, i64 *histogram)
{
    for (int bin = 0; bin < BINS; bin++) {
        histogram[bin] = 0;
        for (int k = 0; k < COUNTERS; k++)
            histogram[bin] += bins[bin].counts[k];
    }
    return histogram[0] + histogram[NEGATIVE];
}

INLINE i64 measured(int type, const char *x, i64 elements, i64 *histogram, struct record *records)
{
    struct measuring m;
    memset(m.bins, 0, sizeof m.bins);
    for (i64 at = 0; at < elements; at += BLOCK)
        block(type, elements - at < BLOCK ? elements - at : BLOCK, x + at * size_of(type), &m, records++);
    return reduced(m.bins, histogram) ? zeros(type, elements, x) : 0;
}

#define MEASURED(type)                                                                          \
    SHARED i64 measured_##type(const char *x, i64 n, i64 *h, struct record *r) \
    {                                                                                           \
        return measured(type, x, n, h, r);                                                      \
    }
MEASURED(FLOAT16)
MEASURED(BFLOAT16)
MEASURED(FLOAT32)
MEASURED(FLOAT64)

/* Measure 1 or more elements. Write 4096 counts and a record for each block, and return the number
   of zeros. */
i64 EXPORT(measure)(const char *x, i64 elements, int type, i64 *histogram, struct record *records)
{
    switch (type) {
    case FLOAT16: return measured_FLOAT16(x, elements, histogram, records);
    case BFLOAT16: return measured_BFLOAT16(x, elements, histogram, records);
    case FLOAT32: return measured_FLOAT32(x, elements, histogram, records);
    default: return measured_FLOAT64(x, elements, histogram, records);
    }
}
