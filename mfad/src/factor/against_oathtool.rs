//! A hundred thousand codes beside those of oathtool (oath-toolkit), which nobody here wrote.
//!
//! A process a code would take minutes: each process prints a window of codes for one secret.

use std::process::Command;

use sha2::{Digest as _, Sha512};

use super::oath::{Algorithm, Codes, Digits};
use super::sealed::Sealed;
use super::totp::{Comparison, StepLength, Totp};

const PROCESSES: u64 = 250;
const WINDOW: u64 = 400;

/// One secret, one place in time, in all the ways that oathtool knows.
struct Sample {
    secret: Vec<u8>,
    algorithm: Algorithm,
    digits: Digits,
    step: StepLength,
    time: u64,
}

impl Sample {
    /// Random, and the same in each run.
    fn new(number: u64) -> Self {
        let random: [u8; 64] = Sha512::digest(number.to_be_bytes()).into();
        let more: [u8; 64] = Sha512::digest(random).into();
        let time = u64::from_be_bytes(*random.first_chunk().unwrap()) >> 24;
        Sample {
            // Also longer than a block of the hash, where HMAC hashes the key first.
            secret: more.iter().copied().cycle().take(10 + usize::from(random[8]) % 150).collect(),
            algorithm: [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512][usize::from(random[9]) % 3],
            digits: Digits::new(6 + random[10] % 3).unwrap(),
            step: StepLength::new(15 + u16::from(random[11]) % 106).unwrap(),
            time,
        }
    }

    fn codes_of_oathtool(&self) -> Vec<String> {
        let mode = match self.algorithm {
            Algorithm::Sha1 => "--totp=SHA1",
            Algorithm::Sha256 => "--totp=SHA256",
            Algorithm::Sha512 => "--totp=SHA512",
        };
        let output = Command::new("oathtool")
            .arg(mode)
            .arg(format!("--digits={}", self.digits.count()))
            .arg(format!("--time-step-size={}s", self.step.seconds()))
            .arg(format!("--now=@{}", self.time))
            .arg(format!("--window={}", WINDOW - 1))
            .arg(data_encoding::HEXLOWER.encode(&self.secret))
            .output()
            .unwrap_or_else(|error| panic!("oathtool does not run ({error}). Install it: make deps"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn compare(&self) -> usize {
        let expected = self.codes_of_oathtool();
        let codes = Codes::of(&self.secret, self.algorithm, self.digits).unwrap();
        let first = self.time / self.step.seconds();
        for (counter, code) in (first..).zip(&expected) {
            assert_eq!(*codes.code(counter), *code, "{:?}, {counter}", self.algorithm);
        }
        let app = Totp::new(Sealed::from_bytes(b""), self.algorithm, self.digits, self.step);
        let comparison = app.compare(&self.secret, &expected[0], self.time, 1);
        assert!(matches!(comparison, Comparison::Right(_)), "{comparison:?}");
        expected.len()
    }
}

#[test]
fn a_hundred_thousand_codes_are_those_of_oathtool() {
    let compared: usize = (0..PROCESSES).map(|number| Sample::new(number).compare()).sum();
    assert_eq!(compared, 100_000);
}
