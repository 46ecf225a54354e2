//! A certificate authority of a story's own, and a certificate for `localhost` and 127.0.0.1.

use std::path::PathBuf;

use crate::host::path;
use crate::process::run;

/// The files.
pub struct Certificates {
    /// What a client must trust.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes both, under this name, so that two authorities can exist side by side.
    ///
    /// # Panics
    /// If `openssl` fails.
    pub fn create(name: &str) -> Self {
        let file = |suffix: &str| path(&format!("{name}-{suffix}"));
        let shown = |suffix: &str| file(suffix).display().to_string();
        let fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=mfad test authority"];
        let (ca, ca_key) = (shown("ca.pem"), shown("ca.key"));
        run("openssl", &[&authority[..], &fresh[..], &["-keyout", &ca_key, "-out", &ca]].concat())
            .expect_success("a certificate authority");
        let (certificate, key) = (shown("cert.pem"), shown("cert.key"));
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        let server = ["req", "-x509", "-days", "2", "-subj", "/CN=localhost", "-addext", names];
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", &ca, "-CAkey", &ca_key];
        run(
            "openssl",
            &[&server[..], &fresh[..], &leaf[..], &["-keyout", &key, "-out", &certificate]].concat(),
        )
        .expect_success("a certificate");
        Certificates { authority: file("ca.pem"), certificate: file("cert.pem"), key: file("cert.key") }
    }
}
