//! The two `.varlink` files say what the types say. After a change of a type: `BLESS=1 cargo test -p mfad-protocol`
//! rewrites the files; read the difference before you commit it.

use protocol::describe::Declared;
use protocol::{login, manage};

macro_rules! declarations {
    ($($kind:ty),+ $(,)?) => { vec![$(<$kind as Declared>::declaration()),+] };
}

fn check(file: &str, interface: &str, purpose: &str, declarations: &[String], described: &str) {
    let expected = format!("# {purpose}\ninterface {interface}\n\n{}\n", declarations.join("\n\n"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")), &expected).unwrap();
        return;
    }
    assert_eq!(described, expected, "{file} and the types differ");
}

#[test]
fn the_login_interface_is_described_as_it_is() {
    let declarations = declarations![
        login::Attempt,
        login::Conversation,
        login::Severity,
        login::Echo,
        login::Notice,
        login::Question,
        login::Verdict,
        login::Step,
        login::Shape,
        login::Expect,
        login::Begin,
        login::Continue,
        login::Answer,
        login::Cancel,
    ];
    let purpose = "A login, step by step, as the PAM module asks for it.";
    check("io.mfad.Login.varlink", login::INTERFACE, purpose, &declarations, login::DESCRIPTION);
}

#[test]
fn the_manage_interface_is_described_as_it_is() {
    let mut declarations = declarations![
        manage::Switch,
        manage::Lock,
        manage::UserLine,
        manage::ChallengeLine,
        manage::Enrolment,
        manage::FactorLine,
        manage::BypassLine,
        manage::DeviceLine,
        manage::RuleLine,
        manage::RolloutLine,
        manage::UserDetail,
        manage::Change,
        manage::Problem,
        manage::Outcome,
        manage::Finding,
        manage::Counter,
        manage::Follow,
        manage::EventLine,
        manage::AuditBreak,
        manage::HourLine,
        manage::Run,
        manage::Hello,
        manage::ListUsers,
        manage::ShowUser,
        manage::EnableUser,
        manage::DisableUser,
        manage::UnlockUser,
        manage::SetEmail,
        manage::StartEnrolment,
        manage::ConfirmEnrolment,
        manage::RemoveFactor,
        manage::PreferFactor,
        manage::NewRecovery,
        manage::IssueBypass,
        manage::RevokeBypass,
        manage::IssueTicket,
        manage::ResetUser,
        manage::ImportFactor,
        manage::RevokeDevices,
        manage::Explain,
        manage::Rollout,
        manage::DryRuns,
        manage::RotateKey,
        manage::CheckConfig,
        manage::Reload,
        manage::TestMail,
        manage::Events,
        manage::VerifyAudit,
        manage::Backup,
        manage::RestorePart,
        manage::Restore,
        manage::Stats,
        manage::Metrics,
        manage::Health,
    ];
    declarations.push("error Refused (reason: string)".to_owned());
    declarations.push("error ProofNeeded (reason: string)".to_owned());
    let purpose = "What mfactl asks of mfad: one method a verb.";
    check("io.mfad.Manage.varlink", manage::INTERFACE, purpose, &declarations, manage::DESCRIPTION);
}
