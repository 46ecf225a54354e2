//! URIs as apps write them, and as nobody should.

use proptest::prelude::*;

use super::*;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn one(line: &str) -> Result<Imported, Refusal> {
    let mut all = parse(line);
    assert_eq!(all.len(), 1, "{line}");
    all.remove(0)
}

fn reason(line: &str) -> Reason {
    one(line).unwrap_err().reason
}

#[test]
fn a_full_uri_is_read_and_a_short_one_has_the_usual_parameters() {
    let full = one(&format!(
        "otpauth://totp/Example%20Ltd:ada?secret={SECRET}&issuer=Example%20Ltd&algorithm=SHA512&digits=8&period=60"
    ))
    .unwrap();
    assert_eq!(full.user.as_deref(), Some("ada"));
    assert_eq!(full.secret.expose(), SECRET);
    let step = Step::new(60).unwrap();
    let digits = Digits::EIGHT;
    assert_eq!(
        full.kind,
        Kind::Totp { algorithm: Algorithm::Sha512, digits, step, drift: 0, last_step: None }
    );

    let short = one(&format!("OTPAUTH://TOTP/ada?secret={}", SECRET.to_lowercase())).unwrap();
    let (digits, step) = (Digits::SIX, Step::HALF_A_MINUTE);
    assert_eq!(
        short.kind,
        Kind::Totp { algorithm: Algorithm::Sha1, digits, step, drift: 0, last_step: None }
    );
    assert_eq!(short.secret.expose(), SECRET);
}

#[test]
fn a_counted_one_needs_its_counter() {
    let counted = one(&format!("otpauth://hotp/ada?secret={SECRET}&counter=42")).unwrap();
    assert_eq!(counted.kind, Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 42 });
    assert_eq!(reason(&format!("otpauth://hotp/ada?secret={SECRET}")), Reason::NoCounter);
}

#[test]
fn the_user_stands_before_the_uri_or_in_the_label() {
    for (line, user) in [
        (format!("alice otpauth://totp/Site:ada?secret={SECRET}"), Some("alice")),
        (format!("alice\t  otpauth://totp/?secret={SECRET}"), Some("alice")),
        (format!("otpauth://totp/Site%3Aada?secret={SECRET}"), Some("ada")),
        (format!("otpauth://totp/Site:%20ada?secret={SECRET}"), Some("ada")),
        (format!("otpauth://totp/J%C3%BCrgen?secret={SECRET}"), Some("Jürgen")),
        (format!("otpauth://totp/?secret={SECRET}"), None),
        (format!("otpauth://totp/Site:?secret={SECRET}"), None),
    ] {
        assert_eq!(one(&line).unwrap().user.as_deref(), user, "{line}");
    }
}

#[test]
fn a_name_like_an_address_is_pointed_out() {
    let line = format!("otpauth://totp/ada@host.example?secret={SECRET}");
    let imported = one(&line).unwrap();
    assert_eq!(imported.user.as_deref(), Some("ada@host.example"));
    assert_eq!(imported.notes.len(), 1);
    assert!(one(&format!("ada {line}")).unwrap().notes.is_empty());
}

#[test]
fn what_mfad_cannot_do_is_refused() {
    for (rest, expected) in [
        ("&algorithm=MD5", Reason::Algorithm("MD5")),
        ("&algorithm=SHA3-256", Reason::Algorithm("such")),
        ("&encoder=steam", Reason::Algorithm("specially written")),
        ("&digits=5", Reason::Digits(5)),
        ("&digits=9", Reason::Digits(9)),
        ("&digits=six", Reason::NotANumber("digits")),
        ("&period=0", Reason::Step(0)),
        ("&period=121", Reason::Step(121)),
        ("&secret=AAAA", Reason::Twice("secret")),
        ("&Digits=6&digits=8", Reason::Twice("digits")),
    ] {
        assert_eq!(reason(&format!("otpauth://totp/ada?secret={SECRET}{rest}")), expected, "{rest}");
    }
    for (line, expected) in [
        ("otpauth://totp/ada?issuer=x", Reason::NoSecret),
        ("otpauth://totp/ada", Reason::NoSecret),
        ("otpauth://totp/ada?secret=GEZDGNBV", Reason::ShortSecret(40)),
        ("otpauth://totp/ada?secret=GEZD1NBVGY3TQOJQ", Reason::NotBase32),
        ("otpauth://totp/a%da?secret=GEZDGNBVGY3TQOJQ", Reason::Uri),
        ("otpauth://totp/a%?secret=GEZDGNBVGY3TQOJQ", Reason::Uri),
        ("otpauth://totp/%ff?secret=GEZDGNBVGY3TQOJQ", Reason::Uri),
        ("otpauth://yaotp/ada?secret=GEZDGNBVGY3TQOJQ", Reason::NoKind),
        ("otpauth://totp?secret=GEZDGNBVGY3TQOJQ", Reason::Uri),
        ("https://example.org/?secret=GEZDGNBVGY3TQOJQ", Reason::Uri),
        ("otpauth-migration://offline", Reason::Migration),
        ("otpauth-migration://offline?data=%%", Reason::Uri),
        ("otpauth-migration://offline?data=AAAA", Reason::Migration),
    ] {
        assert_eq!(reason(line), expected, "{line}");
    }
}

#[test]
fn empty_lines_and_comments_are_passed_over_and_counted() {
    let text = format!("# export\n\n  otpauth://totp/ada?secret={SECRET}  \r\nbob\n");
    let outcomes = parse(&text);
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().place, Place { line: 4, entry: None });
}

#[test]
fn dashes_and_the_prefix_hmac_do_not_change_an_algorithm() {
    for (name, expected) in
        [("SHA-256", Algorithm::Sha256), ("HmacSHA1", Algorithm::Sha1), ("sha512", Algorithm::Sha512)]
    {
        assert_eq!(algorithm(name), Ok(expected));
    }
}

proptest! {
    #[test]
    fn no_line_is_too_strange(text in any::<String>(), query in "[a-z=&%?#0-9A-F]{0,60}", data in "[A-Za-z0-9+/_=%-]{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("otpauth://totp/{text}?secret={SECRET}&{query}"));
        let _ = parse(&format!("{text} otpauth-migration://offline?data={data}"));
    }
}
