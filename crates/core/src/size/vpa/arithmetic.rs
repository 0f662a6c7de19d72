//! Go's arithmetic, bit for bit: what upstream computes with (`src/math` of Go 1.26 on amd64, which fuses no
//! multiplication with an addition). Other libraries round the last bit otherwise, and a value at the border of a bucket
//! then falls into its neighbour.
#![expect(
    clippy::excessive_precision,
    clippy::inconsistent_digit_grouping,
    clippy::many_single_char_names,
    reason = "digits and names are those of the source, to be compared with it"
)]

const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;

/// A normal, positive number as a fraction from 0.5 up to 1 and a power of two (`frexp.go`).
fn fraction(x: f64) -> (f64, i32) {
    const BIAS: i32 = 1022;
    let bits = x.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7FF).unwrap_or_default() - BIAS;
    (f64::from_bits(bits & !(0x7FF << 52) | (1022 << 52)), exponent)
}

/// The number times a power of two (`ldexp.go`): exact but where the result is below the smallest normal number.
pub(super) fn scaled(x: f64, exponent: i32) -> f64 {
    let (mut x, mut left) = (x, exponent.clamp(-4200, 4200));
    // Steps that stay normal as long as they can, so that nothing is rounded twice.
    while left > 1000 {
        x *= 2_f64.powi(1000);
        left -= 1000;
    }
    while left < -900 {
        x *= 2_f64.powi(-900);
        left += 900;
    }
    x * f64::from_bits(u64::try_from(1023 + left).unwrap_or_default() << 52)
}

/// The natural logarithm of a positive, normal number (`log.go`, `log_amd64.s`).
pub(super) fn logarithm(x: f64) -> f64 {
    const L1: f64 = 6.666_666_666_666_735_130e-01;
    const L2: f64 = 3.999_999_999_940_941_908e-01;
    const L3: f64 = 2.857_142_874_366_239_149e-01;
    const L4: f64 = 2.222_219_843_214_978_396e-01;
    const L5: f64 = 1.818_357_216_161_805_012e-01;
    const L6: f64 = 1.531_383_769_920_937_332e-01;
    const L7: f64 = 1.479_819_860_511_658_591e-01;
    let (mut f1, mut exponent) = fraction(x);
    if f1 < std::f64::consts::FRAC_1_SQRT_2 {
        f1 *= 2.0;
        exponent -= 1;
    }
    let f = f1 - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// 2 to the power of `x` (`exp.go`, `exp2` and `expmulti`).
pub(super) fn power_of_two(x: f64) -> f64 {
    const P1: f64 = 1.666_666_666_666_666_574_15e-01;
    const P2: f64 = -2.777_777_777_701_559_338_42e-03;
    const P3: f64 = 6.613_756_321_437_934_361_17e-05;
    const P4: f64 = -1.653_390_220_546_525_153_90e-06;
    const P5: f64 = 4.138_136_797_057_238_460_39e-08;
    if x > 1023.999_999_999_999_9 {
        return f64::INFINITY;
    }
    if x < -1074.0 {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -1074 and 1024")]
    let k = if x > 0.0 { (x + 0.5) as i32 } else { (x - 0.5) as i32 };
    let t = x - f64::from(k);
    let high = t * LN2_HIGH;
    let low = -t * LN2_LOW;
    let r = high - low;
    let t = r * r;
    let c = r - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
    scaled(1.0 - ((low - (r * c) / (2.0 - c)) - high), k)
}

/// A number to a whole power (`pow.go` where the power is whole).
pub(super) fn power(x: f64, exponent: i32) -> f64 {
    if exponent == 0 || x.to_bits() == 1_f64.to_bits() {
        return 1.0;
    }
    if exponent == 1 || x.is_nan() {
        return x;
    }
    let even = exponent % 2 == 0;
    if x == 0.0 || x.is_infinite() {
        let size = if (x == 0.0) == (exponent > 0) { 0.0 } else { f64::INFINITY };
        return if even { size } else { size.copysign(x) };
    }
    let (mut product, mut product_exponent) = (1.0, 0);
    let (part, mut part_exponent) = fraction(x.abs());
    let mut part = part.copysign(x);
    let mut left = exponent.unsigned_abs();
    while left != 0 {
        if !(-(1 << 12)..=1 << 12).contains(&part_exponent) {
            product_exponent += part_exponent;
            break;
        }
        if left & 1 == 1 {
            product *= part;
            product_exponent += part_exponent;
        }
        part *= part;
        part_exponent *= 2;
        if part < 0.5 {
            part += part;
            part_exponent -= 1;
        }
        left >>= 1;
    }
    if exponent < 0 {
        product = 1.0 / product;
        product_exponent = -product_exponent;
    }
    scaled(product, product_exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_values_are_whole() {
        assert_eq!(power_of_two(10.0).to_bits(), 1024_f64.to_bits());
        assert_eq!(power(3.0, 4).to_bits(), 81_f64.to_bits());
        assert_eq!(power(2.0, -2).to_bits(), 0.25_f64.to_bits());
        assert_eq!(power(f64::INFINITY, -2).to_bits(), 0_f64.to_bits());
        assert_eq!(logarithm(1.0).to_bits(), 0_f64.to_bits());
        assert_eq!(scaled(1.0, -106_752).to_bits(), 0_f64.to_bits());
        assert!(scaled(1.0, 2000).is_infinite());
    }

    #[test]
    fn they_differ_from_the_platform_by_a_last_bit_at_most() {
        for step in 1..5000 {
            let x = f64::from(step) * 0.37;
            let near = |ours: f64, theirs: f64| (ours - theirs).abs() <= theirs.abs() * 4e-16 * 2.0;
            assert!(near(logarithm(x), x.ln()), "{x}");
            assert!(near(power_of_two(x / 20.0), (x / 20.0).exp2()), "{x}");
            assert!((power(x, 3) / x.powi(3) - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
