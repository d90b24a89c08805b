/* From words to values: the one text that the host's compiler and NVIDIA's both read.

   The formulas are those of streams/transforms.py and streams/wide.py, in the same order, and
   docs/streams.md states them. Every operation rounds once. The including file defines

     INLINE            how a function is declared
     fadd fsub fmul fdiv fsqrt, dadd dsub dmul ddiv dsqrt
                       one rounded operation on float (f) or double (d)
     float_bits bits_float double_bits bits_double
                       the bits of a number as an integer, and back
     mulhi mulhi32     the upper half of a product of two u64, of two u32
     double_of         a u32 as double

   and the types u16, u32, i32, u64, i64. Casts of integers that the type holds exactly, and of u32
   and i32 to float, round to nearest on both compilers. */

/* --- words: Philox4x64-10, Salmon et al. 2011 */

#define PHILOX_M0 0xD2E7470EE14C6C93ull
#define PHILOX_M1 0xCA5A826395121157ull
#define PHILOX_W0 0x9E3779B97F4A7C15ull
#define PHILOX_W1 0xBB67AE8584CAA73Bull

/* The four words of a block. Its counter is one higher than its number. */
INLINE void philox(u64 k0, u64 k1, u64 block, u64 *w)
{
    u64 c0 = block + 1, c1 = 0, c2 = 0, c3 = 0;
    for (int round = 0; round < 10; round++) {
        u64 upper0 = mulhi(PHILOX_M0, c0), lower0 = PHILOX_M0 * c0;
        u64 upper1 = mulhi(PHILOX_M1, c2), lower1 = PHILOX_M1 * c2;
        c0 = upper1 ^ c1 ^ k0; c1 = lower1; c2 = upper0 ^ c3 ^ k1; c3 = lower0;
        k0 += PHILOX_W0; k1 += PHILOX_W1;
    }
    w[0] = c0; w[1] = c1; w[2] = c2; w[3] = c3;
}

/* --- float: two values from each word */

/* The constants of a distribution, see streams/distribution.py. */
struct narrow { float c0, c1, c2, c3; u64 base, span; };
struct wide { double c0, c1, c2, c3; u64 base, span; };

INLINE float scaled32(float z, struct narrow d)
{
    float product = fmul(z, d.c0);
    return d.c1 != 0.0f ? fadd(product, d.c1) : product;
}

/* -2 ln(f / 2^32) for f in (0, 2^32] */
INLINE float minus_two_log(float f)
{
    u32 bits = float_bits(f), exponent = (bits - 0x4F3504F3u) & 0xFF800000u;
    float m = bits_float(bits - exponent), two32 = 4294967296.0f;
    float s = fdiv(fsub(m, two32), fadd(m, two32)), q = fmul(s, s);
    float p = fadd(fmul(q, -0.8259274363517761f), -1.3330445289611816f);
    p = fmul(fadd(fmul(p, q), -4.000000476837158f), s);
    return fadd(fmul((float)(i32)exponent, -1.6525916635146132e-07f), p);
}

INLINE float one_uniform32(u32 word, struct narrow d)
{
    float value = fadd(fmul(fmul((float)(word >> 8), 5.9604644775390625e-08f), d.c0), d.c1);
    return value < d.c2 ? value : d.c2;
}

INLINE void uniform32(u64 word, struct narrow d, float *v)
{
    v[0] = one_uniform32((u32)word, d);
    v[1] = one_uniform32((u32)(word >> 32), d);
}

INLINE void normal32(u64 word, struct narrow d, float *v)
{
    u32 low = (u32)word, high = (u32)(word >> 32);
    float r = fsqrt(minus_two_log((float)(low | 1u)));
    r = bits_float(float_bits(r) ^ (high << 31));
    float x = fmul((float)(i32)high, 4.656612873077393e-10f), y = fmul(x, x);
    float q = fadd(fmul(fadd(y, -71.6337890625f), y), 270.61944580078125f);
    float p = fmul(fadd(fmul(y, -12.55836296081543f), 212.5440216064453f), x);
    float t = fdiv(p, q);
    float h = fmul(fdiv(r, fadd(fmul(t, t), 1.0f)), t), z = fadd(h, h);
    v[0] = scaled32(fsub(r, fmul(z, t)), d);
    v[1] = scaled32(z, d);
}

INLINE float one_truncated32(u32 word, struct narrow d)
{
    /* word * span >> 32; span is 2^32 or less */
    u32 part = mulhi32(word, (u32)d.span) + (d.span >> 32 ? word : 0u);
    u32 s = part + (u32)d.base, flip = 0u - (s >> 31);
    float r2 = minus_two_log((float)~((s ^ flip) << 1)), r = fsqrt(r2);
    float top = fadd(fmul(r, 1.0026906728744507f), 2.793407678604126f);
    top = fadd(fmul(top, r), 3.3665943145751953f);
    top = fadd(fmul(top, r), 3.2119736671447754f);
    float bottom = fadd(fmul(fadd(r, 2.899179697036743f), r), 5.747257232666016f);
    bottom = fadd(fmul(bottom, r), 5.371740818023682f);
    bottom = fadd(fmul(bottom, r), 5.125574111938477f);
    float z = fdiv(fmul(top, r2), bottom);
    z = bits_float(float_bits(z) ^ (flip & 0x80000000u));
    z = z > d.c2 ? z : d.c2;
    z = z < d.c3 ? z : d.c3;
    return scaled32(z, d);
}

INLINE void truncated32(u64 word, struct narrow d, float *v)
{
    v[0] = one_truncated32((u32)word, d);
    v[1] = one_truncated32((u32)(word >> 32), d);
}

/* --- double: a value from each word, two words at a time */

INLINE double scaled64(double z, struct wide d)
{
    double product = dmul(z, d.c0);
    return d.c1 != 0.0 ? dadd(product, d.c1) : product;
}

INLINE double log_series(double x)
{
    double total = 0.09523809523809523;
    total = dadd(dmul(total, x), 0.10526315789473684);
    total = dadd(dmul(total, x), 0.11764705882352941);
    total = dadd(dmul(total, x), 0.13333333333333333);
    total = dadd(dmul(total, x), 0.15384615384615385);
    total = dadd(dmul(total, x), 0.18181818181818182);
    total = dadd(dmul(total, x), 0.2222222222222222);
    total = dadd(dmul(total, x), 0.2857142857142857);
    total = dadd(dmul(total, x), 0.4);
    total = dadd(dmul(total, x), 0.6666666666666666);
    total = dadd(dmul(total, x), 2.0);
    return total;
}

INLINE double natural_log(double x)
{
    u64 bits = double_bits(x), exponent = (bits - 0x3FE6A09E667F3BCDull) & 0xFFF0000000000000ull;
    double m = bits_double(bits - exponent), e = (double)((i32)(exponent >> 32) >> 20);
    double s = ddiv(dsub(m, 1.0), dadd(m, 1.0));
    double rest = dadd(dmul(e, 1.9082149292705877e-10), dmul(s, log_series(dmul(s, s))));
    return dadd(dmul(e, 0.6931471803691238), rest);
}

/* A number below 2^53, exactly */
INLINE double whole(u64 n)
{
    return dadd(dmul(double_of((u32)(n >> 32)), 4294967296.0), double_of((u32)n));
}

INLINE double one_uniform64(u64 word, struct wide d)
{
    double u = dmul(whole(word >> 11), 1.1102230246251565e-16);
    double value = dadd(dmul(u, d.c0), d.c1);
    return value < d.c2 ? value : d.c2;
}

INLINE void uniform64(u64 first, u64 second, struct wide d, double *v)
{
    v[0] = one_uniform64(first, d);
    v[1] = one_uniform64(second, d);
}

INLINE double sine_series(double x)
{
    double total = -8.22063524662433e-18;
    total = dadd(dmul(total, x), 2.8114572543455206e-15);
    total = dadd(dmul(total, x), -7.647163731819816e-13);
    total = dadd(dmul(total, x), 1.6059043836821613e-10);
    total = dadd(dmul(total, x), -2.505210838544172e-08);
    total = dadd(dmul(total, x), 2.7557319223985893e-06);
    total = dadd(dmul(total, x), -0.0001984126984126984);
    total = dadd(dmul(total, x), 0.008333333333333333);
    total = dadd(dmul(total, x), -0.16666666666666666);
    total = dadd(dmul(total, x), 1.0);
    return total;
}

INLINE double cosine_series(double x)
{
    double total = -1.5619206968586225e-16;
    total = dadd(dmul(total, x), 4.779477332387385e-14);
    total = dadd(dmul(total, x), -1.1470745597729725e-11);
    total = dadd(dmul(total, x), 2.08767569878681e-09);
    total = dadd(dmul(total, x), -2.755731922398589e-07);
    total = dadd(dmul(total, x), 2.48015873015873e-05);
    total = dadd(dmul(total, x), -0.001388888888888889);
    total = dadd(dmul(total, x), 0.041666666666666664);
    total = dadd(dmul(total, x), -0.5);
    total = dadd(dmul(total, x), 1.0);
    return total;
}

INLINE void normal64(u64 low, u64 high, struct wide d, double *v)
{
    double u = dmul(whole((low >> 11) | 1u), 1.1102230246251565e-16);
    double r = dsqrt(dmul(-2.0, natural_log(u)));
    double steps = dsub(whole((high >> 9) & 0x1FFFFFFFFFFFFFull), 4503599627370496.0);
    double angle = dmul(dmul(steps, 1.1102230246251565e-16), 1.5707963267948966);
    double square = dmul(angle, angle);
    double s = dmul(angle, sine_series(square)), c = cosine_series(square);
    u64 odd = (high >> 62) & 1u, back = (high >> 63) << 63;
    double x = odd ? -s : c, y = odd ? c : s;
    v[0] = scaled64(dmul(r, bits_double(double_bits(x) ^ back)), d);
    v[1] = scaled64(dmul(r, bits_double(double_bits(y) ^ back)), d);
}

/* c 2^-65: the sum of two exact halves, rounded once */
INLINE double small_part(u64 c)
{
    double upper = double_of((u32)(c >> 32)), lower = double_of((u32)c);
    return dmul(dadd(dmul(upper, 4294967296.0), lower), 2.710505431213761e-20);
}

/* Wichura's algorithm AS 241: the polynomials of three ranges, chosen coefficient by coefficient */
#define ONE_OF(central, middle, far) (where == 0 ? (central) : where == 1 ? (middle) : (far))

INLINE double quantile_top(double x, int where)
{
    double total = ONE_OF(2509.0809287301227, 0.0007745450142783414, 2.0103343992922881e-07);
    total = dadd(dmul(total, x), ONE_OF(33430.57558358813, 0.022723844989269184, 2.7115555687434876e-05));
    total = dadd(dmul(total, x), ONE_OF(67265.7709270087, 0.2417807251774506, 0.0012426609473880784));
    total = dadd(dmul(total, x), ONE_OF(45921.95393154987, 1.2704582524523684, 0.026532189526576124));
    total = dadd(dmul(total, x), ONE_OF(13731.69376550946, 3.6478483247632045, 0.29656057182850487));
    total = dadd(dmul(total, x), ONE_OF(1971.5909503065513, 5.769497221460691, 1.7848265399172913));
    total = dadd(dmul(total, x), ONE_OF(133.14166789178438, 4.630337846156546, 5.463784911164114));
    total = dadd(dmul(total, x), ONE_OF(3.3871328727963665, 1.4234371107496835, 6.657904643501103));
    return total;
}

INLINE double quantile_bottom(double x, int where)
{
    double total = ONE_OF(5226.495278852546, 1.0507500716444169e-09, 2.0442631033899397e-15);
    total = dadd(dmul(total, x), ONE_OF(28729.085735721943, 0.0005475938084995345, 1.421511758316446e-07));
    total = dadd(dmul(total, x), ONE_OF(39307.89580009271, 0.015198666563616457, 1.8463183175100548e-05));
    total = dadd(dmul(total, x), ONE_OF(21213.794301586597, 0.14810397642748008, 0.0007868691311456133));
    total = dadd(dmul(total, x), ONE_OF(5394.196021424751, 0.6897673349851, 0.014875361290850615));
    total = dadd(dmul(total, x), ONE_OF(687.1870074920579, 1.6763848301838038, 0.1369298809227358));
    total = dadd(dmul(total, x), ONE_OF(42.31333070160091, 2.053191626637759, 0.599832206555888));
    total = dadd(dmul(total, x), ONE_OF(1.0, 1.0, 1.0));
    return total;
}

/* mulhi, of products that vector instructions have */
INLINE u64 upper_half(u64 a, u64 b)
{
    u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
    u64 one = a1 * b0 + (a0 * b0 >> 32), two = a0 * b1 + (u32)one;
    return a1 * b1 + (one >> 32) + (two >> 32);
}

INLINE double one_truncated64(u64 word, struct wide d)
{
    u64 s = (d.span != 0 ? upper_half(word, d.span) : word) + d.base, negative = s >> 63;
    u64 doubled = (negative ? ~s : s) << 1;
    double q = small_part(doubled | 1u), r = dsqrt(-natural_log(small_part(~doubled)));
    int where = q <= 0.425 ? 0 : r <= 5.0 ? 1 : 2;
    double x = where == 0 ? dsub(0.180625, dmul(q, q)) : where == 1 ? dsub(r, 1.6) : dsub(r, 5.0);
    double ratio = ddiv(quantile_top(x, where), quantile_bottom(x, where));
    double z = where == 0 ? dmul(q, ratio) : ratio;
    z = negative ? -z : z;
    z = z > d.c2 ? z : d.c2;
    z = z < d.c3 ? z : d.c3;
    return scaled64(z, d);
}

INLINE void truncated64(u64 first, u64 second, struct wide d, double *v)
{
    v[0] = one_truncated64(first, d);
    v[1] = one_truncated64(second, d);
}

/* --- narrower numbers: float rounded to nearest, ties to even; x is finite */

INLINE u16 to_float16(float x)
{
    u32 bits = float_bits(x), magnitude = bits & 0x7FFFFFFFu;
    u32 normal = (magnitude - 0x38000000u + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13;
    u32 subnormal = float_bits(fadd(bits_float(magnitude), 0.5f)) - 0x3F000000u;
    u32 half = magnitude < 0x38800000u ? subnormal : normal;
    return (u16)(((bits >> 16) & 0x8000u) | (half < 0x7C00u ? half : 0x7C00u));
}

INLINE u16 to_bfloat16(float x)
{
    u32 bits = float_bits(x);
    return (u16)((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

/* What a float is rounded to, as Python numbers it */
enum { OWN, FLOAT16, BFLOAT16 };

/* x within [low, high], which are numbers of the type */
INLINE u16 rounded_to(u64 type, float x, float low, float high)
{
    x = x < low ? low : x;
    x = x > high ? high : x;
    return type == FLOAT16 ? to_float16(x) : to_bfloat16(x);
}
