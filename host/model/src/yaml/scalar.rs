//! What a scalar means: the core schema of YAML 1.2.2, section 10.3.2.

use super::NodeValue;

/// Reads a plain scalar. The error says why the text has no value here.
pub fn plain(text: &str) -> Result<NodeValue, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(NodeValue::Null),
        "true" | "True" | "TRUE" => return Ok(NodeValue::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(NodeValue::Bool(false)),
        _ => {}
    }
    // Cheap way out for the usual word.
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(NodeValue::String(text.to_owned()));
    }
    if let Some(value) = integer(text) {
        return value.map(NodeValue::Int).ok_or("an integer out of the range of 64 bits");
    }
    if is_float(text) {
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        return if value.is_finite() { Ok(NodeValue::Float(value)) } else { Err("a number out of range") };
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err("a number that is not finite");
    }
    Ok(NodeValue::String(text.to_owned()))
}

/// `None`: not spelled like an integer. `Some(None)`: too large.
fn integer(text: &str) -> Option<Option<i64>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let valid = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            return valid.then(|| i64::from_str_radix(digits, radix).ok());
        }
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| text.parse().ok())
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    !(whole.is_empty() && fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}
