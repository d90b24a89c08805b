/* Counting elements in equal parts of a range, and picking those of some parts, with the results of
   stats/buckets.py. Sums and products are those of the elements' type. */

#define PLACED 256 /* elements whose places are computed together */

#define BUCKETS(type, suffix)                                                                  \
    SHARED void place_##suffix(const type *restrict x, i64 n, double low, double scale,        \
                               i32 last, i32 *restrict place)                                  \
    {                                                                                          \
        for (i64 i = 0; i < n; i++) {                                                          \
            i32 found = (i32)((x[i] - (type)low) * (type)scale);                               \
            found = found < last ? found : last;                                               \
            place[i] = found > 0 ? found : 0;                                                  \
        }                                                                                      \
    }                                                                                          \
    static void tally_##suffix(const type *x, i64 elements, double low, double scale,          \
                               i32 last, i32 *counts)                                          \
    {                                                                                          \
        i32 place[PLACED];                                                                     \
        for (i64 at = 0; at < elements; at += PLACED) {                                        \
            i64 n = elements - at < PLACED ? elements - at : PLACED;                           \
            place_##suffix(x + at, n, low, scale, last, place);                                \
            for (i64 i = 0; i < n; i++)                                                        \
                counts[place[i]]++;                                                            \
        }                                                                                      \
    }                                                                                          \
    static void pick_##suffix(const type *x, i64 elements, double low, double scale,           \
                              i32 last, const uint8_t *wanted, type *out)                      \
    {                                                                                          \
        i32 place[PLACED];                                                                     \
        for (i64 at = 0; at < elements; at += PLACED) {                                        \
            i64 n = elements - at < PLACED ? elements - at : PLACED;                           \
            place_##suffix(x + at, n, low, scale, last, place);                                \
            for (i64 i = 0; i < n; i++) {                                                      \
                *out = x[at + i];                                                              \
                out += wanted[place[i]];                                                       \
            }                                                                                  \
        }                                                                                      \
    }
BUCKETS(float, float)
BUCKETS(double, double)

/* Add to `counts` how many of the elements, float or double (`wide`), are in each bucket. Element x
   is in bucket (x - low) scale, rounded down, but in none beyond the `last`. */
void EXPORT(tally)(const void *x, i64 elements, int wide, double low, double scale, i32 last, i32 *counts)
{
    if (wide)
        tally_double(x, elements, low, scale, last, counts);
    else
        tally_float(x, elements, low, scale, last, counts);
}

/* Write the elements whose bucket is `wanted`, 0 or 1, in their order. `out` has a place more than
   there are of them. */
void EXPORT(pick)(const void *x, i64 elements, int wide, double low, double scale, i32 last,
                  const uint8_t *wanted, void *out)
{
    if (wide)
        pick_double(x, elements, low, scale, last, wanted, out);
    else
        pick_float(x, elements, low, scale, last, wanted, out);
}
