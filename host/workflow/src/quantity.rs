//! Spellings of durations and sizes.

/// Units from the largest; a duration names each at most once, in this order.
const TIME: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

const BYTES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// The longest duration, in milliseconds: a week.
const MAX_MS: u64 = 7 * 24 * 3_600_000;

/// The largest size, in bytes: what 32-bit WebAssembly and a bit more can hold.
const MAX_SIZE: u64 = 64 << 30;

/// `1h30m`, `90s`, `500ms` -> milliseconds. The error completes "this is no duration: ".
pub fn duration_ms(text: &str) -> Result<u64, &'static str> {
    let mut rest = text.trim();
    let mut units = TIME.iter();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return Err("it is empty");
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err("it needs a whole number and a unit");
        }
        if unit.is_empty() && after.starts_with(' ') {
            return Err("it has a space in it");
        }
        if unit.is_empty() {
            return Err("it has no unit");
        }
        let Some((_, factor)) = units.find(|(name, _)| *name == unit) else {
            return Err("units are `h`, `m`, `s` and `ms`, the larger first, each once");
        };
        let value: u64 = number.parse().map_err(|_| "it is too long")?;
        total = value.checked_mul(*factor).and_then(|value| total.checked_add(value)).ok_or("it is too long")?;
        rest = after;
    }
    match total {
        0 => Err("it is zero"),
        _ if total > MAX_MS => Err("at most a week (168h) is allowed"),
        _ => Ok(total),
    }
}

/// `64MiB`, `500kB` -> bytes. The error completes "this is no size: ".
pub fn size_bytes(text: &str) -> Result<u64, &'static str> {
    match bytes(text)? {
        Some(size) if size <= MAX_SIZE => Ok(size),
        _ => Err("at most 64GiB is allowed"),
    }
}

/// `20GiB` -> bytes, as much as disks can hold. The error completes "this is no size: ".
pub fn disk_bytes(text: &str) -> Result<u64, &'static str> {
    bytes(text)?.ok_or("no disk is so large")
}

/// `None` if it is larger than numbers are.
fn bytes(text: &str) -> Result<Option<u64>, &'static str> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("it needs a whole number and a unit");
    }
    let Some((_, factor)) = BYTES.iter().find(|(name, _)| *name == unit.trim_start()) else {
        return Err(if unit.is_empty() {
            "it has no unit"
        } else {
            "units are `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` and `GiB`"
        });
    };
    let value = number.parse::<u64>().ok().and_then(|value| value.checked_mul(*factor));
    if value == Some(0) { Err("it is zero") } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("10m", Ok(600_000)),
            ("1h30m", Ok(5_400_000)),
            ("90s", Ok(90_000)),
            ("500ms", Ok(500)),
            ("1s500ms", Ok(1500)),
            ("168h", Ok(604_800_000)),
            ("169h", Err("at most a week (168h) is allowed")),
            ("10", Err("it has no unit")),
            ("0s", Err("it is zero")),
            ("", Err("it is empty")),
            ("30m1h", Err("units are `h`, `m`, `s` and `ms`, the larger first, each once")),
            ("1m1m", Err("units are `h`, `m`, `s` and `ms`, the larger first, each once")),
            ("5 m", Err("it has a space in it")),
            ("-5m", Err("it needs a whole number and a unit")),
            ("1.5h", Err("it has no unit")),
            ("99999999999999999999h", Err("it is too long")),
            ("9999999999999999999h", Err("it is too long")),
        ] {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("64MiB", Ok(64 << 20)),
            ("64 MiB", Ok(64 << 20)),
            ("500kB", Ok(500_000)),
            ("1B", Ok(1)),
            ("64", Err("it has no unit")),
            ("64M", Err("units are `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` and `GiB`")),
            ("MiB", Err("it needs a whole number and a unit")),
            ("0B", Err("it is zero")),
            ("65GiB", Err("at most 64GiB is allowed")),
            ("99999999999999999999GiB", Err("at most 64GiB is allowed")),
        ] {
            assert_eq!(size_bytes(text), expected, "{text}");
        }
        assert_eq!(disk_bytes("2048GiB"), Ok(2 << 40));
        assert_eq!(disk_bytes("99999999999999999999GiB"), Err("no disk is so large"));
    }
}
