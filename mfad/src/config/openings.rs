//! What the site has opened on purpose: said at each start, at each reload, and by `mfactl health`.

use super::Config;
use super::email::LogCodes;
use super::login::{EvenRoot, Require};
use super::terms::{OnFailure, Terms};

impl Config {
    /// A sentence for each opening.
    pub fn openings(&self) -> Vec<String> {
        let mut openings = Vec::new();
        if self.email.log_codes == LogCodes::Yes {
            openings.push(
                "email.log-codes = true: every code is written to the log, and whoever reads it can log in"
                    .to_owned(),
            );
        }
        openings.extend(self.all_terms().flat_map(of));
        openings.sort();
        openings.dedup();
        openings
    }
}

fn of(terms: &Terms) -> Vec<String> {
    let mut openings = Vec::new();
    let even_root = match terms.login.even_root {
        EvenRoot::Yes => ", root too,",
        EvenRoot::No => "",
    };
    if terms.on_email_failure == OnFailure::Bypass {
        let key = terms.saying_of("email.on-failure", "on-email-failure", "bypass");
        openings.push(format!("{key}: people{even_root} get in without a second factor while mail fails"));
    }
    if terms.login.on_hook_failure == OnFailure::Bypass {
        let key = terms.saying("on-hook-failure", "bypass");
        openings.push(format!(
            "{key}: people{even_root} get in without a second factor while a hook cannot send"
        ));
    }
    if terms.login.require == Require::DryRun {
        let key = terms.saying("require", "dry-run");
        openings.push(format!("{key}: people get in without a second factor; what it would ask is recorded"));
    }
    openings
}
