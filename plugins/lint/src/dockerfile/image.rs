//! Names of images: `[registry/]path[:tag][@digest]`.

/// The parts of an image's name.
#[derive(Debug, PartialEq)]
pub struct Image<'a> {
    pub name: &'a str,
    pub tag: Option<&'a str>,
    pub digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Splits a name. A `:` before a `/` belongs to the registry's port, and one inside `${...}` to the variable.
    pub fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let mut depth = 0_usize;
        let mut colon = None;
        for (at, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                '/' if depth == 0 => colon = None,
                ':' if depth == 0 => colon = Some(at),
                _ => {}
            }
        }
        match colon {
            Some(at) => Self { name: &rest[..at], tag: Some(&rest[at + 1..]), digest },
            None => Self { name: rest, tag: None, digest },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        for (text, name, tag, digest) in [
            ("debian", "debian", None, None),
            ("debian:12", "debian", Some("12"), None),
            ("localhost:5000/a/b", "localhost:5000/a/b", None, None),
            ("localhost:5000/a:1@sha256:ab", "localhost:5000/a", Some("1"), Some("sha256:ab")),
            ("${BASE:-debian:12}", "${BASE:-debian:12}", None, None),
            ("${BASE}:${TAG:-1}", "${BASE}", Some("${TAG:-1}"), None),
        ] {
            assert_eq!(Image::parse(text), Image { name, tag, digest }, "{text}");
        }
    }
}
