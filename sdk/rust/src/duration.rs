//! Durations as workflows spell them. With `pattern: ^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$` in the manifest, most bad
//! spellings of an input are told before the run.

use std::time::Duration;

use crate::Failure;

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `1h30m`, `90s` or `500ms`: whole numbers with the units `h`, `m`, `s` and `ms`, the larger first, each at most
/// once. Zero is no duration. Fails with `invalid-input`, naming `input`.
pub fn parse(input: &str, text: &str) -> Result<Duration, Failure> {
    milliseconds(text).filter(|total| *total > 0).map(Duration::from_millis).ok_or_else(|| {
        Failure::invalid_input(format!("`{input}` is `{text}`, which is no duration"))
            .help("write a whole number and a unit: `500ms`, `30s`, `5m`, `1h30m`")
    })
}

fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0_u64);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_in_workflows() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("1h30m", Some(5_400_000)),
            ("1s500ms", Some(1500)),
            ("", None),
            ("0s", None),
            ("10", None),
            ("m", None),
            ("5 m", None),
            ("30m1h", None),
            ("1m1m", None),
            ("-1s", None),
            ("1.5h", None),
            ("99999999999999999999h", None),
            ("9999999999999999999h", None),
        ] {
            assert_eq!(parse("x", text).ok(), expected.map(Duration::from_millis), "{text}");
        }
        assert_eq!(parse("timeout", "soon").unwrap_err().message(), "`timeout` is `soon`, which is no duration");
    }
}
