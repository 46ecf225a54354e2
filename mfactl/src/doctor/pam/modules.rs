//! What is known of modules: which of them check who somebody is, which only decide the way, and which always say the same.

use std::path::Path;

use super::Code;

/// The name of ours.
pub const OURS: &str = "pam_mfad.so";

/// What a line with our module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Asks for the second factor.
    Asks,
    /// Takes the code off the password, and lets everybody pass.
    Splits,
}

/// What a module's answer depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is ours.
    Ours(Part),
    /// On a password, or whatever it takes for a proof. So is every module that is not known.
    Proof(Proof),
    /// On the account, the time or the place: nothing that a person proves.
    Condition,
    /// On whether root runs the program.
    Root,
    /// On nothing that opens a door.
    Aside,
    /// On nothing at all.
    Always(Code),
}

/// What is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A password.
    Password,
    /// A finger, a face, a card, a key, another code.
    Token,
    /// Nobody here knows.
    Unknown,
}

const PASSWORDS: &[&str] = &[
    "unix",
    "unix2",
    "sss",
    "krb5",
    "ldap",
    "winbind",
    "systemd_home",
    "kanidm",
    "himmelblau",
    "aad",
    "userdb",
    "tcb",
    "pwdfile",
    "mysql",
    "pgsql",
    "ccreds",
    "heimdal",
    "afs_session",
    "ssh",
    "authd",
    "opendirectory",
];

const TOKENS: &[&str] = &[
    "fprintd",
    "u2f",
    "ssh_agent_auth",
    "google_authenticator",
    "oath",
    "duo",
    "yubico",
    "p11",
    "pkcs11",
    "rssh",
    "howdy",
    "face",
    "otpw",
    "radius",
    "radius_auth",
    "privacyidea",
    "poldi",
    "usb",
];

const CONDITIONS: &[&str] = &[
    "succeed_if",
    "localuser",
    "usertype",
    "listfile",
    "wheel",
    "access",
    "time",
    "shells",
    "nologin",
    "securetty",
    "rhosts",
    "faillock",
    "tally",
    "tally2",
    "exec",
    "script",
    "limits",
    "abl",
    "issue",
    "geoip",
    "namespace",
    "unix_not_set_pass",
    "selinux_permit",
    "sepermit",
    "stress",
    "debug",
    "cracklib",
];

/// Lets those in whom sepermit.conf(5) names: kiosk accounts, which have no password (gdm of Fedora).
pub const KIOSK: &str = "pam_selinux_permit.so";

const ASIDES: &[&str] = &[
    "env",
    "faildelay",
    "cap",
    "group",
    "keyinit",
    "gnome_keyring",
    "kwallet",
    "kwallet5",
    "ecryptfs",
    "mount",
    "lastlog",
    "lastlog2",
    "motd",
    "mail",
    "selinux",
    "setquota",
    "echo",
    "ftp",
    "fscrypt",
    "loginuid",
    "mkhomedir",
    "systemd",
    "xauth",
    "timestamp",
    "apparmor",
    "umask",
    "elogind",
];

/// Programs that somebody else than root starts, and that therefore have root as their user only if root did. To the
/// others, which are daemons, pam_rootok always says yes.
const STARTED_BY_USERS: &[&str] = &[
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "sudo-rs",
    "doas",
    "runuser",
    "runuser-l",
    "chfn",
    "chsh",
    "chpasswd",
    "newusers",
    "passwd",
    "groupadd",
    "groupdel",
    "groupmod",
    "useradd",
    "userdel",
    "usermod",
    "chage",
    "chgpasswd",
    "polkit-1",
    "pkexec",
    "ksu",
    "atd",
    "config-util",
    "vlock",
    "xscreensaver",
    "swaylock",
    "i3lock",
];

/// Whether a module that checks a password says PAM_IGNORE at times, which a `required` lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abstention {
    /// It says yes or no.
    Never,
    /// Of some people it says nothing.
    Sometimes,
}

/// Modules for passwords abstain only where an argument says so (`ignore_root` and `minimum_uid=` of pam_krb5,
/// `ignore_unknown_user` of pam_sss and pam_ldap); others do as they like (`nullok`, `nouserok`).
pub fn abstention(role: Role, arguments: &[String]) -> Abstention {
    let says_so =
        |it: &String| it.starts_with("ignore") || it.starts_with("minimum_uid") || it == "unknown_ok";
    let is_strict = role == Role::Proof(Proof::Password) && !arguments.iter().any(says_so);
    if is_strict { Abstention::Never } else { Abstention::Sometimes }
}

/// The file name of a module.
pub fn name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

/// What a module's answer depends on, in the stack of this service.
pub fn role(path: &str, arguments: &[String], service: &str) -> Role {
    let file = name(path);
    let short = file.strip_prefix("pam_").unwrap_or(file);
    let short = short.strip_suffix(".so").unwrap_or(short);
    let is_in = |names: &[&str]| names.contains(&short);
    match short {
        "mfad" if arguments.iter().any(|it| it == "append=split") => Role::Ours(Part::Splits),
        "mfad" => Role::Ours(Part::Asks),
        "permit" => Role::Always(Code::SUCCESS),
        "deny" => Role::Always(Code::AUTH_ERR),
        "warn" => Role::Always(Code::IGNORE),
        "rootok" if STARTED_BY_USERS.contains(&service) => Role::Root,
        "rootok" => Role::Always(Code::SUCCESS),
        _ if is_in(PASSWORDS) => Role::Proof(Proof::Password),
        _ if is_in(TOKENS) => Role::Proof(Proof::Token),
        _ if is_in(CONDITIONS) => Role::Condition,
        _ if is_in(ASIDES) => Role::Aside,
        _ => Role::Proof(Proof::Unknown),
    }
}
