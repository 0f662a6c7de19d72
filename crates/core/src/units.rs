//! Exact amounts: bytes, Kubernetes quantities, and spans of time in words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// An amount of memory in bytes. Pages, KiB and Mi become this at the decoder and nowhere else.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// From kibibytes, as `/proc` and kernel logs print them (they write `kB`).
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1024))
    }

    /// From mebibytes.
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1024 * 1024))
    }
}

impl fmt::Display for Bytes {
    /// For people: three significant digits and a binary unit (`512 MiB`, `1.46 GiB`, `3 B`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let (digits, parts) = match value {
            v if unit == 0 || v >= 99.95 || (v - v.round()).abs() < 0.005 => (0, 1),
            v if v >= 9.995 => (1, 10),
            _ => (2, 100),
        };
        // In integers, for they are written in a fifth of the time: a manifest's findings hold dozens of amounts.
        let (shift, scaled) = (10 * unit, u128::from(self.0) * parts);
        let (floor, rest) = (scaled >> shift, scaled & ((1 << shift) - 1));
        let half = (1 << shift) >> 1;
        let rounded = floor + u128::from(rest > half || (rest == half && half > 0 && floor % 2 == 1));
        let (whole, part) = (rounded / parts, rounded % parts);
        let unit = UNITS[unit];
        if f.width().is_some() {
            let text = if digits == 0 { format!("{whole} {unit}") } else { format!("{whole}.{part:0digits$} {unit}") };
            return f.pad(&text);
        }
        match digits {
            0 => write!(f, "{whole} {unit}"),
            _ => write!(f, "{whole}.{part:0digits$} {unit}"),
        }
    }
}

/// A Kubernetes quantity, exact to the nano, as `k8s.io/apimachinery/pkg/api/resource` (v0.37) parses it:
/// suffixes `n u m k M G T P E`, `Ki Mi Gi Ti Pi Ei`, or a decimal exponent. Smaller fractions round away from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAQuantity {
    /// The text.
    pub text: String,
}

impl fmt::Display for NotAQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a quantity; write a number and one of n u m k M G T P E Ki Mi Gi Ti Pi Ei", self.text)
    }
}

impl std::error::Error for NotAQuantity {}

const NANOS: i128 = 1_000_000_000;

/// Suffixes with the factor in nanos.
const SUFFIXES: [(&str, i128); 16] = [
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", NANOS),
    ("k", NANOS * 1_000),
    ("M", NANOS * 1_000_000),
    ("G", NANOS * 1_000_000_000),
    ("T", NANOS * 1_000_000_000_000),
    ("P", NANOS * 1_000_000_000_000_000),
    ("E", NANOS * 1_000_000_000_000_000_000),
    ("Ki", NANOS << 10),
    ("Mi", NANOS << 20),
    ("Gi", NANOS << 30),
    ("Ti", NANOS << 40),
    ("Pi", NANOS << 50),
    ("Ei", NANOS << 60),
];

impl Quantity {
    /// A whole number.
    pub const fn whole(count: u64) -> Self {
        Self { nanos: count as i128 * NANOS }
    }

    /// Whole bytes, rounded up as the kubelet does (`Quantity.Value()`); negative amounts are 0.
    pub fn bytes(self) -> Bytes {
        // A division of 128 bits takes ten times as long, and is asked for again and again.
        if let Ok(nanos) = u64::try_from(self.nanos) {
            return Bytes(nanos.div_ceil(1_000_000_000));
        }
        let up = self.nanos.div_euclid(NANOS) + i128::from(self.nanos.rem_euclid(NANOS) != 0);
        Bytes(u64::try_from(up.max(0)).unwrap_or(u64::MAX))
    }

    /// Less than one whole, or not a whole number: as an amount of memory it is a slip of the unit (`3500m` is 3.5 bytes).
    pub fn is_fractional(self) -> bool {
        self.nanos % NANOS != 0
    }

    /// Less than zero.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Zero.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }
}

impl FromStr for Quantity {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        parse(text).ok_or_else(|| NotAQuantity { text: text.to_owned() })
    }
}

/// `None` for anything that is not a quantity, also for one too large to hold (over 1.7e29).
fn parse(text: &str) -> Option<Quantity> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(number_end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let count = |digits: &str| match digits.trim_start_matches('0') {
        "" => Some(0),
        digits => digits.parse::<i128>().ok(),
    };
    let digits = if fraction.is_empty() { count(whole) } else { count(&format!("{whole}{fraction}")) }?;
    let scale = u32::try_from(fraction.len()).ok()?;
    // The value is digits * factor / 10^scale; the division rounds away from zero.
    let (factor, scale) =
        match suffix.strip_prefix(['e', 'E']).filter(|exponent| !exponent.is_empty() && *exponent != "i") {
            Some(exponent) => {
                let exponent: i32 = exponent.parse().ok()?;
                let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
                if exponent >= 0 {
                    (NANOS.checked_mul(power)?, scale)
                } else {
                    (NANOS, scale.checked_add(exponent.unsigned_abs())?)
                }
            }
            None => (SUFFIXES.iter().find(|(name, _)| *name == suffix)?.1, scale),
        };
    let product = digits.checked_mul(factor)?;
    let nanos = match 10_i128.checked_pow(scale)? {
        1 => product,
        divisor => product / divisor + i128::from(product % divisor != 0),
    };
    Some(Quantity { nanos: if negative { -nanos } else { nanos } })
}

impl fmt::Display for Quantity {
    /// The shortest exact form: the largest binary unit that divides it, else a plain number, else `m`, `u`, `n`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SUFFIXES.iter().rev().take(6);
        let rest = [3, 2, 1, 0].map(|index| &SUFFIXES[index]);
        for (suffix, factor) in binary.chain(rest) {
            if self.nanos % factor == 0 && (self.nanos != 0 || suffix.is_empty()) {
                return f.pad(&format!("{}{suffix}", self.nanos / factor));
            }
        }
        unreachable!("every amount is a whole number of nanos")
    }
}

impl From<Bytes> for Quantity {
    fn from(bytes: Bytes) -> Self {
        Self::whole(bytes.0)
    }
}

/// `0.4 s`, `31 s`, `4 min 2 s`, `3 h 12 min`, `2 d 4 h`.
pub fn span(seconds: f64) -> String {
    const DAY: u64 = self::DAY.unsigned_abs();
    if !seconds.is_finite() || seconds < 0.0 {
        return "an unknown time".to_owned();
    }
    if seconds < 9.95 && (seconds - seconds.round()).abs() >= 0.05 {
        return format!("{seconds:.1} s");
    }
    // A lifetime in seconds is far below 2^53, and a larger one saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above; saturates")]
    let whole = seconds.round() as u64;
    let pair = |large: u64, unit: &str, small: u64, rest: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {rest}"),
    };
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => pair(whole / 60, "min", whole % 60, "s"),
        3600..DAY => pair(whole / 3600, "h", whole % 3600 / 60, "min"),
        _ => pair(whole / DAY, "d", whole % DAY / 3600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> i128 {
        text.parse::<Quantity>().unwrap().nanos
    }

    #[test]
    fn every_kubernetes_suffix_has_its_factor() {
        assert_eq!(nanos("3500m"), 3_500_000_000);
        assert_eq!(nanos("0.5Gi"), nanos("512Mi"));
        assert_eq!(nanos("1E"), nanos("1e18"));
        assert_eq!(nanos("1Ei"), NANOS << 60);
        assert_eq!(nanos("12e-1"), nanos("1.2"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "Mi", "1.2.3", "512mb", "1Kb", "1 Gi", "--1", "1e", "1e99", ".", "1eE"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_round_up_as_the_kubelet_does() {
        assert_eq!("3500m".parse::<Quantity>().unwrap().bytes(), Bytes(4));
        assert!("3500m".parse::<Quantity>().unwrap().is_fractional());
        assert_eq!("0.1n".parse::<Quantity>().unwrap().nanos, 1);
    }

    #[test]
    fn bytes_print_three_digits() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1 KiB"), (1024, "1 KiB"), (536_870_912, "512 MiB"), (1_567_000_000, "1.46 GiB")]
        {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    /// As floats are written.
    fn by_float(bytes: u64) -> String {
        let mut value = bytes as f64;
        let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
        let mut unit = units.next().unwrap();
        while value >= 999.5 {
            (value, unit) = (value / 1024.0, units.next().unwrap());
        }
        let digits = match value {
            v if unit == "B" || v >= 99.95 || (v - v.round()).abs() < 0.005 => 0,
            v if v >= 9.995 => 1,
            _ => 2,
        };
        format!("{value:.digits$} {unit}")
    }

    #[test]
    fn amounts_are_padded_as_texts_are() {
        assert_eq!(format!("{:>9}|{:<9}|{}", Bytes::mib(3), Bytes(1536), Bytes(7)), "    3 MiB|1.50 KiB |7 B");
    }

    proptest! {
        #[test]
        fn amounts_that_floats_hold_are_written_as_floats_are(
            bits in 11_u32..64, bytes: u64, eighths in 0_u64..8_000, unit in 0_u32..5
        ) {
            let ties = (eighths << (10 * unit)) / 8;
            for bytes in [bytes >> bits, ties, ties + 1] {
                prop_assert_eq!(Bytes(bytes).to_string(), by_float(bytes));
            }
        }

        #[test]
        fn a_quantity_prints_and_parses_back(nanos in -(1_i128 << 90)..(1_i128 << 90)) {
            let quantity = Quantity { nanos };
            prop_assert_eq!(quantity.to_string().parse::<Quantity>().unwrap(), quantity);
        }

        #[test]
        fn a_whole_number_with_any_suffix_round_trips(count in 0_u64..1_000_000, suffix in 0_usize..16) {
            let (name, factor) = SUFFIXES[suffix];
            let quantity: Quantity = format!("{count}{name}").parse().unwrap();
            prop_assert_eq!(quantity.nanos, i128::from(count) * factor);
            prop_assert_eq!(quantity.to_string().parse::<Quantity>().unwrap(), quantity);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Quantity>();
        }
    }
}
