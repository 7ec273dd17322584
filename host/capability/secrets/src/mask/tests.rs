use proptest::prelude::*;

use super::*;

fn mask(values: &[&str]) -> Mask {
    Mask::new(&values.iter().map(|value| ((*value).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn secrets_are_masked_in_the_forms_in_which_they_leak() {
    let mask = mask(&["hunter2/ä?\"x\""]);
    // The base64 forms were made with coreutils: printf %s TEXT | base64; the others with Python, Go and PHP.
    for (text, masked) in [
        ("nothing here", "nothing here"),
        ("a hunter2/ä?\"x\" b", "a *** b"),
        (r#"{"v": "hunter2/ä?\"x\""}"#, r#"{"v": "***"}"#),
        (r#"{"v": "hunter2\/\u00e4?\"x\""}"#, r#"{"v": "***"}"#),
        (r#"{"v": "{\"v\": \"hunter2/\\u00E4?\\\"x\\\"\"}"}"#, r#"{"v": "{\"v\": \"***\"}"}"#),
        (r#"b'hunter2/\xc3\xa4?"x"'"#, "b'***'"),
        ("q=hunter2%2F%C3%A4%3F%22x%22&", "q=***&"),
        ("q=hunter2/%c3%a4%3f\"x\"&", "q=***&"),
        ("aHVudGVyMi/DpD8ieCI=", "***"),
        ("aHVudGVyMi_DpD8ieCI", "***"),
        ("YWh1bnRlcjIvw6Q/Ingi", "Y***"),
        ("YWFodW50ZXIyL8OkPyJ4Ig==", "YW***"),
        ("eyJhIjogImh1bnRlcjIvw6Q/XCJ4XCIifQ==", "eyJhIjogImh1bnRlcjIvw6Q/XCJ4XCIifQ=="),
        ("t=aHVudGVyMi%2FDpD8ieCI%3D", "t=***"),
        ("68756e746572322fc3a43f227822", "***"),
        ("68756E746572322FC3A43F227822", "***"),
        ("<v>hunter2/ä?&quot;x&quot;</v>", "<v>***</v>"),
    ] {
        assert_eq!(mask.apply(text), masked);
    }
    assert_eq!(super::tests::mask(&["it's me"]).apply(r"+ echo 'it'\''s me' it%27s+me"), "+ echo '***' ***");
}

#[test]
fn every_line_of_a_long_secret_is_masked() {
    let mask = mask(&["-----BEGIN KEY-----\r\nabcdefgh\r\nx\r\n"]);
    assert_eq!(mask.apply("> abcdefgh < x"), "> *** < x");
    assert_eq!(mask.apply("K=-----BEGIN KEY-----\nabcdefgh\nx\n."), "K=***.");
}

#[test]
fn a_long_secret_is_masked_in_base64_that_was_cut_into_lines() {
    let value = "0123456789".repeat(10);
    // printf %s 0123...789 | base64
    let text = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\n\
                Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ==\n";
    assert_eq!(mask(&[&value]).apply(text), "***\n***==\n");
}

#[test]
fn the_end_of_a_stream_tells_no_part_of_a_secret() {
    let mask = mask(&["hunter2"]);
    let stream = b"\xff hunter2 and hunter2 is all";
    for (most, masked) in [
        (100, &b"\xff *** and *** is all"[..]),
        (24, b"*** and *** is all"),
        (16, b"d *** is all"),
        (12, b"*** is all"),
        (7, b" is all"),
        (0, b""),
    ] {
        assert_eq!(mask.end_of(stream, most), masked, "{most}");
    }
    assert_eq!(Mask::default().end_of(b"hunter2", 3), b"er2");
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    assert_eq!(mask(&["abcdef", "defghi"]).apply("<abcdefghi>"), "<***>");
    assert_eq!(mask(&["abcd", "abcdefgh"]).apply("abcdefgh abcd"), "*** ***");
}

#[test]
fn very_short_secrets_do_not_eat_the_text() {
    assert_eq!(mask(&["on", "\n\n\n\n", "a\nb"]).apply("one on one a\nb"), "one on one a\nb");
}

/// Values of secrets: words, tokens, several lines, odd characters.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{4,6}", "[A-Za-z0-9+/=_-]{8,40}", "[ -)+-~äß€\u{1f600}]{4,20}", "([a-z\" ]{0,8}\r?\n){2,4}"]
        .prop_filter("long enough", |value| value.trim().len() >= SHORTEST_VALUE)
}

/// A value in one of its forms, without any code of the mask.
fn leaked(value: &str, form: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64 = |bytes: &[u8]| -> String {
        let group = |three: &[u8]| {
            let number = three.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            (0..=three.len())
                .map(|i| char::from(ALPHABET[(number >> (18 - 6 * i) & 63) as usize]))
                .chain((three.len()..3).map(|_| '='))
                .collect::<String>()
        };
        bytes.chunks(3).map(group).collect()
    };
    match form {
        0 => value.to_owned(),
        1 => base64(value.as_bytes()),
        2 => base64(format!("a{value}").as_bytes()),
        3 => base64(format!("ab{value}cd").as_bytes()).replace('+', "-").replace('/', "_").replace('=', ""),
        4 => value.bytes().map(|byte| format!("{byte:02x}")).collect(),
        5 => value.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        6 => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        7 => value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(),
        _ => value.bytes().map(|byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02x}") }).collect(),
    }
}

/// What no text that leaves may have: the whole of a leaked form but for what its neighbours decide in base64.
fn core(value: &str, form: usize) -> String {
    let text = leaked(value, form);
    match form {
        1..=3 => text.trim_end_matches('=').chars().skip(if form > 1 { form } else { 0 }).take(value.len()).collect(),
        _ => text,
    }
}

proptest! {
    #[test]
    fn no_form_gets_through_in_whatever_pieces_it_comes(
        values in prop::collection::vec(value(), 1..4),
        parts in prop::collection::vec((any::<prop::sample::Index>(), 0..9_usize, "[ -)+-~\n]{0,12}"), 1..6),
        cuts in prop::collection::vec(1..40_usize, 1..20),
        longest_line in prop_oneof![Just(usize::MAX), 1..200_usize],
    ) {
        let mask = mask(&values.iter().map(String::as_str).collect::<Vec<_>>());
        let mut stream = String::new();
        for (value, form, between) in &parts {
            let value: &String = value.get(&values);
            stream += &leaked(value, *form);
            stream += between;
        }
        // As a step's voice does it: whole lines, and parts of lines that are too long.
        let (mut told, mut partial) = (String::new(), Vec::new());
        let mut tell = |bytes: &[u8]| {
            told += &mask.apply(&String::from_utf8_lossy(bytes));
            told.push('\u{1}');
        };
        let mut rest = stream.as_bytes();
        for cut in cuts.iter().cycle() {
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            partial.extend_from_slice(chunk);
            let end = match partial.iter().rposition(|byte| *byte == b'\n') {
                Some(line_feed) => mask.whole_lines(&partial, line_feed + 1),
                None if partial.len() > longest_line => mask.part_of_line(&partial),
                None => 0,
            };
            if end > 0 {
                tell(&partial.drain(..end).collect::<Vec<_>>());
            }
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        tell(&partial);
        for (value, form, _) in &parts {
            let value: &String = value.get(&values);
            for line in told.split("***") {
                prop_assert!(!line.contains(&core(value, *form)), "{value:?} as form {form} in {told:?} from {stream:?}");
            }
        }
    }

    #[test]
    fn text_without_secrets_is_unchanged(value in "[A-Z]{4,20}", text in "[a-z0-9 +\"\n=&;ä-]{0,200}") {
        // Without capital letters, and so without the value and all of its forms but for a rare one in hexadecimal.
        prop_assert_eq!(mask(&[&value]).apply(&text), text.as_str());
    }

    #[test]
    fn what_is_not_a_secret_is_told_whole(
        text in "[ -~\nä€]{0,300}",
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mask = mask(&["\u{2603}never said", "\u{2603}\nby\nanyone"]);
        let (mut told, mut partial, mut rest) = (Vec::new(), Vec::new(), text.as_bytes());
        for cut in cuts.iter().cycle() {
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            partial.extend_from_slice(chunk);
            let end = match partial.iter().rposition(|byte| *byte == b'\n') {
                Some(line_feed) => mask.whole_lines(&partial, line_feed + 1),
                None => mask.part_of_line(&partial),
            };
            let piece: Vec<u8> = partial.drain(..end).collect();
            prop_assert!(std::str::from_utf8(&piece).is_ok(), "a character was cut");
            told.extend(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        told.extend(partial);
        let told = String::from_utf8(told).unwrap();
        prop_assert_eq!(mask.apply(&told), text.as_str());
    }
}

#[test]
fn of_a_url_the_path_is_masked_by_itself() {
    let mask = mask(&["https://hooks.example.com/services/T0/B0/x?key=1", "http://example.com/a"]);
    for (text, masked) in [
        ("POST /services/T0/B0/x?key=1 HTTP/1.1", "POST *** HTTP/1.1"),
        ("POST /services/T0/B0/x HTTP/1.1", "POST *** HTTP/1.1"),
        ("https://hooks.example.com/services/T0/B0/x?key=1", "***"),
        ("hooks.example.com", "hooks.example.com"),
        ("GET /a HTTP/1.1", "GET /a HTTP/1.1"),
    ] {
        assert_eq!(mask.apply(text), masked);
    }
}

#[test]
fn a_stream_is_covered_without_changing_its_length() {
    let mask = mask(&["hunter2-hunter2"]);
    let text = b"a hunter2-hunter2 b aHVudGVyMi1odW50ZXIy c hunter2-hunter";
    for size in [1, 5, 100] {
        let (mut held, mut told) = (Vec::new(), Vec::new());
        for chunk in text.chunks(size) {
            held.extend_from_slice(chunk);
            told.extend(mask.cover(&mut held, true));
            assert!(held.len() <= 2 * mask.holds_back() + size);
        }
        told.extend(mask.cover(&mut held, false));
        assert_eq!(String::from_utf8(told).unwrap(), "a *************** b ******************** c hunter2-hunter");
    }
}
