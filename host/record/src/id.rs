//! Names of runs.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name such as `20261121-094512-1597`: the second it began, in UTC, then the millisecond in three hex digits, and one
/// against twins. Sorts by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// `at` is in milliseconds since the Unix epoch. Times past the year 9999 count as the epoch.
    pub fn new(at: u64, random: u8) -> Self {
        let second = i64::try_from(at / 1000).ok().and_then(|second| Timestamp::from_second(second).ok());
        let time = second.unwrap_or_default().to_zoned(TimeZone::UTC);
        let millisecond = if second.is_some() { at % 1000 } else { 0 };
        Self(format!("{}-{millisecond:03x}{:x}", time.strftime("%Y%m%d-%H%M%S"), random & 0xf))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the run began, in milliseconds since the Unix epoch.
    pub fn started(&self) -> u64 {
        let time = DateTime::strptime("%Y%m%d-%H%M%S", &self.0[..15]).and_then(|time| time.to_zoned(TimeZone::UTC));
        let second = time.map_or(0, |time| u64::try_from(time.timestamp().as_millisecond()).unwrap_or(0));
        second + u64::from_str_radix(&self.0[16..19], 16).unwrap_or(0).min(999)
    }
}

impl FromStr for RunId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 20
            && text.bytes().enumerate().all(|(i, byte)| match i {
                8 | 15 => byte == b'-',
                0..=14 => byte.is_ascii_digit(),
                _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            });
        if fits { Ok(Self(text.to_owned())) } else { Err("a run is named like `20261121-094512-1597`") }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_its_time_and_sorts_by_it() {
        let at = 1_795_254_312_345;
        let id = RunId::new(at, 0x57);
        assert_eq!(id.as_str(), "20261121-094512-1597");
        assert_eq!(id.started(), at);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!(RunId::new(at + 1, 0) > id);
        assert_eq!(RunId::new(u64::MAX, 0).as_str(), "19700101-000000-0000");
    }

    #[test]
    fn other_names_are_no_ids() {
        for text in ["", "latest", "../../etc", "20261121-094512-7f3", "20261121-094512-7F3A", "20261121_094512-7f3a"] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
        let nonsense: RunId = "20269999-999999-0000".parse().unwrap();
        assert_eq!(nonsense.started(), 0, "a name of the right form with no such date is harmless");
    }
}
