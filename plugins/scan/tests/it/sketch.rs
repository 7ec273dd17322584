//! Texts with random parts: `{A36}` stands for 36 random letters and digits. The secret stands between `«` and `»`.
//!
//! | class | characters |
//! |---|---|
//! | `A` | letters and digits |
//! | `L` | letters |
//! | `d` | decimal digits |
//! | `h`, `H` | hexadecimal digits in lower, upper case |
//! | `l`, `u` | letters and digits in lower, upper case |
//! | `w` | letters, digits, `_`, `-` |
//! | `b` | base64 |
//! | `x` | RFC 4648 base 32 |
//! | `q` | bech32 in upper case |
//! | `U` | a UUID (no number) |
//! | `S` | thirty letters and digits and their CRC-32 in base 62 (no number) |
//! | `B` | base64 of so many bytes that begin with a DER sequence, in lines of 64 |

use std::ops::Range;

/// A text made from a sketch.
#[derive(Debug)]
pub struct Sample {
    pub text: String,
    pub secret: Range<usize>,
    /// The random parts.
    pub random: Vec<String>,
}

/// SplitMix64: the same samples in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: &str) -> Self {
        Self(
            seed.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..length).map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize])).collect()
    }
}

const DIGITS: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A sample with random text from `seed`, or, without one, with the same character throughout.
pub fn draw(sketch: &str, seed: Option<&str>) -> Sample {
    let mut random = seed.map(Random::new);
    let mut sample = Sample { text: String::new(), secret: 0..0, random: Vec::new() };
    let mut rest = sketch;
    while let Some(next) = rest.chars().next() {
        let field = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).filter(|(field, _)| is_field(field));
        if let Some((field, after)) = field {
            let part = random.as_mut().map_or_else(|| monotonous(field), |random| fill(field, random));
            sample.text.push_str(&part);
            sample.random.push(part);
            rest = after;
            continue;
        }
        match next {
            '«' => sample.secret.start = sample.text.len(),
            '»' => sample.secret.end = sample.text.len(),
            other => sample.text.push(other),
        }
        rest = &rest[next.len_utf8()..];
    }
    assert!(!sample.secret.is_empty(), "{sketch} marks no secret");
    sample
}

fn is_field(text: &str) -> bool {
    text == "U" || text == "S" || text.len() > 1 && text[1..].bytes().all(|byte| byte.is_ascii_digit())
}

fn fill(field: &str, random: &mut Random) -> String {
    let length: usize = field[1..].parse().unwrap_or_default();
    let alnum = [DIGITS, UPPER, LOWER].concat();
    match &field[..1] {
        "A" => random.text(&alnum, length),
        "L" => random.text(&[UPPER, LOWER].concat(), length),
        "d" => random.text(DIGITS, length),
        "h" => random.text("0123456789abcdef", length),
        "H" => random.text("0123456789ABCDEF", length),
        "l" => random.text(&[DIGITS, LOWER].concat(), length),
        "u" => random.text(&[DIGITS, UPPER].concat(), length),
        "w" => random.text(&[&alnum, "_-"].concat(), length),
        "b" => random.text(&[&alnum, "+/"].concat(), length),
        "x" => random.text(&[UPPER, "234567"].concat(), length),
        "q" => random.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", length),
        "U" => [8, 4, 4, 4, 12].map(|length| random.text("0123456789abcdef", length)).join("-"),
        "S" => {
            let body = random.text(&alnum, 30);
            let sum = base62(crc32(body.as_bytes()), &alnum);
            body + &sum
        }
        "B" => {
            let mut bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            bytes[..2].copy_from_slice(&[0x30, 0x82]);
            encode(&bytes)
                .as_bytes()
                .chunks(64)
                .map(|line| String::from_utf8_lossy(line))
                .collect::<Vec<_>>()
                .join("\n")
        }
        other => panic!("{other} is not a class"),
    }
}

fn monotonous(field: &str) -> String {
    let digit = if "dhHU".contains(&field[..1]) { "0" } else { "A" };
    match field {
        "U" => [8, 4, 4, 4, 12].map(|length| digit.repeat(length)).join("-"),
        "S" => digit.repeat(36),
        _ => digit.repeat(field[1..].parse().expect("a length")),
    }
}

/// Standard base64 without padding.
pub fn encode(bytes: &[u8]) -> String {
    let alphabet = [UPPER, LOWER, DIGITS, "+/"].concat();
    let digit = |value: u32| char::from(alphabet.as_bytes()[(value & 63) as usize]);
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            (0..=chunk.len()).map(move |at| digit(bits >> (18 - 6 * at)))
        })
        .collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 * (sum & 1));
        }
    }
    !sum
}

fn base62(number: u32, alphabet: &str) -> String {
    (0..6).rev().map(|place| char::from(alphabet.as_bytes()[(number / 62u32.pow(place) % 62) as usize])).collect()
}
