//! `[metrics] listen`: the counters over HTTP, on this host alone. Whoever can connect may read them: no name is in them.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::daemon::Daemon;
use crate::metrics::{METRICS, prometheus};

/// Who asks at the same time; more wait.
const AT_ONCE: usize = 4;

/// How long one may take, in and out.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of a request, at the most.
const LONGEST: usize = 8 * 1024;

/// Serves until the task is ended.
pub async fn serve(listener: TcpListener, daemon: Arc<Daemon>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let daemon = daemon.clone();
                tokio::spawn(async move {
                    let _ = timeout(PATIENCE, answer(stream, &daemon)).await;
                    drop(place);
                });
            }
            // Out of descriptors or memory: accepting at once again would only spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, daemon: &Daemon) -> std::io::Result<()> {
    let Some(head) = read_head(&mut stream).await? else { return Ok(()) };
    let (status, body) = match head.lines().next().unwrap_or_default().split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/metrics", _] => ("200 OK", body(daemon)),
        ["GET", _, _] => ("404 Not Found", "Only /metrics is here.\n".to_owned()),
        _ => ("405 Method Not Allowed", "Only GET is understood.\n".to_owned()),
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        prometheus::CONTENT_TYPE,
        body.len()
    );
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}

/// The request up to its empty line; none if it is none.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).await?;
        if count == 0 || head.len() + count > LONGEST {
            return Ok(None);
        }
        head.extend_from_slice(&chunk[..count]);
    }
    Ok(String::from_utf8(head).ok())
}

fn body(daemon: &Daemon) -> String {
    prometheus::lines(&METRICS, daemon.started.elapsed().as_secs()).join("\n") + "\n"
}
