//! `mfactl test mail`: a mail along the real path, each step shown as it happens.

use std::io;
use std::sync::Arc;

use protocol::call::{Call, Position};
use protocol::manage::{self as wire, Finding, Outcome};
use tokio::sync::mpsc;

use crate::address::EmailAddress;
use crate::daemon::Daemon;
use crate::deliver::message;
use crate::listen::Connection;

pub(super) async fn test(
    connection: &mut Connection,
    daemon: &Arc<Daemon>,
    call: &Call<'_>,
) -> io::Result<()> {
    let asked = match call.parameters::<wire::TestMail>() {
        Ok(asked) => asked,
        Err(fault) => return connection.fault(fault).await,
    };
    let address = match EmailAddress::parse(&asked.address) {
        Ok(address) => address,
        Err(error) => {
            let reason = format!("{:?} is no address: {error}", asked.address);
            return connection.refuse(wire::REFUSED, &reason).await;
        }
    };
    let (steps, mut heard) = mpsc::unbounded_channel();
    let sending = tokio::spawn(send(daemon.clone(), address, steps));
    while let Some(finding) = heard.recv().await {
        if call.more {
            connection.reply(&wire::TestMailReply { finding }, Position::Continues).await?;
        }
    }
    let finding = sending.await.unwrap_or_else(|_| failed("the test itself failed"));
    connection.reply(&wire::TestMailReply { finding }, Position::Last).await
}

async fn send(daemon: Arc<Daemon>, to: EmailAddress, steps: mpsc::UnboundedSender<Finding>) -> Finding {
    let live = daemon.live();
    let subject = format!("Test of login codes from {}", daemon.host);
    let lines = [
        "This is a test: mail with login codes from this host would arrive like this one.",
        "Nobody tries to log in, and there is nothing to do.",
    ];
    let message = match message::notice(&live.sender, &to, "mfad-test", &subject, &lines) {
        Ok(message) => message,
        Err(error) => return failed(&error.to_string()),
    };
    let progress = move |step: &str| {
        let _ =
            steps.send(Finding { name: "step".to_owned(), outcome: Outcome::Ok, detail: step.to_owned() });
    };
    match live.courier.deliver(&message, &progress).await {
        Ok(receipt) => {
            let detail = format!("accepted by {}: {}", receipt.by, receipt.answer);
            Finding { name: "mail".to_owned(), outcome: Outcome::Ok, detail }
        }
        Err(error) => failed(&error.text),
    }
}

fn failed(cause: &str) -> Finding {
    Finding { name: "mail".to_owned(), outcome: Outcome::Failed, detail: cause.to_owned() }
}
