//! Properties of the factors that count: whatever is typed in whatever order, whatever the clock does, however often the
//! daemon starts again, no step and no counter grants twice. To see them fail, let `spend` keep `last_step` or `counter`.

use std::collections::HashSet;

use proptest::prelude::*;

use super::hotp::{self, Hotp};
use super::oath::{Algorithm, Codes, Digits};
use super::sealed::Sealed;
use super::totp::{self, StepLength, Totp};

const SECRET: &[u8] = b"12345678901234567890";
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

fn code(algorithm: Algorithm, counter: u64) -> String {
    Codes::of(SECRET, algorithm, Digits::SIX).unwrap().code(counter).to_string()
}

/// True if another step of any window around this one has the same code: one in a hundred thousand.
fn shares_its_code(step: u64) -> bool {
    let typed = code(Algorithm::Sha1, step);
    (step - 6..=step + 6).any(|other| other != step && code(Algorithm::Sha1, other) == typed)
}

/// As the store does it between two steps.
fn restarted<T: serde::Serialize + serde::de::DeserializeOwned>(kept: &T) -> T {
    serde_json::from_str(&serde_json::to_string(kept).unwrap()).unwrap()
}

/// What can happen to an app and a token.
#[derive(Debug, Clone)]
enum Happening {
    /// The code so many steps away is typed.
    Type(i64),
    /// A code that is not right is typed.
    Guess,
    /// The last code is typed again.
    Repeat,
    /// The clock moves, either way.
    Clock(i64),
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (-4..=4i64).prop_map(Happening::Type),
        2 => (-26..=26i64).prop_map(Happening::Type),
        1 => Just(Happening::Guess),
        2 => Just(Happening::Repeat),
        3 => (-100..=100i64).prop_map(Happening::Clock),
        1 => (-100_000..=100_000i64).prop_map(Happening::Clock),
        1 => Just(Happening::Restart),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_step_grants_at_most_once(
        happenings in happenings(), hash in 0..3usize, skew in 0..=10u8, start in 0..4_000_000_000u64
    ) {
        let algorithm = ALGORITHMS[hash];
        let mut app = Totp::new(Sealed::from_bytes(b""), algorithm, Digits::SIX, StepLength::THIRTY_SECONDS);
        let (mut now, mut typed, mut granted) = (start, code(algorithm, 0), HashSet::new());
        for happening in happenings {
            match happening {
                Happening::Type(off) => typed = code(algorithm, (now / 30).saturating_add_signed(off)),
                Happening::Guess => typed = "000000".to_owned(),
                Happening::Repeat => {}
                Happening::Clock(seconds) => now = now.saturating_add_signed(seconds),
                Happening::Restart => app = restarted(&app),
            }
            if let totp::Comparison::Right(matched) = app.compare(SECRET, &typed, now, skew) {
                prop_assert_eq!(&code(algorithm, matched.step()), &typed);
                prop_assert!(granted.insert(matched.step()), "a step granted twice");
                matched.spend(&mut app);
            }
        }
    }

    #[test]
    fn a_person_whose_clock_is_nearly_right_is_never_shut_out(
        ahead in -15..=15i64, logins in prop::collection::vec((31..5000u64, 0..=15u64), 1..40)
    ) {
        let mut app =
            Totp::new(Sealed::from_bytes(b""), Algorithm::Sha1, Digits::SIX, StepLength::THIRTY_SECONDS);
        let mut now = 1_700_000_000u64;
        for (pause, typing) in logins {
            // A pause that is longer than a step and the typing, so that a code has not been used yet.
            now += pause + 30;
            let shown = now.saturating_add_signed(ahead) - typing;
            let step = shown / 30;
            if shares_its_code(step) {
                continue;
            }
            let comparison = app.compare(SECRET, &code(Algorithm::Sha1, step), now, 1);
            let totp::Comparison::Right(matched) = comparison else { panic!("{comparison:?} of {app:?}") };
            matched.spend(&mut app);
        }
    }

    #[test]
    fn a_counter_grants_at_most_once_and_never_goes_back(
        happenings in happenings(), hash in 0..3usize, start in prop_oneof![0..100u64, u64::MAX - 60..=u64::MAX]
    ) {
        let algorithm = ALGORITHMS[hash];
        let mut token = Hotp::new(Sealed::from_bytes(b""), algorithm, Digits::SIX, start);
        let (mut pressed, mut typed, mut granted) = (start, code(algorithm, start), HashSet::new());
        for happening in happenings {
            match happening {
                Happening::Type(off) => pressed = token.counter().saturating_add_signed(off),
                // The token's own next code: what resynchronises.
                Happening::Clock(_) => pressed = pressed.saturating_add(1),
                Happening::Guess | Happening::Repeat => {}
                Happening::Restart => token = restarted(&token),
            }
            typed = match happening {
                Happening::Guess => "000000".to_owned(),
                Happening::Repeat | Happening::Restart => typed,
                Happening::Type(_) | Happening::Clock(_) => code(algorithm, pressed),
            };
            let before = token.counter();
            if let hotp::Comparison::Right(matched) = token.compare(SECRET, &typed) {
                matched.spend(&mut token);
                prop_assert!(token.counter() > before);
                prop_assert!(granted.insert(token.counter() - 1), "a counter granted twice");
                prop_assert_eq!(&code(algorithm, token.counter() - 1), &typed);
            }
            prop_assert!(token.counter() >= before);
        }
    }
}
