//! Commands of guides that no throw-away host can run: what they do here, and where they are run for real.

/// Such a command.
pub struct OfTheHost {
    /// The whole line, as it stands in guides.
    pub command: &'static str,
    /// What happens here in its place.
    pub effect: Effect,
    /// Where it is run for real.
    pub proof: Proof,
}

/// What happens on a throw-away host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: what it would have done is there, or is not looked at.
    None,
    /// mfad gets SIGHUP.
    ReloadMfad,
    /// mfad is started, if it is down.
    StartMfad,
    /// mfad is killed, and started.
    RestartMfad,
    /// The module is in libpam's directory.
    PutModuleBack,
    /// sshd is started again, with the configuration as it is then.
    RestartSshd,
}

/// Where a command is run for real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// This script has this text: it runs on booted Debian systems, or with the real authselect.
    Script(&'static str, &'static str),
    /// By nothing of this project.
    Nowhere,
}

const GUEST: &str = "packaging/test/guest";
/// What the guest sources.
const LOGINS: &str = "packaging/test/logins";
const AUTHSELECT: &str = "packaging/test/authselect";

const fn row(command: &'static str, effect: Effect, proof: Proof) -> OfTheHost {
    OfTheHost { command, effect, proof }
}

/// All of them.
pub const OF_THE_HOST: &[OfTheHost] = &[
    row(
        "apt install ./mfad_*.deb ./libpam-mfad_*.deb",
        Effect::None,
        Proof::Script(GUEST, "dpkg -i ./*.deb"),
    ),
    row("systemctl reload mfad", Effect::ReloadMfad, Proof::Script(GUEST, "systemctl reload mfad\n")),
    row("systemctl restart mfad", Effect::RestartMfad, Proof::Script(GUEST, "systemctl restart mfad\n")),
    row(
        "systemctl start mfad.socket mfad.service",
        Effect::StartMfad,
        Proof::Script(GUEST, "systemctl start mfad.socket mfad.service\n"),
    ),
    row("systemctl restart ssh", Effect::RestartSshd, Proof::Script(GUEST, "systemctl restart ssh\n")),
    row(
        "systemctl status mfad.socket mfad",
        Effect::None,
        Proof::Script(GUEST, "systemctl status mfad.socket"),
    ),
    row(
        "journalctl -u mfad -n 50",
        Effect::None,
        Proof::Script(LOGINS, "journalctl -q --no-pager -n 40 -u mfad.service"),
    ),
    row("journalctl --vacuum-size=100M", Effect::None, Proof::Nowhere),
    row("apt install --reinstall libpam-mfad", Effect::PutModuleBack, Proof::Nowhere),
    row("apt purge libpam-mfad mfad", Effect::None, Proof::Script(GUEST, "dpkg -P mfad libpam-mfad")),
    // RHEL: nothing of this project runs there yet.
    row("systemctl restart sshd", Effect::RestartSshd, Proof::Nowhere),
    row("dnf install ./mfad-*.rpm ./pam_mfad-*.rpm", Effect::None, Proof::Nowhere),
    row("systemctl enable --now mfad.socket mfad.service", Effect::StartMfad, Proof::Nowhere),
    row("authselect current", Effect::None, Proof::Nowhere),
    // The real authselect selects it, on Debian and with other flags.
    row(
        "authselect select mfad with-faillock --backup=before-mfad",
        Effect::None,
        Proof::Script(AUTHSELECT, "select_and_try $profile with-faillock"),
    ),
    row("authselect backup-restore before-mfad", Effect::None, Proof::Nowhere),
];
