/* Measuring on a GPU. block.h defines the statistics of a block.

   A block of the grid has a thread for each lane. It measures one block of elements after the other
   and counts all their bins in one table. */

#define words u32
#define floats float
#define bits_of(x) float_bits(x)
#define numbers_of(x) ((float)(i32)(x))
#define all_if(x) (0u - (u32)(x))
#define EACH_LANE(i, count) \
    for (int i = (__syncthreads(), (int)threadIdx.x); i < (count); i += ROW)

#include "block.h"

/* What the lanes write to be added; the second pass uses three of the places again. */
enum { SUM, LOW, HIGH, FINITE, M2 = LOW, M3, M4, PLACES };

/* An element as double; `type` is a constant where this is called. */
INLINE double number(int type, u64 element)
{
    if (type == FLOAT64)
        return bits_double(element);
    u32 low = (u32)element;
    return (double)bits_float(type == FLOAT32 ? low : type == FLOAT16 ? of_float16(low) : low << 16);
}

/* The first pass over 1 to BLOCK elements: count the bins, write what is added. The lane's zeros. */
template <int type, class bits>
INLINE u32 first_pass(const bits *x, int elements, double lanes[][ROW], u32 *bins)
{
    int lane = threadIdx.x, finite = 0;
    double sum = 0.0, low = number(type, x[0]), high = low;
    u32 zeros = 0;
    for (int i = lane; i < elements; i += ROW) {
        bits element = x[i];
        int bin = bin_of((u16)(element >> (8 * sizeof element - 16)));
        first_of_lane(number(type, element), &sum, &low, &high);
        atomicAdd(bins + bin, 1u);
        finite += bin % NEGATIVE < first_nonfinite(type);
        zeros += IS_ZERO(element, bits);
    }
    lanes[SUM][lane] = sum;
    lanes[LOW][lane] = low;
    lanes[HIGH][lane] = high;
    lanes[FINITE][lane] = finite;
    return zeros;
}

template <int type, class bits>
INLINE void second_pass(const bits *x, int elements, double mean, double lanes[][ROW])
{
    int lane = threadIdx.x;
    double m2 = 0.0, m3 = 0.0, m4 = 0.0;
    for (int i = lane; i < elements; i += ROW)
        second_of_lane(number(type, x[i]), mean, &m2, &m3, &m4);
    lanes[M2][lane] = m2;
    lanes[M3][lane] = m3;
    lanes[M4][lane] = m4;
}

/* 1 to BLOCK elements. Unless all of them are `finite`, the other figures mean nothing. No thread
   writes what another one may still read: the last steps of an addition read the first two lanes,
   and a barrier stands between them and the next pass. */
template <int type, class bits>
INLINE u32 block(const bits *x, int elements, double lanes[][ROW], u32 *bins, struct record *record)
{
    bool writes = threadIdx.x == 0;
    u32 zeros = first_pass<type>(x, elements, lanes, bins);
    add_lanes(lanes[SUM]);
    fold_extremes(lanes[LOW], lanes[HIGH]);
    add_lanes(lanes[FINITE]);
    __syncthreads();
    double sum = figure(lanes[SUM][0]);
    if (writes) {
        record->finite = (i64)lanes[FINITE][0];
        record->low = figure(lanes[LOW][0]);
        record->high = figure(lanes[HIGH][0]);
        record->sum = sum;
    }
    second_pass<type>(x, elements, ddiv(sum, (double)elements), lanes);
    add_lanes(lanes[M2]);
    add_lanes(lanes[M3]);
    add_lanes(lanes[M4]);
    if (writes) {
        record->m2 = figure(lanes[M2][0]);
        record->m3 = figure(lanes[M3][0]);
        record->m4 = figure(lanes[M4][0]);
    }
    __syncthreads();
    return zeros;
}

/* Measure 1 or more elements into `out`, which is all 0: the counts of the bins, the number of
   zeros, and a record for each block. */
template <int type, class bits>
INLINE void measured(const bits *x, u64 elements, u64 *out)
{
    __shared__ double lanes[PLACES][ROW];
    __shared__ u32 bins[BINS];
    struct record *records = (struct record *)(out + BINS + 1);
    u64 first = (u64)blockIdx.x * BLOCK, step = (u64)gridDim.x * BLOCK;
    u32 zeros = 0;
    EACH_LANE(bin, BINS)
        bins[bin] = 0;
    __syncthreads();
    for (u64 at = first; at < elements; at += step) {
        int here = elements - at < BLOCK ? (int)(elements - at) : BLOCK;
        zeros += block<type>(x + at, here, lanes, bins, records + at / BLOCK);
    }
    EACH_LANE(bin, BINS)
        if (bins[bin])
            atomicAdd(out + bin, (u64)bins[bin]);
    if (zeros)
        atomicAdd(out + BINS, (u64)zeros);
}

#define MEASURE(name, type, bits)                                                              \
    extern "C" __global__ void __launch_bounds__(ROW) measure_##name(const bits *x,            \
                                                                     u64 elements, u64 *out)   \
    {                                                                                          \
        measured<type>(x, elements, out);                                                      \
    }
MEASURE(float16, FLOAT16, u16)
MEASURE(bfloat16, BFLOAT16, u16)
MEASURE(float32, FLOAT32, u32)
MEASURE(float64, FLOAT64, u64)
