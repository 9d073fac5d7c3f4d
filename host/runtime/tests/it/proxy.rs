//! A proxy resolves names by itself, and WebSockets go through it like everything else.

use std::sync::{Arc, Mutex};

use prx_host::drivers::network::ProxyChoice;
use prx_host::runtime::Host;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Line, Server, options, soon, start};
use crate::tls::authority;

/// A name that no resolver knows; only the proxy can lead there.
const NAME: &str = "chat.example.invalid";

/// A CONNECT proxy that takes every tunnel to one port of this machine.
async fn proxy(port: u16, asked: Arc<Mutex<Vec<String>>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asked = Arc::clone(&asked);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                asked
                    .lock()
                    .unwrap()
                    .push(head.lines().next().unwrap().to_owned());
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // Ends when either side does.
                let _ = copy_bidirectional(&mut stream, &mut onward).await;
            });
        }
    });
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_goes_through_the_proxy_which_resolves_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, acceptor) = authority(dir.path(), NAME);
    let server = Server::new().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let port = proxy(server.port(), Arc::clone(&asked)).await;
    let mut options = options(&dir.path().join("state"));
    options.network.extra_ca = Some(ca);
    options.network.proxy = ProxyChoice::Through {
        url: format!("http://127.0.0.1:{port}"),
        except: String::new(),
    };
    let host = Host::new(options).unwrap();
    let _handle = start(&host, "bot", &format!("wss://{NAME}/"))
        .await
        .unwrap();
    let stream = soon(acceptor.accept(server.tcp().await)).await.unwrap();
    let mut line = Line::accept(stream).await;
    assert_eq!(line.hear().await, "hello");
    assert_eq!(line.ask("through").await, "echo: through");
    let connect = format!("CONNECT {NAME}:443 HTTP/1.1");
    assert_eq!(*asked.lock().unwrap(), [connect]);
}
