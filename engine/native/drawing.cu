/* Drawing on a GPU: a thread draws the elements of one block of words after the other. */

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
INLINE void store(u16 *out, const u16 *v)
{
    *(uint4 *)out = make_uint4(v[0] | (u32)v[1] << 16, v[2] | (u32)v[3] << 16,
                               v[4] | (u32)v[5] << 16, v[6] | (u32)v[7] << 16);
}

/* Write those of a block's elements that were asked for: 16 bytes at a time where all were and they
   lie at such an address, else one by one. */
template <int elements, class number>
INLINE void put(number *out, const number *v, u64 block, u64 start, u64 count)
{
    u64 first = block * elements, at = first - start;
    if (first >= start && at + elements <= count && ((u64)(out + at) & 15) == 0) {
        for (int i = 0; i < elements; i += 16 / (int)sizeof(number))
            store(out + at + i, v + i);
    } else {
        for (int i = 0; i < elements; i++)
            if (first + i >= start && first + i - start < count)
                out[at + i] = v[i];
    }
}

/* A thread makes the words of one block after the other. */
#define FOR_BLOCKS(elements)                                                              \
    u64 last = (start + count - 1) / elements, step = (u64)gridDim.x * blockDim.x;        \
    for (u64 block = start / elements + (u64)blockIdx.x * blockDim.x + threadIdx.x; block <= last; \
         block += step)

#define NARROW_KERNEL(name)                                                                      \
    extern "C" __global__ void draw_##name(u64 k0, u64 k1, u64 start, u64 count, float c0,       \
                                           float c1, float c2, float c3, u64 base, u64 span,     \
                                           u64 type, float low, float high, void *out)           \
    {                                                                                            \
        narrow d = {c0, c1, c2, c3, base, span};                                                 \
        FOR_BLOCKS(8) {                                                                          \
            u64 w[4];                                                                            \
            float v[8];                                                                          \
            u16 rounded[8];                                                                      \
            philox(k0, k1, block, w);                                                            \
            name##_block(w, d, v);                                                               \
            if (type == OWN) {                                                                   \
                put<8>((float *)out, v, block, start, count);                                    \
            } else {                                                                             \
                for (int i = 0; i < 8; i++)                                                      \
                    rounded[i] = rounded_to(type, v[i], low, high);                              \
                put<8>((u16 *)out, rounded, block, start, count);                                \
            }                                                                                    \
        }                                                                                        \
    }
#define WIDE_KERNEL(name)                                                                        \
    extern "C" __global__ void draw_##name(u64 k0, u64 k1, u64 start, u64 count, double c0,      \
                                           double c1, double c2, double c3, u64 base, u64 span,  \
                                           void *out)                                            \
    {                                                                                            \
        wide d = {c0, c1, c2, c3, base, span};                                                   \
        FOR_BLOCKS(4) {                                                                          \
            u64 w[4];                                                                            \
            double v[4];                                                                         \
            philox(k0, k1, block, w);                                                            \
            name##_block(w, d, v);                                                               \
            put<4>((double *)out, v, block, start, count);                                       \
        }                                                                                        \
    }
NARROW_KERNEL(uniform32)
NARROW_KERNEL(normal32)
NARROW_KERNEL(truncated32)
WIDE_KERNEL(uniform64)
WIDE_KERNEL(normal64)
WIDE_KERNEL(truncated64)
