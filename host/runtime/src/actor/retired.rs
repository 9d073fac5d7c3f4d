//! What is not needed any more and takes long to let go of: an instance's memory, compiled code, a copy of all entries.

/// Left behind by a step. A swap would take a third longer if it ended only when all of this is gone; whoever runs the
/// actor lets go of it beside the channel.
#[derive(Default)]
pub struct Retired(Vec<Box<dyn Send>>);

impl std::fmt::Debug for Retired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Retired").field(&self.0.len()).finish()
    }
}

impl Retired {
    pub(super) fn add(&mut self, what: impl Send + 'static) {
        self.0.push(Box::new(what));
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
