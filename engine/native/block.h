/* The statistics of a block of elements: the one text that the host's compiler and NVIDIA's both
   read. stats/onepass/kernels.py has the same in NumPy.

   A block of 2^16 elements lies in 128 rows of 512. Element i of a row belongs to lane i; a lane is
   added row by row, and the lanes are then added in halves. All sums are of double, and every
   operation rounds once. Besides what transforms.h needs, the including file defines

     words floats      one u32 and float, or vectors of them
     bits_of numbers_of all_if
                       the bits of floats as words; integers as floats; a condition as words whose
                       bits are all set or all 0
     EACH_LANE(i, count)
                       a loop over the first lanes, each of which sees what all lanes wrote before */

#define BLOCK 65536
#define ROW 512
#define BINS 4096
#define NEGATIVE 2048 /* the first bin of the negative numbers */

/* Types of elements, besides FLOAT16 and BFLOAT16 */
enum { FLOAT32 = BFLOAT16 + 1, FLOAT64 };

/* One for each block; stats/onepass/record.py has the same fields. */
struct record { i64 finite, exponent; double low, high, sum, m2, m3, m4; };

/* --- elements */

INLINE i64 size_of(int type) { return type == FLOAT64 ? 8 : type == FLOAT32 ? 4 : 2; }

/* The bin of an element: its top 12 bits, of its top 16 */
INLINE int bin_of(u16 top) { return top >> 4; }

/* The infinite and NaN elements lie in this bin and the next ones, up to NEGATIVE, and so do the
   negative ones: all bits of the exponent are set. */
INLINE int first_nonfinite(int type) { return NEGATIVE - (type == FLOAT64 ? 1 : type == FLOAT16 ? 64 : 8); }

/* Whether an element is zero; `bits` is the type of its bits. */
#define IS_ZERO(element, bits) ((bits)((element) << 1) == 0)

/* The bits of finite float16 as those of float */
INLINE words of_float16(words half)
{
    words magnitude = half & 0x7FFFu, normal = (magnitude << 13) + (112u << 23);
    floats small = fmul(numbers_of(magnitude), 5.9604644775390625e-08f);
    words subnormal = all_if(magnitude < 0x400u);
    return (bits_of(small) & subnormal) | (normal & ~subnormal) | (half & 0x8000u) << 16;
}

/* --- the two steps of a lane, or of several side by side: `number` is double or a vector */

#define STEPS(number, first, smaller, larger, second)                                             \
    INLINE void first(number value, number *sum, number *low, number *high)                       \
    {                                                                                             \
        *sum = dadd(*sum, value);                                                                 \
        *low = smaller(value, *low);                                                              \
        *high = larger(value, *high);                                                             \
    }                                                                                             \
    INLINE void second(number value, number mean, number *m2, number *m3, number *m4)             \
    {                                                                                             \
        number distance = dsub(value, mean), square = dmul(distance, distance);                   \
        *m2 = dadd(*m2, square);                                                                  \
        *m3 = dadd(*m3, dmul(square, distance));                                                  \
        *m4 = dadd(*m4, dmul(square, square));                                                    \
    }

#define lesser(a, b) ((a) < (b) ? (a) : (b))
#define greater(a, b) ((a) > (b) ? (a) : (b))
STEPS(double, first_of_lane, lesser, greater, second_of_lane)

/* --- all lanes into the first one */

INLINE void add_lanes(double *of)
{
    for (int half = ROW / 2; half > 0; half /= 2)
        EACH_LANE(i, half)
            of[i] = dadd(of[i], of[i + half]);
}

INLINE void fold_extremes(double *low, double *high)
{
    for (int half = ROW / 2; half > 0; half /= 2)
        EACH_LANE(i, half) {
            low[i] = lesser(low[i + half], low[i]);
            high[i] = greater(high[i + half], high[i]);
        }
}

/* A figure of a record: its zero is positive. */
INLINE double figure(double x) { return dadd(x, 0.0); }
