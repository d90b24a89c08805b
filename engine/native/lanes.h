/* Words of many consecutive blocks at once. Products of 64-bit numbers are the work: processors
   have no instruction for the upper halves of several, so they are made of smaller products. A
   product depends on the one before it, so several groups of lanes are computed side by side.

   In the first two rounds of a block, half of the counter is still zero: two products are saved. */

#if defined(__AVX512IFMA__) && defined(__AVX512DQ__) || defined(__AVX2__)
#include <immintrin.h>

#if defined(__AVX512IFMA__) && defined(__AVX512DQ__)
#define LANES 8
#define SIDE_BY_SIDE 4
typedef __m512i lanes;

INLINE lanes all(u64 x) { return _mm512_set1_epi64((long long)x); }
INLINE lanes from(u64 x) { return _mm512_add_epi64(all(x), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0)); }
INLINE lanes xor3(lanes a, lanes b, lanes c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }

/* c m = (c >> 52) m 2^52 + (c mod 2^52) m, from products of 52 bits (IFMA) and of 64. In `middle`,
   the sum of all that begins at 2^52, nothing is lost, because m < 2^64 - 2^60. */
INLINE void product(lanes c, u64 m, lanes *upper, lanes *lower)
{
    lanes top = _mm512_srli_epi64(c, 52), rest = _mm512_and_si512(c, all((1ull << 52) - 1));
    lanes middle = _mm512_mullo_epi64(rest, all(m >> 52));
    middle = _mm512_madd52lo_epu64(middle, top, all(m & 0xFFF));
    middle = _mm512_madd52hi_epu64(middle, c, all(m));
    *upper = _mm512_add_epi64(_mm512_mullo_epi64(top, all(m >> 12)), _mm512_srli_epi64(middle, 12));
    *lower = _mm512_mullo_epi64(c, all(m));
}

/* Write the blocks of all lanes, one after the other. */
INLINE void put(lanes c0, lanes c1, lanes c2, lanes c3, u64 *w)
{
    lanes a0 = _mm512_unpacklo_epi64(c0, c1), a1 = _mm512_unpackhi_epi64(c0, c1);
    lanes b0 = _mm512_unpacklo_epi64(c2, c3), b1 = _mm512_unpackhi_epi64(c2, c3);
    lanes s0 = _mm512_shuffle_i64x2(a0, b0, 0x44), s1 = _mm512_shuffle_i64x2(a0, b0, 0xEE);
    lanes t0 = _mm512_shuffle_i64x2(a1, b1, 0x44), t1 = _mm512_shuffle_i64x2(a1, b1, 0xEE);
    _mm512_storeu_si512(w, _mm512_shuffle_i64x2(s0, t0, 0x88));
    _mm512_storeu_si512(w + 8, _mm512_shuffle_i64x2(s0, t0, 0xDD));
    _mm512_storeu_si512(w + 16, _mm512_shuffle_i64x2(s1, t1, 0x88));
    _mm512_storeu_si512(w + 24, _mm512_shuffle_i64x2(s1, t1, 0xDD));
}
#else
#define LANES 4
#define SIDE_BY_SIDE 2
typedef __m256i lanes;

INLINE lanes all(u64 x) { return _mm256_set1_epi64x((long long)x); }
INLINE lanes from(u64 x) { return _mm256_add_epi64(all(x), _mm256_set_epi64x(3, 2, 1, 0)); }
INLINE lanes xor3(lanes a, lanes b, lanes c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }

/* From four products of 32 bits */
INLINE void product(lanes c, u64 m, lanes *upper, lanes *lower)
{
    lanes top = _mm256_srli_epi64(c, 32), m_low = all(m), m_top = all(m >> 32);
    lanes low = _mm256_mul_epu32(c, m_low), high = _mm256_mul_epu32(top, m_top);
    lanes one = _mm256_add_epi64(_mm256_mul_epu32(top, m_low), _mm256_srli_epi64(low, 32));
    lanes two = _mm256_add_epi64(_mm256_mul_epu32(c, m_top),
                                 _mm256_blend_epi32(one, _mm256_setzero_si256(), 0xAA));
    *upper = _mm256_add_epi64(_mm256_add_epi64(high, _mm256_srli_epi64(one, 32)),
                              _mm256_srli_epi64(two, 32));
    *lower = _mm256_blend_epi32(low, _mm256_slli_epi64(two, 32), 0xAA);
}

INLINE void put(lanes c0, lanes c1, lanes c2, lanes c3, u64 *w)
{
    lanes a0 = _mm256_unpacklo_epi64(c0, c1), a1 = _mm256_unpackhi_epi64(c0, c1);
    lanes b0 = _mm256_unpacklo_epi64(c2, c3), b1 = _mm256_unpackhi_epi64(c2, c3);
    _mm256_storeu_si256((lanes *)w, _mm256_permute2x128_si256(a0, b0, 0x20));
    _mm256_storeu_si256((lanes *)(w + 4), _mm256_permute2x128_si256(a1, b1, 0x20));
    _mm256_storeu_si256((lanes *)(w + 8), _mm256_permute2x128_si256(a0, b0, 0x31));
    _mm256_storeu_si256((lanes *)(w + 12), _mm256_permute2x128_si256(a1, b1, 0x31));
}
#endif

/* The words of `groups` times LANES blocks; `groups` is a constant where this is called. */
INLINE void lanes_of_words(u64 k0, u64 k1, u64 first, int groups, u64 *w)
{
    lanes c0[SIDE_BY_SIDE], c1[SIDE_BY_SIDE], c2[SIDE_BY_SIDE], c3[SIDE_BY_SIDE];
    u64 upper = mulhi(PHILOX_M0, k0), lower = PHILOX_M0 * k0; /* of the second round */
    for (int g = 0; g < groups; g++) {
        lanes u, l, v;
        product(from(first + 1 + (u64)(LANES * g)), PHILOX_M0, &u, &l);
        product(xor3(u, all(k1), all(0)), PHILOX_M1, &v, c1 + g);
        c0[g] = xor3(v, all(0), all(k0 + PHILOX_W0));
        c2[g] = xor3(l, all(upper), all(k1 + PHILOX_W1));
        c3[g] = all(lower);
    }
    k0 += 2 * PHILOX_W0;
    k1 += 2 * PHILOX_W1;
    for (int round = 2; round < 10; round++) {
        for (int g = 0; g < groups; g++) {
            lanes u0, l0, u1, l1;
            product(c0[g], PHILOX_M0, &u0, &l0);
            product(c2[g], PHILOX_M1, &u1, &l1);
            c0[g] = xor3(u1, c1[g], all(k0));
            c2[g] = xor3(u0, c3[g], all(k1));
            c1[g] = l1;
            c3[g] = l0;
        }
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    for (int g = 0; g < groups; g++)
        put(c0[g], c1[g], c2[g], c3[g], w + 4 * LANES * g);
}

/* Write the words of blocks first … first + blocks - 1; `blocks` is a multiple of 8. */
static void make_words(u64 k0, u64 k1, u64 first, i64 blocks, u64 *w)
{
    i64 i = 0, step = LANES * SIDE_BY_SIDE;
    for (; i + step <= blocks; i += step)
        lanes_of_words(k0, k1, first + (u64)i, SIDE_BY_SIDE, w + 4 * i);
    for (; i + 16 <= blocks; i += 16)
        lanes_of_words(k0, k1, first + (u64)i, SIDE_BY_SIDE / 2, w + 4 * i);
    for (; i < blocks; i += LANES)
        lanes_of_words(k0, k1, first + (u64)i, 1, w + 4 * i);
}
#else
static void make_words(u64 k0, u64 k1, u64 first, i64 blocks, u64 *w)
{
    for (i64 i = 0; i < blocks; i++)
        philox(k0, k1, first + (u64)i, w + 4 * i);
}
#endif
