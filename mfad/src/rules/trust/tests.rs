use super::*;
use crate::config::{AddressSource, Config, FactorKind, Grace, Network};
use crate::rules::attempt::SshKey;
use crate::rules::policy::KnownAddress;
use crate::rules::properties::{attempt, context as context_with, enabled, settings};
use crate::vault::Vault;

const KNOWN: [KnownAddress; 1] = [KnownAddress { source: AddressSource::Account, address: None }];

fn context<'a>(config: &'a Config, vault: &'a Vault, attempt: &'a Attempt, seconds: u64) -> Context<'a> {
    context_with(config, vault, attempt, &KNOWN, seconds)
}

const ONE: &str = "SHA256:one";

fn key(fingerprint: &str) -> Option<SshKey> {
    Some(SshKey { kind: "ssh-ed25519".into(), fingerprint: fingerprint.into() })
}

fn site(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = settings();
    config.terms.trust.days = 7;
    change(&mut config);
    config
}

/// A person whose device was remembered in second 0, at place 1 with key [`ONE`].
fn remembered(config: &Config) -> Account {
    let vault = Vault::from_master(&[5; 32]);
    let here = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let mut account = enabled();
    note_proof(&mut account, &context(config, &vault, &here, 0), "email");
    remember(&mut account, &context(config, &vault, &here, 0), &mut Ledger::default());
    account
}

fn is_recognised(config: &Config, account: &mut Account, attempt: &Attempt, seconds: u64) -> bool {
    let vault = Vault::from_master(&[5; 32]);
    let context = context(config, &vault, attempt, seconds);
    recognise(account, &context, &mut Ledger::default()).is_some()
}

#[test]
fn a_device_is_recognised_by_all_that_it_was_remembered_by() {
    let config = site(|_| {});
    let account = remembered(&config);
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    for (attempt, expected) in [
        (same.clone(), true),
        (Attempt { ssh_key: key("SHA256:two"), ..attempt(1) }, false),
        (attempt(1), false),
        (Attempt { ssh_key: key(ONE), ..attempt(2) }, false),
        (Attempt { source: Source::Unknown, ..same.clone() }, false),
        (Attempt { source: Source::Local, ..same.clone() }, false),
        (Attempt { service: Service::read("sudo"), ..same.clone() }, false),
        (Attempt { told_by: ToldBy::Oneself, ..same }, false),
    ] {
        assert_eq!(is_recognised(&config, &mut account.clone(), &attempt, 60), expected, "{attempt:?}");
    }
}

#[test]
fn use_does_not_lengthen_it_and_neither_does_a_clock_that_jumps() {
    let config = site(|_| {});
    let mut account = remembered(&config);
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let week = 7 * 24 * 3600;
    for seconds in [1, week / 2, week - 1] {
        assert!(is_recognised(&config, &mut account, &same, seconds), "{seconds}");
    }
    assert!(!is_recognised(&config, &mut account, &same, week));
    // The wall clock was set back by a year; the boot clock knows better.
    let vault = Vault::from_master(&[5; 32]);
    let mut context = context(&config, &vault, &same, week);
    context.now.wall -= 365 * 24 * 3_600_000;
    assert!(recognise(&mut account, &context, &mut Ledger::default()).is_none());
}

#[test]
fn what_the_site_asks_for_now_counts_as_well() {
    let account = remembered(&site(|_| {}));
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let loose = remembered(&site(|config| config.terms.trust.bind = vec![Bind::SshKey]));
    let strict = site(|_| {});
    assert!(!is_recognised(&strict, &mut loose.clone(), &same, 60), "remembered without an address");
    let off = site(|config| config.terms.trust.days = 0);
    assert!(!is_recognised(&off, &mut account.clone(), &same, 60));
    let shorter = site(|config| config.terms.trust.days = 1);
    assert!(!is_recognised(&shorter, &mut account.clone(), &same, 2 * 24 * 3600));
    let shared = site(|config| config.terms.trust.services = vec!["sshd".into(), "sudo".into()]);
    let sudo = Attempt { service: Service::read("sudo"), ..same };
    assert!(is_recognised(&shared, &mut account.clone(), &sudo, 60));
}

#[test]
fn a_network_recognises_its_addresses() {
    let wide = Bind::Source(Network { v4: 24, v6: 64 });
    let config = site(|config| config.terms.trust.bind = vec![wide]);
    let mut account = remembered(&config);
    assert!(is_recognised(&config, &mut account, &attempt(200), 60));
    let elsewhere = Attempt { source: Source::Address([198, 51, 100, 1].into()), ..attempt(1) };
    assert!(!is_recognised(&config, &mut account, &elsewhere, 60));
}

#[test]
fn root_is_recognised_only_where_the_terms_say_so() {
    let vault = Vault::from_master(&[5; 32]);
    for (even_root, expected) in [(EvenRoot::No, Offer::None), (EvenRoot::Yes, Offer::Ask(7))] {
        let config = site(|config| config.terms.login.even_root = even_root);
        let here = Attempt { ssh_key: key(ONE), ..attempt(1) };
        let context = Context { uid: 0, ..context(&config, &vault, &here, 0) };
        assert_eq!(offer(&context), expected);
    }
}

#[test]
fn another_factor_or_address_ends_all_trust() {
    let config = site(|_| {});
    let mut account = remembered(&config);
    let before = account.ways_of_own();
    account.preferred = Some("totp".into());
    follow_factors(&before, &mut account);
    assert_eq!(account.trusted.devices.len(), 1, "an order is no change of factors");
    account.email = crate::address::EmailAddress::parse("new@example.org").ok();
    follow_factors(&before, &mut account);
    assert_eq!(account.trusted, Trusted { last: 1, ..Trusted::default() });
}

#[test]
fn whoever_is_reset_while_somebody_thinks_trusts_nothing_by_the_login_before() {
    let (config, vault) = (site(|_| {}), Vault::from_master(&[5; 32]));
    let here = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let mut account = enabled();
    note_proof(&mut account, &context(&config, &vault, &here, 0), "email");
    account.reset();
    remember(&mut account, &context(&config, &vault, &here, 60), &mut Ledger::default());
    assert_eq!(account.trusted.devices(context(&config, &vault, &here, 60).now).count(), 0);
    note_proof(&mut account, &context(&config, &vault, &here, 60), "email");
    remember(&mut account, &context(&config, &vault, &here, 60 + 15 * 60), &mut Ledger::default());
    assert_eq!(account.trusted.devices.len(), 0, "nobody thinks as long as that");
}

#[test]
fn a_device_is_worth_what_was_proved_there() {
    let config = site(|_| {});
    let account = remembered(&config);
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let apps = site(|config| config.terms.login.factors = vec![FactorKind::Totp]);
    assert!(!is_recognised(&apps, &mut account.clone(), &same, 60), "the site takes no mail any more");
    let mut moved = account.clone();
    moved.email = crate::address::EmailAddress::parse("new@example.org").ok();
    assert!(!is_recognised(&config, &mut moved, &same, 60), "another mailbox");
    assert!(is_recognised(&config, &mut account.clone(), &same, 60));
}

#[test]
fn a_device_that_is_revoked_has_no_grace_either() {
    let config = site(|config| {
        config.terms.login.grace = Some(Grace { within: Duration::from_secs(60), logins: 9 });
    });
    let (mut account, vault) = (remembered(&config), Vault::from_master(&[5; 32]));
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let ledger = &mut Ledger::default();
    assert_eq!(revoke(&mut account, &context(&config, &vault, &same, 1), Which::One(1), ledger), 1);
    assert!(!is_recognised(&config, &mut account, &same, 2));
}

#[test]
fn grace_ends_by_time_and_by_count_and_is_not_lengthened_by_use() {
    let grace = Grace { within: Duration::from_secs(60), logins: 3 };
    let config = site(|config| {
        config.terms.trust.days = 0;
        config.terms.login.grace = Some(grace);
    });
    let mut account = remembered(&config);
    let same = Attempt { ssh_key: key(ONE), ..attempt(1) };
    let other = Attempt { ssh_key: None, ..attempt(1) };
    assert!(!is_recognised(&config, &mut account, &other, 1), "another key");
    assert!(!is_recognised(&config, &mut account.clone(), &same, 60), "too late");
    for second in [1, 30, 59] {
        assert!(is_recognised(&config, &mut account, &same, second));
    }
    assert!(!is_recognised(&config, &mut account, &same, 59), "once too often");
}
