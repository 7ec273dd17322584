//! Values that stand where a secret would stand.

/// Words in examples. Long enough not to turn up in random text.
const WORDS: &[&str] = &[
    "example",
    "xxxx",
    "****",
    "....",
    "____",
    "----",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "redacted",
    "your-",
    "your_",
    "yourt",
    "yours",
    "yourp",
    "yourk",
    "insert",
    "replace",
    "dummy",
    "sample",
    "fake",
    "lorem",
    "foobar",
    "p4ssw0rd",
    "passw0rd",
    "password",
    "s3cr3t",
    "s3cret",
    "hunter2",
    "secret",
    "abcdef",
    "fedcba",
    "0123456789",
    "1234567",
    "9876543",
    "a1b2c3",
    "1a2b3c",
    "deadbeef",
    "cafebabe",
    "qwerty",
    "not-a-real",
    "notreal",
    "mytoken",
    "my-token",
    "my_token",
    "testtoken",
    "test-",
    "test_",
    "-test",
    "_test",
    "invalid",
    "todo",
];

/// Words that show even in a token with a prefix that it is made up.
const STRONG: &[&str] = &[
    "example",
    "xxxxx",
    "*****",
    ".....",
    "changeme",
    "placeholder",
    "redacted",
    "yourtoken",
    "dummy",
    "123456789",
    "abcdefgh",
];

/// Whether the value of a rule with a prefix (without the prefix) shows signs of a made-up value.
pub fn strong(value: &[u8]) -> bool {
    contains_any(value, STRONG) || repeats(value, 6) || variable(value)
}

/// Whether a value that only its name gives away shows signs of a made-up value.
pub fn made_up(value: &[u8]) -> bool {
    contains_any(value, WORDS) || repeats(value, 4) || variable(value)
}

/// Whether something else will be put in its place: `${X}`, `{{ x }}`, `<x>`, `%s`, `$X`.
pub fn variable(value: &[u8]) -> bool {
    value.iter().any(|byte| b"<>{}".contains(byte))
        || value.starts_with(b"$")
        || value.starts_with(b"%") && value.len() < 4
        || value.windows(2).any(|pair| pair == b"$(" || pair == b"%(")
}

/// Whether it is made of words: runs of at least four letters in one case that can be pronounced make up three fifths of
/// it. That is so for one in a hundred random values of 24 letters and digits.
pub fn wordy(value: &[u8]) -> bool {
    let mut covered = 0;
    let mut at = 0;
    while at < value.len() {
        let run = word_length(&value[at..]);
        if run >= 4 && pronounceable(&value[at..at + run]) {
            covered += run;
        }
        at += run.max(1);
    }
    covered * 5 >= value.len() * 3
}

/// Letters of one word: all in lower case after at most one capital, or all capitals.
fn word_length(text: &[u8]) -> usize {
    let capitals = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    if capitals > 1 {
        return capitals;
    }
    capitals + text[capitals..].iter().take_while(|byte| byte.is_ascii_lowercase()).count()
}

/// At least a quarter of vowels, and never more than four consonants in a row.
fn pronounceable(word: &[u8]) -> bool {
    let vowel = |byte: &u8| b"aeiouy".contains(&byte.to_ascii_lowercase());
    let vowels = word.iter().filter(|byte| vowel(byte)).count();
    vowels * 4 >= word.len() && word.split(vowel).all(|consonants| consonants.len() <= 4)
}

fn contains_any(value: &[u8], words: &[&str]) -> bool {
    let value = value.to_ascii_lowercase();
    words.iter().any(|word| value.windows(word.len()).any(|bytes| bytes == word.as_bytes()))
}

/// Whether one byte stands there so many times in a row.
fn repeats(value: &[u8], times: usize) -> bool {
    value.windows(times).any(|bytes| bytes.iter().all(|byte| *byte == bytes[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_made_up() {
        for value in
            ["your-api-key-here-42", "XXXXXXXXXXXX1", "${API_TOKEN}", "<token>", "aaaaaaaaaaaa", "{{ key }}", "$TOKEN"]
        {
            assert!(made_up(value.as_bytes()), "{value}");
        }
        for value in ["k3Jm9QzLr2XwVb7T", "9f86d081884c7d65"] {
            assert!(!made_up(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn names_are_wordy_and_random_text_is_not() {
        for value in ["refreshTokenHandler2", "some_internal_name_v1", "ACCESS_LEVEL_2", "Correct-Horse-Battery1"] {
            assert!(wordy(value.as_bytes()), "{value}");
        }
        for value in ["k3Jm9QzLr2XwVb7T", "9f86d081884c7d659a2feaa0", "hq7xkd02mvbn4tzp"] {
            assert!(!wordy(value.as_bytes()), "{value}");
        }
    }
}
