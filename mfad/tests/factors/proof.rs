//! For how long a proof entitles to changes of one's own factors.

use protocol::manage::Outcome;

use super::time_server::{Manner, await_clock, section, server};
use super::*;

/// Moves the daemon's clock so many seconds away from this host's.
fn turn_clock(running: &Running, seconds: i64) {
    let server = server(Manner::Says(seconds));
    running.configure(&section(&server));
    running.reload();
    await_clock(running, Outcome::Ok, &format!("{server}, "));
}

/// To break it: leave the time out of `Administration::entitlement`, or measure it by `at_least_since`.
#[test]
fn a_proof_entitles_for_ten_minutes_and_a_clock_that_jumps_makes_it_no_longer() {
    let running = Running::start("");
    let mut ada = running.manage_as(ADAS_UID);
    let (_, codes) = enrolled(&mut ada, None);
    turn_clock(&running, 0);
    let prove = |ada: &mut Peer, code: usize| {
        assert_eq!(log_in(ada, ADA, "mfactl", || codes[code].clone()), Then::End(Verdict::Allow));
    };
    let may_change = |ada: &mut Peer| {
        let prefer = manage::PreferFactor { user: None, factor: None };
        match ada.call(&prefer) {
            Ok(_) => true,
            Err(refused) if refused.contains("ProofNeeded") => false,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(!may_change(&mut ada));
    prove(&mut ada, 0);
    for (seconds, expected) in [(0, true), (540, true), (601, false), (540, true), (-120, false)] {
        turn_clock(&running, seconds);
        assert_eq!(may_change(&mut ada), expected, "{seconds} s later");
    }
    turn_clock(&running, 601);
    prove(&mut ada, 1);
    assert!(may_change(&mut ada), "a new proof begins anew");
}
