//! Rules explained, devices, and who would be locked out.

use protocol::manage::{
    DeviceLine, DryRunsReply, ExplainReply, RevokeDevicesReply, RolloutLine, RolloutReply, RuleLine,
    ShowUserReply, UserDetail,
};

use crate::daemon::{reply, run};
use crate::user::{asked, newcomer};

fn explanation() -> ExplainReply {
    let rule = |name: &str, line, failing: Option<&str>| RuleLine {
        name: name.into(),
        file: "/etc/mfad/mfad.toml".into(),
        line,
        failing: failing.map(str::to_owned),
    };
    ExplainReply {
        rules: vec![rule("git", 4, Some("users")), rule("admins", 9, None)],
        rule: Some("admins".into()),
        outcome: "totp is asked for".into(),
        ways: vec!["totp".into(), "recovery".into()],
        trace: "k3f9".into(),
    }
}

#[test]
fn a_login_is_explained_rule_by_rule() {
    let text = "\
git     no: users  /etc/mfad/mfad.toml:4
admins  matches    /etc/mfad/mfad.toml:9

what counts  rule \"admins\"
outcome      totp is asked for
ways         totp, recovery
trace        k3f9
";
    let call = concat!(
        r#"{"method":"io.mfad.Manage.Explain","parameters":{"user":"ada","service":"sudo","source":"local","#,
        r#""key_type":null,"key_fingerprint":null,"at":null}}"#
    );
    asked(&["explain", "ada", "--service", "sudo", "--from", "local"], reply(&explanation()), call, text, "");
    let call = concat!(
        r#"{"method":"io.mfad.Manage.Explain","parameters":{"user":"ada","service":"sshd","source":null,"#,
        r#""key_type":"sk-ssh-ed25519@openssh.com","key_fingerprint":null,"at":1793836800000}}"#
    );
    let words = &["explain", "ada", "--key", "sk-ssh-ed25519@openssh.com", "--at", "2026-11-05T00:00:00Z"];
    let half =
        "Half of the key is known: name the file of the public key, or rules may match that do not here.\n";
    asked(words, reply(&explanation()), call, text, half);
}

#[test]
fn devices_are_listed_and_forgotten() {
    let device = DeviceLine {
        id: 3,
        service: "sshd".into(),
        source: Some("192.0.2.0/24".into()),
        ssh_key: None,
        since: 1_793_887_402_000,
        until: 1_794_492_202_000,
        last_used: None,
    };
    let account = UserDetail { devices: vec![device], ..newcomer() };
    let call = r#"{"method":"io.mfad.Manage.ShowUser","parameters":{"user":"ada"}}"#;
    let line =
        "3  sshd from 192.0.2.0/24, since 2026-11-05 14:03:22, until 2026-11-12 14:03:22, not used yet\n";
    asked(&["devices", "list", "--user", "ada"], reply(&ShowUserReply { account }), call, line, "");
    let call = r#"{"method":"io.mfad.Manage.RevokeDevices","parameters":{"user":null,"id":3}}"#;
    let gone = |revoked| reply(&RevokeDevicesReply { revoked });
    asked(&["devices", "revoke", "3"], gone(1), call, "1 device forgotten.\n", "");
    asked(&["devices", "revoke", "3"], gone(0), call, "there is no device 3.\n", "");
    let call = r#"{"method":"io.mfad.Manage.RevokeDevices","parameters":{"user":"ada","id":null}}"#;
    asked(&["devices", "revoke", "--all", "--user", "ada"], gone(2), call, "ada: 2 devices forgotten.\n", "");
}

#[test]
fn who_would_be_locked_out_is_told_once_each() {
    let line = |user: &str, cause: &str, evidence: &str| RolloutLine {
        user: user.into(),
        cause: cause.into(),
        evidence: evidence.into(),
    };
    let accounts = RolloutReply { lines: vec![line("ada", "no-address", "account")] };
    let dry = DryRunsReply {
        lines: vec![line("ada", "not-enrolled", "dry-run"), line("zoe", "not-enrolled", "dry-run")],
        next: None,
    };
    let run = run(&["report", "rollout"], [reply(&accounts), reply(&dry)]);
    assert_eq!(run.stdout, "ada  no-address    account\nzoe  not-enrolled  dry-run\n");
    assert!(run.stderr.contains("2 would be locked out."), "{}", run.stderr);
    assert_eq!(run.code, 0);
}
