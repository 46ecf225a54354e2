//! A security key made of software: OpenSSH's own client and server speak to it as to one of hardware.

use std::fs;
use std::path::PathBuf;

use crate::host::{Host, path};
use crate::process::run;

const SOURCE: &str = include_str!("security_key.c");

/// What `sk_api_version` has to answer, by release of OpenSSH; the newest first.
const VERSIONS: [&str; 3] = ["0x000a0000", "0x00090000", "0x00080000"];

/// The library that stands for the hardware.
fn provider() -> PathBuf {
    path("security-key.so")
}

/// The option that makes OpenSSH's client use it.
pub fn option() -> String {
    format!("SecurityKeyProvider={}", provider().display())
}

/// Makes a key of this name, of a type that begins with `sk-`.
///
/// # Panics
/// If this release of OpenSSH speaks to security keys in another way.
pub fn make(host: &Host, name: &str) {
    host.write(path("security-key.c"), SOURCE, 0o644);
    let (code, library) = (path("security-key.c").display().to_string(), provider().display().to_string());
    let key = path(name).display().to_string();
    let works = VERSIONS.iter().any(|version| {
        let define = format!("-DSK_VERSION={version}");
        run("cc", &["-shared", "-fPIC", &define, "-o", &library, &code, "-lcrypto"]).expect_success("cc");
        run("ssh-keygen", &["-q", "-t", "ed25519-sk", "-w", &library, "-N", "", "-f", &key]).code == 0
    });
    assert!(works, "ssh-keygen made no key of type sk-ssh-ed25519@openssh.com");
    let public = fs::read_to_string(path(name).with_extension("pub")).expect("the public key");
    assert!(public.starts_with("sk-ssh-ed25519@openssh.com "), "{public}");
}
