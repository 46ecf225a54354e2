//! Exports built here as the app builds them, whole, damaged, and from nothing but chance.

use data_encoding::BASE64;
use proptest::prelude::*;

use super::*;

const PLACE: Place = Place { line: 3, entry: None };

fn number(field: u8, value: u64) -> Vec<u8> {
    [vec![field << 3], varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(0x80 | u8::try_from(value & 0x7f).unwrap());
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

fn text(field: u8, value: &[u8]) -> Vec<u8> {
    [vec![field << 3 | 2], varint(value.len() as u64), value.to_vec()].concat()
}

fn entry(name: &str, numbers: [u64; 4]) -> Vec<u8> {
    let numbers = (4..).zip(numbers).flat_map(|(field, value)| number(field, value));
    let head = [text(1, b"12345678901234567890"), text(2, name.as_bytes()), text(3, b"Site")].concat();
    text(1, &head.into_iter().chain(numbers).collect::<Vec<_>>())
}

fn export(entries: &[Vec<u8>], batch: [u64; 2]) -> String {
    let tail = [number(2, 1), number(3, batch[0]), number(4, batch[1]), number(5, u64::MAX)].concat();
    BASE64.encode(&[entries.concat(), tail].concat())
}

fn kinds(data: &str) -> Vec<Result<Kind, Reason>> {
    parse(data, PLACE, None).into_iter().map(|it| it.map(|it| it.kind).map_err(|it| it.reason)).collect()
}

#[test]
fn every_entry_of_an_export_is_read() {
    let data = export(
        &[entry("Site:ada", [1, 1, 2, 0]), entry("bob", [3, 2, 1, 300]), entry("eve", [4, 1, 2, 0])],
        [1, 0],
    );
    let entries = parse(&data, PLACE, None);
    let ada = entries[0].as_ref().unwrap();
    assert_eq!(ada.user.as_deref(), Some("ada"));
    assert_eq!(ada.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(ada.notes, [""; 0]);
    let (digits, step) = (Digits::SIX, Step::HALF_A_MINUTE);
    assert_eq!(ada.kind, Kind::Totp { algorithm: Algorithm::Sha1, digits, step, drift: 0, last_step: None });
    let bob = entries[1].as_ref().unwrap();
    let algorithm = Algorithm::Sha512;
    assert_eq!(bob.kind, Kind::Hotp { algorithm, digits: Digits::EIGHT, counter: 300 });
    let eve = entries[2].as_ref().unwrap_err();
    assert_eq!(
        (eve.to_string().as_str(), eve.user.as_deref()),
        ("line 3, entry 3: MD5 codes are not known to mfad. Enrol the person anew", Some("eve"))
    );
}

#[test]
fn both_alphabets_of_base_64_and_lost_plus_signs_are_read() {
    // Chosen so that both + and / occur.
    let data = export(&[entry("Site:~~~\u{fffd}\u{fbff}ÿ??>>>", [1, 1, 2, 0])], [1, 0]);
    assert!(data.contains('+') && data.contains('/'), "{data}");
    for variant in [
        data.clone(),
        data.replace('+', " "),
        data.replace('+', "-").replace('/', "_"),
        data.trim_end_matches('=').to_owned(),
    ] {
        assert!(parse(&variant, PLACE, None)[0].is_ok(), "{variant}");
    }
}

#[test]
fn a_line_of_uris_leads_here() {
    let data = export(&[entry("Site:ada", [1, 1, 2, 0])], [1, 0]).replace('+', "%2B").replace('=', "%3D");
    for (line, user) in [
        (format!("otpauth-migration://offline?data={data}"), "ada"),
        (format!("alice otpauth-migration://offline?data={data}"), "alice"),
    ] {
        let read = super::super::otpauth::parse(&line);
        assert_eq!(read[0].as_ref().unwrap().user.as_deref(), Some(user));
    }
}

#[test]
fn one_part_of_several_says_so() {
    let entries = parse(&export(&[entry("ada", [1, 1, 2, 0])], [3, 1]), PLACE, None);
    assert_eq!(entries[0].as_ref().unwrap().notes, ["this is part 2 of an export of 3: import each"]);
}

#[test]
fn unknown_kinds_digits_and_counters_are_refused() {
    let negative = u64::MAX;
    let data = export(
        &[
            entry("a", [1, 1, 0, 0]),
            entry("a", [1, 3, 2, 0]),
            entry("a", [9, 1, 2, 0]),
            entry("a", [1, 1, 1, negative]),
            text(1, b""),
        ],
        [1, 0],
    );
    let refused = [
        Reason::NoKind,
        Reason::NotANumber("digits"),
        Reason::Algorithm("such"),
        Reason::NotANumber("counter"),
        Reason::NoKind,
    ];
    assert_eq!(kinds(&data), refused.map(Err));
}

#[test]
fn a_damaged_export_is_refused_whole() {
    let data = export(&[entry("ada", [1, 1, 2, 0])], [1, 0]);
    let whole = BASE64.decode(data.as_bytes()).unwrap();
    let cut = BASE64.encode(&whole[..30]);
    let endless = BASE64.encode(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    let huge = BASE64.encode(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    for bad in ["", "====", "not base 64!", "é", &cut, &endless, &huge] {
        assert_eq!(kinds(bad), [Err(Reason::Migration)], "{bad:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        prop_assert!(!parse(&BASE64.encode(&bytes), PLACE, None).is_empty());
        prop_assert!(!parse(&text, PLACE, Some("ada")).is_empty());
    }

    #[test]
    fn no_change_of_a_real_export_makes_it_panic(at in 0_usize..60, byte: u8, keep in 0_usize..80) {
        let data = export(&[entry("Site:ada", [1, 1, 2, 0])], [1, 0]);
        let mut bytes = BASE64.decode(data.as_bytes()).unwrap();
        bytes.truncate(keep);
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        prop_assert!(!parse(&BASE64.encode(&bytes), PLACE, None).is_empty());
    }

    #[test]
    fn a_number_is_read_as_it_was_written(value: u64) {
        prop_assert_eq!(Fields(&varint(value)).number(), Some(value));
    }
}
