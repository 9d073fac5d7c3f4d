//! Components that this program carries with it. The only file under `host/` that names one.

/// A component and its manifest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builtin {
    /// The plugin's name.
    pub(crate) name: &'static str,
    /// The component.
    pub(crate) wasm: &'static [u8],
    /// `plugin.toml`.
    pub(crate) manifest: &'static str,
}

const ALL: [Builtin; 1] = [Builtin {
    name: "qq",
    wasm: qq_channel_embed::COMPONENT,
    manifest: qq_channel_embed::MANIFEST,
}];

/// The component of this name.
pub(crate) fn find(plugin: &str) -> Option<Builtin> {
    ALL.into_iter().find(|builtin| builtin.name == plugin)
}

/// All names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|builtin| builtin.name)
}
