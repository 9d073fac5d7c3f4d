//! The port for a monitoring: what it says, and to whom.

use std::net::{Ipv4Addr, SocketAddr};

use prx_host::metrics::MetricsServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Bench, soon};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Status line with headers, and body.
async fn ask(server: &MetricsServer, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_in_the_format_of_prometheus() {
    let mut bench = Bench::new().await;
    let server = MetricsServer::start(&bench.host, LOOPBACK).unwrap();
    bench.line.ask("!measure two\"words").await;
    let (head, body) = ask(&server, "GET", "/metrics").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    for line in [
        "# TYPE prx_channel_health gauge",
        "prx_channel_health{channel=\"bot\"} 2",
        "prx_channel_memory_limit_bytes{channel=\"bot\"} 16777216",
        "prx_channel_queue_length{channel=\"bot\"} 0",
        "# TYPE prx_channel_sockets_total counter",
        "prx_channel_sockets_total{channel=\"bot\"} 1",
        "prx_channel_incidents_total{channel=\"bot\"} 0",
        "prx_guest_heard_total{channel=\"bot\",label=\"two\\\"words\"} 2",
        "prx_guest_odd_name{channel=\"bot\",label=\"two\\\"words\"} -3",
        "prx_guest_took_ms_bucket{channel=\"bot\",label=\"two\\\"words\",le=\"10\"} 0",
        "prx_guest_took_ms_bucket{channel=\"bot\",label=\"two\\\"words\",le=\"30\"} 1",
        "prx_guest_took_ms_bucket{channel=\"bot\",label=\"two\\\"words\",le=\"+Inf\"} 2",
        "prx_guest_took_ms_sum{channel=\"bot\",label=\"two\\\"words\"} 400020.0",
        "prx_guest_took_ms_count{channel=\"bot\",label=\"two\\\"words\"} 2",
    ] {
        // Labels may stand in any order.
        let found = body.lines().any(|l| sorted(l) == sorted(line));
        assert!(found, "{line} is not in\n{body}");
    }
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

/// A sample with its labels in order.
fn sorted(line: &str) -> String {
    let Some((name, rest)) = line.split_once('{') else {
        return line.to_owned();
    };
    let (labels, value) = rest.rsplit_once('}').unwrap();
    let mut labels: Vec<&str> = labels.split(',').collect();
    labels.sort_unstable();
    format!("{name}{{{}}}{value}", labels.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_bad_once_a_channel_has_stopped() {
    let mut bench = Bench::new().await;
    let server = MetricsServer::start(&bench.host, LOOPBACK).unwrap();
    let (head, body) = ask(&server, "GET", "/healthz").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("application/json"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["ok"], true);
    assert_eq!(body["channels"]["bot"]["level"], "ok");
    bench.line.ask("!stop").await;
    let (head, body) = ask(&server, "GET", "/healthz").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["channels"]["bot"]["code"], "told-to");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_served_and_a_taken_port_is_said() {
    let bench = Bench::new().await;
    let server = MetricsServer::start(&bench.host, LOOPBACK).unwrap();
    assert!(server.address().ip().is_loopback());
    let (head, _) = ask(&server, "POST", "/metrics").await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"));
    let (head, body) = ask(&server, "HEAD", "/metrics").await;
    assert!(head.starts_with("http/1.1 200") && body.is_empty());
    let (head, _) = ask(&server, "GET", "/").await;
    assert!(head.starts_with("http/1.1 404"));
    let taken = MetricsServer::start(&bench.host, server.address()).unwrap_err();
    assert!(taken.to_string().contains("choose another port"), "{taken}");
}
