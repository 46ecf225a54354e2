//! Factors of other programs, taken over.

use protocol::manage as wire;

use super::factors::{code_form, step_length};
use super::subject::bind;
use super::{Administration, Refused};
use crate::config::FactorKind;
use crate::factor::totp::{Drift, History};
use crate::rules::import::{App, AppKey, Import, Seed, import};
use crate::session::random;

impl Administration<'_> {
    pub(super) async fn import(&self, asked: wire::ImportFactor) -> Result<wire::ImportFactorReply, Refused> {
        let subject = self.person(Some(&asked.user)).await?;
        let (app, key) = (self.app(&asked)?, AppKey::read(&asked.secret)?);
        let wanted = Import { app, key, scratch: asked.scratch, run: asked.run };
        let seed = Seed { nonce: random(), salt: random() };
        let change = self.change(&subject, move |account, context, ledger| {
            let before = account.clone();
            bind(account, context)?;
            let change = import(account, context, &wanted, &seed, ledger)?;
            if wanted.run == wire::Run::Dry {
                *account = before;
            }
            Ok(change)
        });
        Ok(wire::ImportFactorReply { change: change.await? })
    }

    fn app(&self, asked: &wire::ImportFactor) -> Result<App, Refused> {
        let (algorithm, digits) = code_form(asked.algorithm.as_deref(), asked.digits)?;
        match asked.factor.as_str() {
            "totp" => {
                self.allowed(&FactorKind::Totp, "totp")?;
                Ok(App::Totp(algorithm, digits, step_length(asked.step)?, history(asked)?))
            }
            "hotp" => {
                self.allowed(&FactorKind::Hotp, "hotp")?;
                Ok(App::Hotp(algorithm, digits, asked.counter.unwrap_or(0)))
            }
            other => Err(Refused::NoSuchFactor(other.to_owned(), "totp, hotp".to_owned())),
        }
    }
}

fn history(asked: &wire::ImportFactor) -> Result<History, Refused> {
    let drift = Drift::new(asked.drift.unwrap_or(0));
    let drift = drift.ok_or(Refused::Parameter("a clock is followed for two steps either way, no more"))?;
    Ok(History { drift, last_step: asked.last_step })
}
