//! A code that came along with the password: what its shape is, before; and what is made of it, at the opening of a login.

use protocol::Secret;
use protocol::call::Fault;
use protocol::login::{self as wire, Notice, Shape, Step, Then};

use super::telling::warning;
use super::{NoAccount, Session, Stage};
use crate::rules::login::{self, Again, Appended, Opening};
use crate::words;

impl Session {
    /// `Expect`. Answered from the account as it lies in the database, by the same path for everybody, so that its time
    /// tells nothing of who has a factor. Where nobody can say, nothing is to be split off; `Begin` refuses then.
    ///
    /// # Errors
    /// [`Fault`]: as for `Begin`.
    pub async fn expect(&self, call: wire::Expect) -> Result<Vec<Shape>, Fault> {
        if !protocol::speaks(call.protocol) {
            return Err(Fault::UnsupportedVersion);
        }
        let live = self.daemon.live();
        let cause = match self.steps(&call.attempt, &live).await? {
            Ok(steps) => match steps.glance(login::shapes).await {
                Ok(shapes) => return Ok(shapes),
                Err(error) => error.to_string(),
            },
            Err(NoAccount::Name) => return Ok(Vec::new()),
            Err(NoAccount::Lookup(error)) => error.to_string(),
        };
        self.daemon.fault(&self.daemon.reference(), &cause);
        Ok(Vec::new())
    }

    /// Goes on from how a login opened, with a code that came along.
    pub(super) async fn append(&mut self, opening: Opening, typed: Secret) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        if !matches!(opening, Opening::Ask(..) | Opening::Announce(_)) {
            return self.opened(opening).await;
        }
        let judged = login
            .steps
            .run(move |account, context, ledger| login::appended(account, context, typed.expose(), ledger));
        match judged.await {
            Ok(Appended::End(decision)) => self.finish_unasked(decision).await,
            Ok(Appended::Wrong(why, tries_left)) => self.announce_wrong(why, tries_left),
            Ok(Appended::NoCode) => self.opened(opening).await,
            Err(error) => self.store_failed(error),
        }
    }

    /// Alone, to see whether somebody reads it: a program that asks once cannot be asked again.
    fn announce_wrong(&mut self, why: Again, tries_left: u32) -> Step {
        let text = match why {
            Again::Wrong => words::wrong(tries_left),
            Again::Reused => words::reused(),
        };
        self.stage(Stage::Appended);
        let notices: Vec<Notice> = vec![warning(text)];
        self.step(notices, Then::Continue)
    }

    /// Somebody reads: the login goes on as if nothing had been appended.
    pub(super) async fn go_on(&mut self) -> Step {
        let Some(login) = &self.login else { return self.lost() };
        match login.steps.look(login::begin).await {
            Ok(opening) => self.opened(opening).await,
            Err(error) => self.store_failed(error),
        }
    }
}
