//! Ed25519 keys and detached signatures, as text of one line each.
//!
//! | file | a line |
//! |---|---|
//! | `plugin.sig` | `ed25519:KEY SIGNATURE`, one line for each who signed |
//! | `[host] trusted_keys` | `ed25519:KEY` |
//! | a secret key's file | `ed25519-secret:SEED` |
//!
//! All three in standard base64 with padding: 32 bytes, 64 bytes, 32 bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

const PUBLIC: &str = "ed25519:";
const SECRET: &str = "ed25519-secret:";

/// A key or a signature cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// Not a public key.
    #[error(
        "{0:?} is not a public key; write ed25519: and 44 letters, as `prx plugin keygen` prints it"
    )]
    PublicKey(String),
    /// Not a secret key.
    #[error("{0} holds no secret key; make one with `prx plugin keygen`")]
    SecretKey(String),
    /// Others can read a secret key.
    #[error(
        "others can read the secret key in {path} (its mode is {mode:03o}); take that away with: chmod 600 {path}"
    )]
    Readable {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file cannot be read or made.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// A line that is not a signature.
    #[error("line {0} is not a signature")]
    Line(usize),
    /// Nothing in it.
    #[error("it holds no signature")]
    Empty,
    /// Another manifest or another component was signed.
    #[error("the signature of {0} is not of this plugin.toml with this component")]
    Wrong(Box<PublicKey>),
}

/// Who may sign.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let key = bytes::<32>(text, PUBLIC).and_then(|b| VerifyingKey::from_bytes(&b).ok());
        // A weak key has signatures that fit many messages.
        let key = key.filter(|key| !key.is_weak());
        key.map(Self)
            .ok_or_else(|| SignatureError::PublicKey(text.to_owned()))
    }
}

/// What signs. Wiped from memory when it is dropped.
pub struct SecretKey(SigningKey);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl SecretKey {
    /// A new one, of the system's random bytes.
    ///
    /// # Errors
    /// The system has none.
    pub fn generate() -> Result<Self, SignatureError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|e| SignatureError::Random(e.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Writes it into a new file that is its owner's alone.
    ///
    /// # Errors
    /// There is something already, or the system's own.
    pub fn save(&self, path: &Path) -> Result<(), SignatureError> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let line = Zeroizing::new(format!("{SECRET}{}\n", STANDARD.encode(seed.as_slice())));
        let made = crate::files::new_private_file(path);
        let written = made.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|cause| failed(path, cause))
    }

    /// Reads one from a file that nobody else can read.
    ///
    /// # Errors
    /// There is none, or others can read it.
    pub fn load(path: &Path) -> Result<Self, SignatureError> {
        let file = File::open(path).map_err(|cause| failed(path, cause))?;
        let metadata = file.metadata().map_err(|cause| failed(path, cause))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.display().to_string();
            return Err(SignatureError::Readable { path, mode });
        }
        let mut text = Zeroizing::new(String::new());
        let read = file.take(1024).read_to_string(&mut text);
        read.map_err(|cause| failed(path, cause))?;
        let seed = bytes::<32>(text.trim(), SECRET).map(Zeroizing::new);
        let seed = seed.ok_or_else(|| SignatureError::SecretKey(path.display().to_string()))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The line for `plugin.sig`.
    pub(super) fn sign(&self, message: &str) -> String {
        let signature = self.0.sign(message.as_bytes());
        format!(
            "{} {}\n",
            self.public(),
            STANDARD.encode(signature.to_bytes())
        )
    }
}

fn failed(path: &Path, cause: io::Error) -> SignatureError {
    let path = path.display().to_string();
    SignatureError::File { path, cause }
}

fn bytes<const N: usize>(text: &str, prefix: &str) -> Option<[u8; N]> {
    let decoded = STANDARD.decode(text.strip_prefix(prefix)?).ok()?;
    decoded.try_into().ok()
}

/// Everybody who signed this message. One signature that does not fit spoils all: somebody changed a file.
pub(super) fn verify(file: &[u8], message: &str) -> Result<Vec<PublicKey>, SignatureError> {
    let text = String::from_utf8_lossy(file);
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let parts = line.trim().split_once(' ');
        let parts = parts.and_then(|(key, signature)| {
            let signature = Signature::from_bytes(&bytes(signature, "")?);
            Some((key.parse::<PublicKey>().ok()?, signature))
        });
        let (key, signature) = parts.ok_or(SignatureError::Line(index + 1))?;
        // Strict: no two keys, and no weak one, for one signature.
        if key.0.verify_strict(message.as_bytes(), &signature).is_err() {
            return Err(SignatureError::Wrong(Box::new(key)));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(SignatureError::Empty);
    }
    Ok(keys)
}
