//! Stacks, sound and broken, each with exactly what must be found; every claim is held against libpam.

use std::path::Path;

use mfactl::doctor::finding::{Id, State};
use mfactl::doctor::services;
use mfactl::doctor::stacks::Beforehand;

use crate::claims;
use crate::libpam::Bench;

/// A name, the files of which the first is the service, and what must be found.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [Id]);

const COMMON: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                      auth required pam_permit.so\nauth optional pam_cap.so\n";
const STOCK_SYSTEM: &str =
    "auth required pam_env.so\nauth sufficient pam_unix.so nullok\nauth required pam_deny.so\n";

const SOUND: &[Row] = &[
    (
        "the readme on Debian",
        &[("sshd", "@include {common-auth}\nauth required pam_mfad.so\n"), ("common-auth", COMMON)],
        &[],
    ),
    (
        "the profile of pam-auth-update",
        &[(
            "sshd",
            "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n\
             auth [success=ok new_authtok_reqd=ok ignore=ignore default=die] pam_mfad.so\nauth optional pam_cap.so\n",
        )],
        &[],
    ),
    (
        "the readme on Fedora",
        &[
            ("sshd", "auth substack {password-auth}\nauth include {postlogin}\n"),
            (
                "password-auth",
                "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\n\
                 auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\n\
                 auth required pam_permit.so\n",
            ),
            ("postlogin", "session optional pam_umask.so silent\n"),
        ],
        &[],
    ),
    (
        "requisite password, then the code",
        &[("login", "auth requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[],
    ),
    ("requisite code", &[("login", "auth requisite pam_unix.so\nauth requisite pam_mfad.so\n")], &[]),
    (
        "two ways to check the password",
        &[(
            "sshd",
            "auth [success=2 default=ignore] pam_sss.so\nauth [success=1 default=ignore] pam_unix.so try_first_pass\n\
             auth requisite pam_deny.so\nauth required pam_permit.so\nauth required pam_mfad.so\n",
        )],
        &[],
    ),
    (
        "root may become anybody",
        &[("su", "auth sufficient pam_rootok.so\n@include {c}\nauth required pam_mfad.so\n"), ("c", COMMON)],
        &[],
    ),
    (
        "login of Debian",
        &[
            (
                "login",
                "auth optional pam_faildelay.so delay=3\nauth requisite pam_nologin.so\n@include {c}\nauth required pam_mfad.so\nauth optional pam_group.so\n",
            ),
            ("c", COMMON),
        ],
        &[],
    ),
    (
        "password and code in one text",
        &[
            (
                "sshd",
                "auth requisite pam_mfad.so append=split\n@include {c}\nauth required pam_mfad.so append=verify\n",
            ),
            ("c", COMMON),
        ],
        &[],
    ),
    (
        "a line that goes on, and comments",
        &[(
            "sshd",
            "# first\nauth [success=1 \\\n  default=ignore] pam_unix.so # here\nauth requisite pam_deny.so\n\nauth required \\\npam_permit.so\nauth required pam_mfad.so\n",
        )],
        &[],
    ),
    (
        "ours inside the common file",
        &[("sudo", "@include {c}\n"), ("c", "auth requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[],
    ),
    (
        "through su",
        &[
            ("su-l", "auth include {su}\n"),
            ("su", "auth sufficient pam_rootok.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n"),
        ],
        &[],
    ),
    ("capital letters", &[("sshd", "AUTH REQUISITE pam_unix.so\nAuth Required pam_mfad.so\n")], &[]),
    (
        "an optional line that is missing",
        &[("sshd", "auth requisite pam_unix.so\nauth required pam_mfad.so\n-auth optional pam_missing.so\n")],
        &[],
    ),
    (
        "faillock around the password",
        &[(
            "sshd",
            "auth required pam_faillock.so preauth silent\nauth [success=2 default=ignore] pam_unix.so nullok\n\
             auth [default=die] pam_faillock.so authfail\nauth requisite pam_deny.so\nauth required pam_permit.so\n\
             auth required pam_mfad.so\n",
        )],
        &[],
    ),
    (
        "a keyring after the code",
        &[
            (
                "gdm-password",
                "auth requisite pam_nologin.so\n@include {c}\nauth required pam_mfad.so\nauth optional pam_gnome_keyring.so\n",
            ),
            ("c", COMMON),
        ],
        &[],
    ),
    ("the stack of other", &[("other", "auth requisite pam_unix.so\nauth required pam_mfad.so\n")], &[]),
    (
        "a finger in the place of the password",
        &[(
            "sudo",
            "auth [success=2 default=ignore] pam_fprintd.so\nauth [success=1 default=ignore] pam_unix.so\n\
             auth requisite pam_deny.so\nauth required pam_permit.so\nauth required pam_mfad.so\n",
        )],
        &[],
    ),
    (
        "the code in a substack of its own",
        &[
            ("sshd", "auth requisite pam_unix.so\nauth substack {mfa}\n"),
            ("mfa", "auth required pam_mfad.so\nauth required pam_permit.so\n"),
        ],
        &[],
    ),
    (
        "both in a substack, the password sufficient in one of its own",
        &[
            ("sshd", "auth substack {pw}\nauth required pam_mfad.so\n"),
            ("pw", "auth [success=done default=die] pam_unix.so\n"),
        ],
        // `die` ends the substack, not the stack.
        &[Id::AskedBeforePassword],
    ),
];

const BROKEN: &[Row] = &[
    (
        "a backslash before an empty line swallows ours",
        &[("sshd", "auth requisite pam_unix.so \\\n\nauth required pam_mfad.so\n")],
        &[Id::LostByReader],
    ),
    (
        "a backslash before an empty line, at the end",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth required pam_mfad.so\nauth optional pam_env.so \\\n\nauth optional pam_cap.so\n",
        )],
        &[Id::ReadersDiffer],
    ),
    (
        "krb5 abstains for small uids, and requisite lets that pass",
        &[("sshd", "auth requisite pam_krb5.so minimum_uid=1000\nauth required pam_mfad.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone],
    ),
    (
        "u2f abstains where nobody has a key",
        &[("sudo", "auth required pam_u2f.so nouserok\nauth required pam_mfad.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone],
    ),
    (
        "optional",
        &[("sshd", "auth requisite pam_unix.so\nauth optional pam_mfad.so\n")],
        &[Id::FactorOptional],
    ),
    (
        "optional after the common file",
        &[("sshd", "@include {c}\nauth optional pam_mfad.so\n"), ("c", COMMON)],
        &[Id::FactorOptional],
    ),
    (
        "ours sufficient",
        &[("sshd", "auth requisite pam_unix.so\nauth sufficient pam_mfad.so\n")],
        &[Id::FactorSufficient],
    ),
    (
        "ours sufficient, then deny: right, but for whom nothing is asked",
        &[("sshd", "auth requisite pam_unix.so\nauth sufficient pam_mfad.so\nauth required pam_deny.so\n")],
        &[Id::ExemptRefused],
    ),
    (
        "ours sufficient before the password",
        &[("sshd", "auth sufficient pam_mfad.so\nauth required pam_unix.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone, Id::FactorSufficient],
    ),
    (
        "the password sufficient before",
        &[("sshd", "auth sufficient pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone, Id::SkippedBySuccess],
    ),
    (
        "the password sufficient and deny before",
        &[("sshd", "auth sufficient pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\n")],
        &[Id::NobodyEnters, Id::SkippedBySuccess],
    ),
    (
        "ours after the include of Fedora's file",
        &[("sudo", "auth include {system-auth}\nauth required pam_mfad.so\n"), ("system-auth", STOCK_SYSTEM)],
        &[Id::AskedBeforePassword, Id::NobodyEnters, Id::SkippedByInclude],
    ),
    (
        "ours after Debian's include of such a file",
        &[
            ("sudo", "@include {system-auth}\nauth required pam_mfad.so\n"),
            ("system-auth", "auth sufficient pam_unix.so\nauth requisite pam_deny.so\n"),
        ],
        &[Id::NobodyEnters, Id::SkippedByInclude],
    ),
    (
        "ours after the substack of Fedora's file",
        &[
            ("sshd", "auth substack {password-auth}\nauth required pam_mfad.so\n"),
            ("password-auth", STOCK_SYSTEM),
        ],
        &[Id::AskedBeforePassword],
    ),
    (
        "everything ignored",
        &[("sshd", "auth requisite pam_unix.so\nauth [default=ignore] pam_mfad.so\n")],
        &[Id::FactorIgnored],
    ),
    (
        "all but success ignored",
        &[("sshd", "auth requisite pam_unix.so\nauth [success=ok default=ignore] pam_mfad.so\n")],
        &[Id::FactorIgnored],
    ),
    (
        "unavailable ignored",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=ok ignore=ignore authinfo_unavail=ignore default=die] pam_mfad.so\n",
        )],
        &[Id::UnavailableIgnored],
    ),
    (
        "a missing module ignored",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=ok ignore=ignore module_unknown=ignore default=die] pam_mfad.so\n",
        )],
        &[Id::MissingModuleIgnored],
    ),
    (
        "both ignored",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=ok ignore=ignore module_unknown=ignore system_err=ignore abort=ignore default=bad] pam_mfad.so\n",
        )],
        &[Id::MissingModuleIgnored, Id::UnavailableIgnored],
    ),
    (
        "a wrong code alone ignored",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [auth_err=ignore success=ok ignore=ignore default=die] pam_mfad.so\n",
        )],
        &[Id::FactorIgnored],
    ),
    (
        "too many tries ignored",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [maxtries=ignore success=ok ignore=ignore default=die] pam_mfad.so\n",
        )],
        &[Id::FactorIgnored],
    ),
    (
        "a no that counts as yes",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=ok ignore=ignore auth_err=1 default=die] pam_mfad.so\nauth required pam_permit.so\nauth required pam_permit.so\n",
        )],
        &[Id::FactorIgnored],
    ),
    (
        "a jump too long",
        &[(
            "sshd",
            "auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\nauth required pam_permit.so\n",
        )],
        &[Id::NobodyEnters, Id::SkippedByJump],
    ),
    (
        "a jump too long in one of two",
        &[(
            "sshd",
            "auth [success=3 default=ignore] pam_sss.so\nauth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
             auth required pam_mfad.so\nauth required pam_permit.so\n",
        )],
        &[Id::SkippedByJump],
    ),
    (
        "a jump over the substack with ours",
        &[
            (
                "sshd",
                "auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth substack {mfa}\nauth required pam_permit.so\n",
            ),
            ("mfa", "auth required pam_mfad.so\nauth required pam_permit.so\n"),
        ],
        &[Id::NobodyEnters, Id::SkippedByJump],
    ),
    (
        "a jump out of the file",
        &[(
            "sshd",
            "auth [success=5 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\n",
        )],
        &[Id::NobodyEnters],
    ),
    (
        "a jump that includes make longer",
        &[
            (
                "sshd",
                "auth [success=1 default=ignore] pam_unix.so\nauth include {deny}\nauth required pam_mfad.so\nauth required pam_permit.so\n",
            ),
            ("deny", "auth optional pam_faildelay.so\nauth requisite pam_deny.so\n"),
        ],
        // One include is not one step: the jump ends within it.
        &[Id::NobodyEnters],
    ),
    (
        "required password",
        &[("sshd", "auth required pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::AskedBeforePassword],
    ),
    (
        "required password of a directory",
        &[("sshd", "auth required pam_sss.so\nauth requisite pam_mfad.so\n")],
        &[Id::AskedBeforePassword],
    ),
    (
        "the code before the password",
        &[("sshd", "auth required pam_mfad.so\nauth requisite pam_unix.so\n")],
        &[Id::AskedBeforePassword],
    ),
    (
        "the code before the common file",
        &[("sshd", "auth requisite pam_mfad.so\n@include {c}\n"), ("c", COMMON)],
        &[Id::AskedBeforePassword],
    ),
    (
        "an optional password",
        &[("sshd", "auth optional pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone],
    ),
    (
        "no password",
        &[("sshd", "auth required pam_mfad.so\nauth required pam_permit.so\n")],
        &[Id::CodeAlone],
    ),
    ("no password, no permit", &[("sshd", "auth required pam_mfad.so\n")], &[Id::CodeAlone]),
    (
        "permit sufficient",
        &[("sshd", "auth sufficient pam_permit.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::NobodyEnters, Id::SkippedBySuccess],
    ),
    (
        "rootok in a daemon",
        &[("sshd", "auth sufficient pam_rootok.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::NobodyEnters, Id::SkippedBySuccess],
    ),
    (
        "a finger alone",
        &[(
            "gdm-password",
            "auth sufficient pam_fprintd.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::TokenAlone],
    ),
    (
        "an agent's key alone",
        &[
            (
                "sudo",
                "auth sufficient pam_ssh_agent_auth.so file=/etc/keys\n@include {c}\nauth required pam_mfad.so\n",
            ),
            ("c", COMMON),
        ],
        &[Id::TokenAlone],
    ),
    (
        "another code alone",
        &[(
            "sshd",
            "auth sufficient pam_google_authenticator.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::TokenAlone],
    ),
    (
        "a group is left out",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=1 default=ignore] pam_succeed_if.so quiet user ingroup nomfa\nauth required pam_mfad.so\nauth required pam_permit.so\n",
        )],
        &[Id::SkippedByCondition],
    ),
    (
        "a network is left out",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth sufficient pam_access.so accessfile=/etc/security/access-local.conf\nauth required pam_mfad.so\n",
        )],
        &[Id::SkippedByCondition],
    ),
    (
        "a group needs nothing at all",
        &[(
            "su",
            "auth sufficient pam_wheel.so trust\nauth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::SkippedByCondition],
    ),
    (
        "a script decides",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=done default=ignore] pam_exec.so /usr/local/bin/vip\nauth required pam_mfad.so\n",
        )],
        &[Id::SkippedByCondition],
    ),
    (
        "an unknown module lets in",
        &[("sshd", "auth sufficient pam_acme.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::SkippedBySuccess],
    ),
    (
        "aside, and yet it jumps",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth [success=1 default=1] pam_env.so\nauth required pam_mfad.so\nauth required pam_permit.so\n",
        )],
        &[Id::NobodyEnters, Id::SkippedByJump],
    ),
    (
        "a misspelt word for ours",
        &[("sshd", "auth requisite pam_unix.so\nauth requird pam_mfad.so\n")],
        &[Id::LineUnreadable, Id::NobodyEnters],
    ),
    (
        "a misspelt type",
        &[("sshd", "atuh requisite pam_unix.so\nauth required pam_mfad.so\n")],
        &[Id::LineUnreadable, Id::NobodyEnters],
    ),
    (
        "a misspelt type of an optional line",
        &[("sshd", "auth requisite pam_unix.so\natuh optional pam_env.so\nauth required pam_mfad.so\n")],
        &[Id::LineUnreadable],
    ),
    (
        "a misspelt code",
        &[(
            "sshd",
            "auth [sucess=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\n",
        )],
        &[Id::LineUnreadable, Id::NobodyEnters],
    ),
    (
        "an include that is not there",
        &[("sshd", "auth include /nonexistent/common-auth\nauth required pam_mfad.so\n")],
        &[Id::LineUnreadable, Id::NobodyEnters],
    ),
    (
        "a file that is cut off",
        &[("sshd", "auth requisite pam_unix.so\nauth required pam_mfad.so \\\n")],
        &[Id::StackBroken],
    ),
    (
        "other is cut off",
        &[
            ("sshd", "auth requisite pam_unix.so\nauth required pam_mfad.so\n"),
            ("other", "auth required \\\n"),
        ],
        &[Id::StackBroken],
    ),
    (
        "a gap within a line",
        &[(
            "sshd",
            "auth requisite pam_unix.so\nauth required \\\n\n pam_mfad.so\nauth optional pam_permit.so\n",
        )],
        &[Id::LostByReader],
    ),
    (
        "denied at the end",
        &[("sshd", "auth requisite pam_unix.so\nauth required pam_mfad.so\nauth required pam_deny.so\n")],
        &[Id::NobodyEnters],
    ),
    (
        "the readme on Fedora with its deny left",
        &[(
            "sudo",
            "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\nauth required pam_permit.so\nauth required pam_deny.so\n",
        )],
        &[Id::NobodyEnters],
    ),
    (
        "reset after the code",
        &[
            ("sshd", "auth substack {s}\nauth requisite pam_unix.so\n"),
            (
                "s",
                "auth required pam_mfad.so\nauth [default=reset] pam_env.so\nauth optional pam_permit.so\n",
            ),
        ],
        &[Id::AskedBeforePassword, Id::FactorReset],
    ),
    (
        "ours resets itself",
        &[
            ("sshd", "auth requisite pam_unix.so\nauth substack {s}\n"),
            ("s", "auth [success=ok ignore=ignore default=reset] pam_mfad.so\nauth required pam_permit.so\n"),
        ],
        &[Id::FactorIgnored],
    ),
    (
        "sufficient within the substack of ours",
        &[
            ("sshd", "auth requisite pam_unix.so\nauth substack {s}\n"),
            ("s", "auth sufficient pam_permit.so\nauth required pam_mfad.so\n"),
        ],
        &[Id::NobodyEnters, Id::SkippedBySuccess],
    ),
    (
        "die within a substack does not end the stack",
        &[
            ("sshd", "auth substack {pw}\nauth required pam_mfad.so\n"),
            ("pw", "auth requisite pam_unix.so\n"),
        ],
        &[Id::AskedBeforePassword],
    ),
    (
        "verify without split",
        &[("sshd", "auth requisite pam_unix.so\nauth required pam_mfad.so append=verify\n")],
        &[Id::AppendHalf],
    ),
    (
        "split with a line that only asks",
        &[(
            "sshd",
            "auth requisite pam_mfad.so append=split\nauth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::AppendHalf],
    ),
    (
        "the password's no is ignored, deny is optional",
        &[(
            "sshd",
            "auth [success=1 default=ignore] pam_unix.so\nauth optional pam_deny.so\nauth required pam_mfad.so\n",
        )],
        &[Id::AskedBeforePassword, Id::CodeAlone],
    ),
    (
        "ours done too soon",
        &[("sshd", "auth [success=done ignore=done default=die] pam_mfad.so\nauth requisite pam_unix.so\n")],
        &[Id::AskedBeforePassword, Id::CodeAlone],
    ),
    (
        "a missing password module",
        &[("sshd", "auth requisite pam_missing_unix.so\nauth required pam_mfad.so\n")],
        &[Id::NobodyEnters],
    ),
    (
        "a missing module, sufficient",
        &[(
            "sshd",
            "auth sufficient pam_missing_sss.so\nauth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[],
    ),
    (
        "the exempt have nobody",
        &[(
            "sshd",
            "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfad.so\n",
        )],
        &[Id::ExemptRefused],
    ),
    (
        "ignore is bad",
        &[("sshd", "auth requisite pam_unix.so\nauth [success=ok default=die] pam_mfad.so\n")],
        &[Id::ExemptRefused],
    ),
    (
        "done before ours by a bracket",
        &[(
            "sshd",
            "auth [success=done new_authtok_reqd=done default=die] pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::NobodyEnters, Id::SkippedBySuccess],
    ),
    (
        "smart cards of authselect before ours",
        &[(
            "gdm-smartcard",
            "auth [success=done authinfo_unavail=ignore user_unknown=ignore ignore=ignore default=die] pam_sss.so try_cert_auth\n\
             auth requisite pam_unix.so\nauth required pam_mfad.so\n",
        )],
        &[Id::SkippedBySuccess],
    ),
];

/// What leaves the proof as it is.
const HARMLESS: [Id; 4] = [Id::AppendHalf, Id::ExemptRefused, Id::LineUnreadable, Id::ReadersDiffer];

/// Judges a row as `mfactl doctor` does, after its claims have been held against libpam.
fn judged(bench: &Bench, row: &Row) -> (State, Vec<Id>) {
    let (_, files, _) = row;
    let service = files[0].0;
    let written = bench.write_translated(files);
    let library = bench.library(&written);
    if let Ok(stack) = library.service(service) {
        claims::hold(bench, &written, service, &stack);
    }
    let service = services::of(&library).into_iter().find(|it| it.name == service).unwrap();
    let missing = |path: &str| !Path::new(path).exists();
    let (line, findings) = services::judge(&service, &library, Beforehand::Nothing, &missing);
    let mut ids: Vec<Id> = findings.iter().map(|finding| finding.id).collect();
    ids.sort();
    (line.state, ids)
}

/// What differs from what must be found.
fn difference(bench: &Bench, row: &Row) -> Option<String> {
    let (state, ids) = judged(bench, row);
    let mut expected = row.2.to_vec();
    expected.sort();
    let is_proof_due = expected.iter().all(|id| HARMLESS.contains(id));
    (ids != expected || is_proof_due != (state == State::Proved))
        .then(|| format!("{}: {state:?} {ids:?}", row.0))
}

#[test]
fn sound_stacks_are_proved_and_broken_ones_are_found_by_their_cause() {
    let bench = Bench::new();
    let rows = SOUND.iter().chain(BROKEN);
    assert!(rows.clone().count() >= 60);
    let differences: Vec<String> = rows.filter_map(|row| difference(&bench, row)).collect();
    assert_eq!(differences, Vec::<String>::new());
}
