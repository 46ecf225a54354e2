use proptest::prelude::*;

use super::*;

const APP: &[Shape] = &[Shape::SixDigits, Shape::Letters];

fn parts(typed: &str, shapes: &[Shape]) -> Option<(String, String)> {
    split(typed.as_bytes(), shapes)
        .map(|parts| (String::from_utf8(parts.password.to_vec()).unwrap(), parts.code.expose().to_owned()))
}

#[test]
fn the_end_is_split_off_where_it_has_a_shape_that_the_person_has() {
    type Row<'a> = (&'a str, &'a [Shape], Option<(&'a str, &'a str)>);
    let table: &[Row<'_>] = &[
        ("correct horse123456", APP, Some(("correct horse", "123456"))),
        ("horse654321123456", APP, Some(("horse654321", "123456"))),
        ("horse12345678", APP, Some(("horse12", "345678"))),
        ("horse12345678", &[Shape::EightDigits, Shape::SixDigits], Some(("horse", "12345678"))),
        ("horse123456", &[Shape::EightDigits, Shape::SixDigits], Some(("horse", "123456"))),
        ("horse1234567", &[Shape::SevenDigits], Some(("horse", "1234567"))),
        ("horse0123-4567-89ab-cdef", APP, Some(("horse", "0123-4567-89ab-cdef"))),
        ("a-b-0123-4567-89AB-CDEF", APP, Some(("a-b-", "0123-4567-89AB-CDEF"))),
        ("pässwörd123456", APP, Some(("pässwörd", "123456"))),
        // Nothing to split off.
        ("horse123456", &[], None),
        ("horse123456", &[Shape::Letters], None),
        ("horse12345", APP, None),
        ("horse123456 ", APP, None),
        ("horse123 456", APP, None),
        ("horse１２３４５６", APP, None),
        ("correcthorsebatterystaple", APP, None),
        ("horse0123456789abcdef", APP, None),
        ("horse0123-4567-89ab-cde", APP, None),
        ("horse/0123-4567-89ab", APP, None),
        ("horse0123-4567-89ab-cdeu", APP, None),
        ("", APP, None),
        // A code without a password stays what it is: directories take an empty one for an anonymous bind.
        ("123456", APP, None),
        ("0123-4567-89ab-cdef", APP, None),
    ];
    for (typed, shapes, expected) in table {
        let expected = expected.map(|(password, code)| (password.to_owned(), code.to_owned()));
        assert_eq!(parts(typed, shapes), expected, "{typed:?} {shapes:?}");
    }
}

#[test]
fn a_password_need_not_be_text() {
    let parts = split(b"\xff\xfe123456", APP).unwrap();
    assert_eq!((parts.password, parts.code.expose()), (b"\xff\xfe".as_slice(), "123456"));
    assert_eq!(split(b"horse0123-4567-89ab-\xffdef", APP), None);
}

#[test]
fn what_sshd_types_for_people_who_may_not_log_in_has_no_code() {
    let junk = "\u{8}\n\r\u{7f}INCORRECT".repeat(3);
    for length in 1..=junk.len() {
        assert!(!may_be(&junk.as_bytes()[..length]));
    }
}

/// A code of this shape.
fn code(shape: Shape) -> BoxedStrategy<String> {
    match shape {
        Shape::SixDigits => "[0-9]{6}".boxed(),
        Shape::SevenDigits => "[0-9]{7}".boxed(),
        Shape::EightDigits => "[0-9]{8}".boxed(),
        Shape::Letters => "[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}".boxed(),
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    proptest::sample::select(Shape::ALL)
}

proptest! {
    /// Whatever the password ends in, digits and dashes too, the person's own code comes off it whole.
    #[test]
    fn a_code_comes_off_any_password(
        (shape, code) in shape().prop_flat_map(|shape| (Just(shape), code(shape))),
        password in "(.{1,20}|[0-9-]{1,20}|[a-f]{4}-)",
    ) {
        let typed = format!("{password}{code}");
        prop_assert_eq!(parts(&typed, &[shape]), Some((password, code)));
    }

    /// Nothing is lost, nothing is added, and no password is empty.
    #[test]
    fn both_parts_together_are_what_was_typed(
        typed in proptest::collection::vec(prop_oneof![any::<u8>(), b'0'..=b'9', Just(b'-')], 0..40),
        shapes in proptest::collection::vec(shape(), 0..4),
    ) {
        if let Some(parts) = split(&typed, &shapes) {
            prop_assert!(!parts.password.is_empty());
            prop_assert_eq!([parts.password, parts.code.expose().as_bytes()].concat(), typed.clone());
            prop_assert!(may_be(&typed));
        }
    }
}
