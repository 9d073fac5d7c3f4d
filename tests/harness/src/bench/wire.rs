//! As much HTTP/1.1 as the clients under test need, and no more: requests with a length, answers with one.

use anyhow::{Context, Result, bail};
use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Headers of one request.
const MAX_HEADERS: usize = 48;
/// Bytes of one request, body included.
const MAX_BYTES: usize = 1 << 20;

/// What was asked.
#[derive(Debug)]
pub(super) struct Request {
    /// The path; a proxy's whole address is cut down to it.
    pub(super) path: String,
    /// What a WebSocket's opening is answered from.
    pub(super) socket_key: Option<String>,
    /// The body.
    pub(super) body: BytesMut,
}

/// Reads the next request of a connection; `None` at its end. What follows it stays in `buffer`.
pub(super) async fn read(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Option<Request>> {
    loop {
        if let Some((head, length, mut request)) = head(buffer)? {
            if head + length > MAX_BYTES {
                bail!("a request of {length} bytes");
            }
            while buffer.len() < head + length {
                if stream.read_buf(buffer).await? == 0 {
                    bail!("a request ended in the middle");
                }
            }
            buffer.advance(head);
            request.body = buffer.split_to(length);
            return Ok(Some(request));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// The head of a request, if all of it is there: its length, its body's length, and what it says.
fn head(buffer: &[u8]) -> Result<Option<(usize, usize, Request)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer).context("this is not HTTP")? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial if buffer.len() > MAX_BYTES => bail!("a head without an end"),
        httparse::Status::Partial => return Ok(None),
    };
    let mut body = 0;
    let mut socket_key = None;
    for header in parsed.headers.iter() {
        let value = || std::str::from_utf8(header.value).map(str::trim);
        if header.name.eq_ignore_ascii_case("content-length") {
            body = value()?.parse()?;
        } else if header.name.eq_ignore_ascii_case("sec-websocket-key") {
            socket_key = Some(value()?.to_owned());
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a body without a length");
        }
    }
    let target = parsed.path.unwrap_or("/");
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    let path = path.split('?').next().unwrap_or(path).to_owned();
    let request = Request {
        path,
        socket_key,
        body: BytesMut::new(),
    };
    Ok(Some((length, body, request)))
}

/// An answer with this JSON in it.
pub(super) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_request_is_read_whatever_its_address_looks_like() {
        for target in ["/v2/x", "http://api.example/v2/x", "/v2/x?a=b"] {
            let text =
                format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}");
            let (length, body, request) = head(text.as_bytes()).unwrap().unwrap();
            assert_eq!((length, body), (text.len() - 2, 2), "{target}");
            assert_eq!(request.path, "/v2/x", "{target}");
        }
        assert!(head(b"POST / HTTP/1.1\r\nHo").unwrap().is_none());
    }
}
