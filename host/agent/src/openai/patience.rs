//! Requests that a server has no time for are made again, as long as the turn has time.

use std::time::Duration;

use async_openai::error::OpenAIError as ClientError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;

/// Requests after the first one.
const MAX_RETRIES: u32 = 3;
/// Before the first of them, where the server does not say; doubled for each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes a request, again where that helps: at 429, at 5xx, and where nobody could be reached. What
/// the server says in `Retry-After` is waited, unless the turn would be over by then: then nobody
/// waits for nothing.
pub(super) async fn send(
    http: Client,
    request: HttpRequestFactory,
    until: Instant,
    silence_limit: Duration,
) -> Result<Response, ClientError> {
    let mut retries = 0;
    loop {
        let sent = http.execute(request.build().await?);
        let sent = tokio::time::timeout(silence_limit, sent).await;
        let sent = sent.map_err(|_| silent(silence_limit))?;
        let told = match &sent {
            Ok(response) if is_busy(response.status()) => retry_after(response.headers()),
            Err(error) if error.is_connect() => None,
            Ok(_) | Err(_) => return sent.map_err(ClientError::Reqwest),
        };
        let wait = told.unwrap_or(PAUSE * 2_u32.pow(retries));
        let in_time = Instant::now()
            .checked_add(wait)
            .is_some_and(|then| then < until);
        match told {
            Some(told) if !in_time => return Err(too_long(told)),
            _ if !in_time || retries == MAX_RETRIES => {
                return sent.map_err(ClientError::Reqwest);
            }
            _ => {}
        }
        retries += 1;
        tracing::info!(
            seconds = wait.as_secs_f32(),
            "the model's server is asked again in a moment"
        );
        tokio::time::sleep(wait).await;
    }
}

fn too_long(told: Duration) -> ClientError {
    let seconds = told.as_secs();
    ClientError::InvalidArgument(format!(
        "it is busy and asks to wait {seconds} s, longer than this answer has"
    ))
}

fn silent(limit: Duration) -> ClientError {
    let seconds = limit.as_secs();
    ClientError::InvalidArgument(format!(
        "it said nothing for {seconds} s, as long as [agent] silence_seconds allows"
    ))
}

fn is_busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// In seconds. The other form, a date, no model's server is known to write.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds: f64 = seconds.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
