//! How random bytes look.

/// Shannon entropy of the bytes, in bits per byte: 0 for one repeated byte, at most log2 of the length.
pub fn shannon(bytes: &[u8]) -> f32 {
    let mut counts = [0u16; 256];
    for &byte in bytes {
        counts[usize::from(byte)] = counts[usize::from(byte)].saturating_add(1);
    }
    let total = bytes.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f32::from(count) / total;
            -share * share.log2()
        })
        .sum()
}

/// The share of neighbouring bytes of different classes (lower case, upper case, digit, other), between 0 and 1.
/// Names and words stay in a class for long (`someLongerName2` has 0.36); random letters and digits change at every
/// second byte.
pub fn restlessness(bytes: &[u8]) -> f32 {
    changes(bytes) as f32 / bytes.len().saturating_sub(1).max(1) as f32
}

/// How often neighbouring bytes are of different classes.
pub fn changes(bytes: &[u8]) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    bytes.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_counts_bits_per_byte() {
        for (bytes, expected) in [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcdefgh", 3.0)] {
            assert_eq!(shannon(bytes.as_bytes()), expected, "{bytes}");
        }
    }

    #[test]
    fn words_are_calmer_than_random_text() {
        for (calm, restless) in [("someLongerName2", "s2M4oN8lR0g9n2"), ("words_and_names", "wO5r-d0F_4n3aMe")] {
            assert!(restlessness(calm.as_bytes()) < 0.4, "{calm}");
            assert!(restlessness(restless.as_bytes()) > 0.5, "{restless}");
        }
    }
}
