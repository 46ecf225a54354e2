//! The vectors of RFC 6238, the window and its ends, and what the window learns.

use super::*;

const SECRET: &[u8] = b"12345678901234567890";
const NOON: u64 = 1_700_000_010; // the first second of a step of thirty

fn app() -> Totp {
    Totp::new(Sealed::from_bytes(b""), Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS)
}

fn code_at(unix_seconds: u64) -> String {
    Codes::of(SECRET, Algorithm::Sha1, Digits::SIX).unwrap().code(unix_seconds / 30).to_string()
}

/// Shows the code of one time at another, and spends it if it is right.
fn login(app: &mut Totp, shown_at: u64, typed_at: u64) -> Comparison {
    let comparison = app.compare(SECRET, &code_at(shown_at), typed_at, 1);
    if let Comparison::Right(matched) = comparison.clone() {
        matched.spend(app);
    }
    comparison
}

fn is_right(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Right(_))
}

#[test]
fn the_codes_are_those_of_rfc_6238_appendix_b() {
    let times = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000];
    let vectors = [
        (Algorithm::Sha1, 20, ["94287082", "07081804", "14050471", "89005924", "69279037", "65353130"]),
        (Algorithm::Sha256, 32, ["46119246", "68084774", "67062674", "91819424", "90698825", "77737706"]),
        (Algorithm::Sha512, 64, ["90693936", "25091201", "99943326", "93441116", "38618901", "47863826"]),
    ];
    for (algorithm, bytes, codes) in vectors {
        let secret: Vec<u8> = SECRET.iter().copied().cycle().take(bytes).collect();
        let digits = Digits::new(8).unwrap();
        let app = Totp::new(Sealed::from_bytes(b""), algorithm, digits, StepLength::THIRTY_SECONDS);
        for (time, code) in times.into_iter().zip(codes) {
            assert!(is_right(&app.compare(&secret, code, time, 0)), "{algorithm:?} at {time}");
            assert_eq!(app.compare(&secret, &code[2..], time, 0), Comparison::Wrong { clock_off: None });
        }
    }
}

#[test]
fn the_window_reaches_as_far_as_it_is_set() {
    for skew in [0u8, 1, 3, 10, 255] {
        let reach = i64::from(skew.min(10));
        for off in -35..=35i64 {
            let shown = code_at(NOON.saturating_add_signed(off * 30));
            let comparison = app().compare(SECRET, &shown, NOON, skew);
            if off.abs() <= reach {
                assert!(is_right(&comparison), "{off} of {skew}");
            } else {
                let clock_off = (off.abs() <= reach + 20).then_some(off * 30);
                assert_eq!(comparison, Comparison::Wrong { clock_off }, "{off} of {skew}");
            }
        }
    }
}

#[test]
fn a_code_is_used_once_and_takes_those_before_it_along() {
    let mut app = app();
    assert!(is_right(&login(&mut app, NOON, NOON)));
    assert_eq!(login(&mut app, NOON, NOON + 29), Comparison::Reused);
    assert_eq!(login(&mut app, NOON - 30, NOON), Comparison::Reused);
    assert_eq!(login(&mut app, NOON, NOON - 30), Comparison::Reused, "also after the clock went back");
    app = serde_json::from_str(&serde_json::to_string(&app).unwrap()).unwrap();
    assert_eq!(login(&mut app, NOON, NOON + 30), Comparison::Reused);
    assert_eq!(
        login(&mut app, NOON, NOON + 90),
        Comparison::Wrong { clock_off: None },
        "an old code, no clock"
    );
    assert!(is_right(&login(&mut app, NOON + 30, NOON + 30)));
}

#[test]
fn a_match_that_is_not_spent_changes_nothing() {
    let app = app();
    for _ in 0..2 {
        assert!(is_right(&app.compare(SECRET, &code_at(NOON), NOON, 1)));
    }
}

#[test]
fn spaces_and_dashes_do_not_matter_and_anything_else_does() {
    let code = code_at(NOON);
    let (left, right) = code.split_at(3);
    for typed in [format!(" {left} {right}"), format!("{left}-{right}\n")] {
        assert!(is_right(&app().compare(SECRET, &typed, NOON, 1)), "{typed:?}");
    }
    for typed in ["", "0", &code[..5], &format!("{code}0"), &format!("0{code}"), "abcdef", "１２３４５６"]
    {
        assert_eq!(app().compare(SECRET, typed, NOON, 1), Comparison::Wrong { clock_off: None }, "{typed:?}");
    }
    assert_eq!(app().compare(b"", &code, NOON, 1), Comparison::Wrong { clock_off: None });
}

#[test]
fn no_time_and_no_kept_number_makes_it_panic() {
    for time in [0, 1, 29, 30, 89, u64::MAX - 1, u64::MAX] {
        for last_step in [None, Some(0), Some(time / 30), Some(u64::MAX)] {
            for drift in [i8::MIN, -3, 0, 2, i8::MAX] {
                for skew in [0, 1, 10, 255] {
                    let app = Totp { last_step, drift, ..app() };
                    let _ = app.compare(SECRET, &code_at(time), time, skew);
                }
            }
        }
    }
}

#[test]
fn the_window_follows_a_clock_that_goes_wrong_slowly() {
    for sign in [-1i64, 1] {
        let mut app = app();
        for day in 1..=45u64 {
            // A second a day; the code is typed at once, at all times of a step.
            let typed_at = NOON + day * 86_400 + day * 7;
            let shown_at = typed_at.saturating_add_signed(sign * i64::try_from(day).unwrap());
            assert!(is_right(&login(&mut app, shown_at, typed_at)), "day {day}, {sign}");
        }
        assert_eq!(i64::from(app.drift), sign);
    }
}

#[test]
fn the_window_always_holds_the_code_that_is_shown_now() {
    for skew in 0..=10 {
        for drift in i8::MIN..=i8::MAX {
            let app = Totp { drift, ..app() };
            assert!(is_right(&app.compare(SECRET, &code_at(NOON), NOON, skew)), "{drift} of {skew}");
        }
    }
}

#[test]
fn a_wrong_code_teaches_nothing_and_no_drift_is_more_than_two_steps() {
    let mut app = app();
    let before = app.clone();
    let _ = login(&mut app, NOON + 120, NOON);
    assert_eq!(app, before);
    for off in [-12, 12i64] {
        let shown = code_at(NOON.saturating_add_signed(off * 30));
        let Comparison::Right(matched) = Totp { drift: 2, ..app.clone() }.compare(SECRET, &shown, NOON, 10)
        else {
            continue;
        };
        assert!(matched.drift.abs() <= 2);
    }
}

#[test]
fn an_app_that_was_used_elsewhere_goes_on_where_it_was() {
    let history = History { drift: Drift::new(-2).unwrap(), last_step: Some(NOON / 30 - 2) };
    let mut app = app().with_history(history);
    assert_eq!(login(&mut app, NOON - 60, NOON), Comparison::Reused);
    assert!(is_right(&login(&mut app, NOON - 30, NOON)));
    let mut slow = self::app().with_history(History { last_step: None, ..history });
    assert!(is_right(&login(&mut slow, NOON - 60, NOON)), "a slow clock is followed from the first login on");
    for (steps, is_followed) in
        [(i64::MIN, false), (-3, false), (-2, true), (2, true), (3, false), (258, false)]
    {
        assert_eq!(Drift::new(steps).is_some(), is_followed, "{steps}");
    }
}
