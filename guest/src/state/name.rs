//! What a message, an event or a place is remembered by: a hash of what the platform calls it. Names are long, and
//! what people call each other is nobody's business once it is only to be recognised.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

/// A name. Bytes and no number: it is stored as they are, and can be looked for in what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name([u8; 16]);

/// Values by name.
pub type NameMap<V> = HashMap<Name, V, BuildHasherDefault<AsItIs>>;
/// Names.
pub type NameSet = HashSet<Name, BuildHasherDefault<AsItIs>>;

impl Name {
    /// The name that is made of these parts.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = SipHasher13::new();
        for part in parts {
            hasher.write(part.as_bytes());
        }
        Self(hasher.finish128().as_bytes())
    }

    /// The bytes that are stored of it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// The hasher of names: they are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
