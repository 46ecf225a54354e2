//! The stacks of Debian 12, Debian 13, Ubuntu 24.04 and of authselect's profiles, with our line where the README puts it:
//! nothing is found, and every claim holds against libpam. As the packages ship them: libpam-runtime, openssh-server,
//! login, util-linux, sudo, gdm3, lightdm, cockpit; authselect 1.5.

use std::path::Path;

use mfactl::doctor::finding::{Severity, State};
use mfactl::doctor::services;
use mfactl::doctor::stacks::Beforehand;

use crate::claims;
use crate::libpam::Bench;

/// A file of /etc/pam.d; `{name}` stands for the path of another.
type File = (&'static str, &'static str);

/// libpam-runtime's template, filled by pam-auth-update: pam_unix, pam_cap.
const DEBIAN_AUTH: &str = "\
#
# /etc/pam.d/common-auth - authentication settings common to all services
#
# here are the per-package modules (the \"Primary\" block)
auth\t[success=1 default=ignore]\tpam_unix.so nullok
# here's the fallback if no module succeeds
auth\trequisite\t\t\tpam_deny.so
# prime the stack with a positive return value if there isn't one already;
# this avoids us returning an error just because nothing sets a success code
# since the modules above will each just jump around
auth\trequired\t\t\tpam_permit.so
# and here are more per-package modules (the \"Additional\" block)
auth\toptional\t\t\tpam_cap.so
# end of pam-auth-update config
";

/// The same with sssd, as realmd leaves it.
const DEBIAN_SSS_AUTH: &str = "\
auth\t[success=2 default=ignore]\tpam_unix.so nullok
auth\t[success=1 default=ignore]\tpam_sss.so use_first_pass
auth\trequisite\t\t\tpam_deny.so
auth\trequired\t\t\tpam_permit.so
auth\toptional\t\t\tpam_cap.so
";

/// With libpam-krb5 and libpam-fprintd.
const DEBIAN_KRB5_AUTH: &str = "\
auth\t[success=3 default=ignore]\tpam_fprintd.so max-tries=1 timeout=10 # debug
auth\t[success=2 default=ignore]\tpam_krb5.so minimum_uid=1000
auth\t[success=1 default=ignore]\tpam_unix.so nullok try_first_pass
auth\trequisite\t\t\tpam_deny.so
auth\trequired\t\t\tpam_permit.so
auth\toptional\t\t\tpam_cap.so
";

const DEBIAN_SSHD: &str = "\
# PAM configuration for the Secure Shell service

# Standard Un*x authentication.
@include {common-auth}
auth    required    pam_mfad.so

# Disallow non-root logins when /etc/nologin exists.
account    required     pam_nologin.so
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close
session    optional     pam_motd.so  motd=/run/motd.dynamic
";

const DEBIAN_LOGIN: &str = "\
auth       optional   pam_faildelay.so  delay=3000000
auth       requisite  pam_nologin.so
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close
@include {common-auth}
auth       required   pam_mfad.so
auth       optional   pam_group.so
";

const UBUNTU_LOGIN: &str = "\
auth       optional   pam_faildelay.so  delay=3000000
auth [success=ok new_authtok_reqd=ok ignore=ignore user_unknown=bad default=die] pam_securetty.so
auth       requisite  pam_nologin.so
@include {common-auth}
auth       required   pam_mfad.so
auth       optional   pam_group.so
";

const DEBIAN_SU: &str = "\
auth       sufficient pam_rootok.so
# auth       required   pam_wheel.so
# auth       sufficient pam_wheel.so trust
session       required   pam_env.so readenv=1
@include {common-auth}
auth       required   pam_mfad.so
";

const DEBIAN_SU_L: &str =
    "auth\t\tinclude\t\t{su}\naccount\t\tinclude\t\t{su}\nsession\t\toptional\tpam_keyinit.so force revoke\n";

const DEBIAN_SUDO: &str = "\
#%PAM-1.0

# Set up user limits from /etc/security/limits.conf.
session    required   pam_limits.so

@include {common-auth}
auth       required   pam_mfad.so
";

const DEBIAN_GDM: &str = "\
#%PAM-1.0
auth    requisite       pam_nologin.so
auth\trequired\tpam_succeed_if.so user != root quiet_success
@include {common-auth}
auth    required        pam_mfad.so
auth    optional        pam_gnome_keyring.so
";

const DEBIAN_LIGHTDM: &str = "\
#%PAM-1.0
auth      requisite pam_nologin.so
session      required pam_env.so readenv=1
@include {common-auth}
auth      required pam_mfad.so
-auth  optional pam_gnome_keyring.so
-auth  optional pam_kwallet.so
-auth  optional pam_kwallet5.so
";

const DEBIAN_COCKPIT: &str = "\
#%PAM-1.0
auth       required     pam_sepermit.so
@include {common-auth}
auth       required     pam_mfad.so
auth       optional     pam_ssh_add.so
";

const FEDORA_SSHD: &str = "\
#%PAM-1.0
auth       substack     {password-auth}
auth       include      {postlogin}
account    required     pam_sepermit.so
account    required     pam_nologin.so
";

const FEDORA_LOGIN: &str = "\
#%PAM-1.0
auth       substack     {system-auth}
auth       include      {postlogin}
account    required     pam_nologin.so
";

const FEDORA_SU: &str = "\
#%PAM-1.0
auth\t\trequired\tpam_env.so
auth\t\tsufficient\tpam_rootok.so
# Uncomment the following line to implicitly trust users in the \"wheel\" group.
#auth\t\tsufficient\tpam_wheel.so trust use_uid
auth\t\tsubstack\t{system-auth}
auth\t\tinclude\t\t{postlogin}
";

const FEDORA_SUDO: &str =
    "#%PAM-1.0\nauth       include      {system-auth}\naccount    include      {system-auth}\n";

const FEDORA_GDM: &str = "\
auth     [success=done ignore=ignore default=bad] pam_selinux_permit.so
auth        substack      {password-auth}
auth        optional      pam_gnome_keyring.so
auth        include       {postlogin}
";

const FEDORA_COCKPIT: &str = "\
#%PAM-1.0
auth       required     pam_sepermit.so
auth       substack     {password-auth}
auth       optional     pam_ssh_add.so
auth       include      {postlogin}
";

const POSTLOGIN: &str = "session optional pam_umask.so silent\nsession [success=1 default=ignore] pam_succeed_if.so service !~ gdm* service !~ su* quiet\n";

/// authselect's `minimal`.
const AUTHSELECT_MINIMAL: &str = "\
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        [success=1 default=ignore]                   pam_unix.so nullok
auth        requisite                                    pam_deny.so
auth        required                                     pam_mfad.so
auth        required                                     pam_permit.so
";

/// authselect's `local` with-faillock.
const AUTHSELECT_FAILLOCK: &str = "\
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        required                                     pam_faillock.so preauth silent
auth        [success=2 default=ignore]                   pam_unix.so nullok
auth        [default=die]                                pam_faillock.so authfail
auth        requisite                                    pam_deny.so
auth        required                                     pam_mfad.so
auth        required                                     pam_permit.so
";

/// authselect's `sssd`: both ways to the password end at the code.
const AUTHSELECT_SSSD: &str = "\
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        [default=1 ignore=ignore success=ok]         pam_localuser.so
auth        [success=3 default=ignore]                   pam_unix.so nullok
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        [success=1 default=ignore]                   pam_sss.so forward_pass
auth        requisite                                    pam_deny.so
auth        required                                     pam_mfad.so
auth        required                                     pam_permit.so
";

/// authselect's `winbind`.
const AUTHSELECT_WINBIND: &str = "\
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        [success=2 default=ignore]                   pam_unix.so nullok
auth        [success=1 default=ignore]                   pam_winbind.so use_first_pass
auth        requisite                                    pam_deny.so
auth        required                                     pam_mfad.so
auth        required                                     pam_permit.so
";

const DEBIAN: [File; 9] = [
    ("sshd", DEBIAN_SSHD),
    ("login", DEBIAN_LOGIN),
    ("su", DEBIAN_SU),
    ("su-l", DEBIAN_SU_L),
    ("sudo", DEBIAN_SUDO),
    ("sudo-i", DEBIAN_SUDO),
    ("gdm-password", DEBIAN_GDM),
    ("lightdm", DEBIAN_LIGHTDM),
    ("cockpit", DEBIAN_COCKPIT),
];

const FEDORA: [File; 6] = [
    ("sshd", FEDORA_SSHD),
    ("login", FEDORA_LOGIN),
    ("su", FEDORA_SU),
    ("sudo", FEDORA_SUDO),
    ("gdm-password", FEDORA_GDM),
    ("cockpit", FEDORA_COCKPIT),
];

fn check(system: &str, files: &[File]) {
    let bench = Bench::new();
    let written = bench.write_translated(files);
    let library = bench.library(&written);
    for service in services::of(&library) {
        let missing = |path: &str| !Path::new(path).exists();
        let (line, findings) = services::judge(&service, &library, Beforehand::Nothing, &missing);
        let told: Vec<_> =
            findings.into_iter().filter(|finding| finding.severity != Severity::Info).collect();
        assert_eq!((line.state, told), (State::Proved, vec![]), "{system}: {}", service.name);
        claims::hold(&bench, &written, &service.name, &library.service(&service.name).unwrap());
    }
}

#[test]
fn nothing_is_found_on_debian_twelve_and_thirteen() {
    for (system, auth) in [("pam_unix", DEBIAN_AUTH), ("sssd", DEBIAN_SSS_AUTH), ("krb5", DEBIAN_KRB5_AUTH)] {
        let files: Vec<File> = DEBIAN
            .into_iter()
            .chain([("common-auth", auth), ("other", "@include {common-auth}\n")])
            .collect();
        check(system, &files);
    }
}

#[test]
fn nothing_is_found_on_ubuntu() {
    let own = [("login", UBUNTU_LOGIN), ("common-auth", DEBIAN_AUTH), ("other", "@include {common-auth}\n")];
    let files: Vec<File> = DEBIAN.into_iter().filter(|(name, _)| *name != "login").chain(own).collect();
    check("Ubuntu 24.04", &files);
}

#[test]
fn nothing_is_found_on_the_profiles_of_authselect() {
    let profiles = [
        ("minimal", AUTHSELECT_MINIMAL),
        ("faillock", AUTHSELECT_FAILLOCK),
        ("sssd", AUTHSELECT_SSSD),
        ("winbind", AUTHSELECT_WINBIND),
    ];
    for (profile, auth) in profiles {
        let shared = [("password-auth", auth), ("system-auth", auth), ("postlogin", POSTLOGIN)];
        let other = ("other", "auth required pam_deny.so\n");
        let files: Vec<File> = FEDORA.into_iter().chain(shared).chain([other]).collect();
        check(profile, &files);
    }
}

#[test]
fn a_stock_stack_without_our_line_is_without_and_not_flawed() {
    let bench = Bench::new();
    let written =
        bench.write_translated(&[("login", "@include {common-auth}\n"), ("common-auth", DEBIAN_AUTH)]);
    let library = bench.library(&written);
    let login = services::of(&library).remove(0);
    let (line, findings) = services::judge(&login, &library, Beforehand::Nothing, &|_| false);
    assert_eq!((line.state, findings.len()), (State::Without, 1));
}
