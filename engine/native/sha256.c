/* SHA-256 of two messages at once, by the processor's SHA instructions. A round waits for the one
   before it; the rounds of another message fit in between. Source: FIPS 180-4. */

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define SIDE_BY_SIDE 2
#define BLOCK 64 /* bytes */

_Alignas(16) static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Words a … h of each message, as the instructions want them: a, b, e, f and c, d, g, h from the
   highest to the lowest word. */
struct state { __m128i abef[SIDE_BY_SIDE], cdgh[SIDE_BY_SIDE]; };

static void begin(struct state *s)
{
    for (int i = 0; i < SIDE_BY_SIDE; i++) {
        s->abef[i] = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
        s->cdgh[i] = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
    }
}

/* Words of a message are big-endian. */
static __m128i reversed(__m128i words)
{
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

static void add_blocks(struct state *s, const uint8_t *const message[SIDE_BY_SIDE], int64_t blocks)
{
    for (int64_t at = 0; at < blocks; at++) {
        struct state before = *s;
        __m128i w[SIDE_BY_SIDE][4];
        for (int i = 0; i < SIDE_BY_SIDE; i++)
            for (int k = 0; k < 4; k++)
                w[i][k] = reversed(_mm_loadu_si128((const __m128i *)(message[i] + BLOCK * at) + k));
#pragma GCC unroll 16
        for (int four = 0; four < 16; four++) { /* rounds */
#pragma GCC unroll 2
            for (int i = 0; i < SIDE_BY_SIDE; i++) {
                __m128i now = w[i][four % 4], next = w[i][(four + 1) % 4];
                __m128i third = w[i][(four + 2) % 4], last = w[i][(four + 3) % 4];
                __m128i added = _mm_add_epi32(now, _mm_load_si128((const __m128i *)constants + four));
                s->cdgh[i] = _mm_sha256rnds2_epu32(s->cdgh[i], s->abef[i], added);
                s->abef[i] = _mm_sha256rnds2_epu32(s->abef[i], s->cdgh[i], _mm_shuffle_epi32(added, 0x0E));
                if (four < 12)
                    w[i][four % 4] = _mm_sha256msg2_epu32(
                        _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8(last, third, 4)), last);
            }
        }
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            s->abef[i] = _mm_add_epi32(s->abef[i], before.abef[i]);
            s->cdgh[i] = _mm_add_epi32(s->cdgh[i], before.cdgh[i]);
        }
    }
}

static void write_digest(__m128i abef, __m128i cdgh, uint8_t *to)
{
    __m128i first = _mm_shuffle_epi32(abef, 0x1B), second = _mm_shuffle_epi32(cdgh, 0x1B);
    _mm_storeu_si128((__m128i *)to, reversed(_mm_unpacklo_epi64(first, second)));
    _mm_storeu_si128((__m128i *)to + 1, reversed(_mm_unpackhi_epi64(first, second)));
}

/* Write the digests, 32 bytes each, of `pairs` times two messages that lie one after the other. Each
   has `bytes` bytes, a multiple of 64. */
EXPORT void hash_pairs(const uint8_t *messages, int64_t bytes, int64_t pairs, uint8_t *digests)
{
    uint8_t end[BLOCK] = {0x80};
    for (int k = 0; k < 8; k++)
        end[BLOCK - 1 - k] = (uint8_t)((uint64_t)bytes * 8 >> 8 * k);
    for (; pairs > 0; pairs--, messages += 2 * bytes, digests += 64) {
        const uint8_t *const both[] = {messages, messages + bytes}, *const ends[] = {end, end};
        struct state s;
        begin(&s);
        add_blocks(&s, both, bytes / BLOCK);
        add_blocks(&s, ends, 1);
        for (int i = 0; i < SIDE_BY_SIDE; i++)
            write_digest(s.abef[i], s.cdgh[i], digests + 32 * i);
    }
}
