//! `replay`: a recording runs again, in this process and with nothing around it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::{WasmComponent, digest};
use prx_host::limits::Limits;
use prx_host::trace::line::Line;
use prx_host::trace::replay::{Replayed, replay};
use serde_json::json;

use super::printed;
use crate::args::Asked;
use crate::files::Files;
use crate::locale::Locale;
use crate::outcome::{Trouble, Verdict};
use crate::plugins::Plugins;
use crate::render::Screen;
use crate::setup;
use crate::texts::Text;

pub(super) fn run(
    file: &Path,
    component: Option<&Path>,
    until: Option<u64>,
    asked: &Asked,
    out: &mut dyn Write,
) -> Result<Verdict, Trouble> {
    let shown = file.display();
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| Trouble::mistake(format!("{shown}: {error}")))?;
    let component = match component {
        Some(path) => {
            let wasm = fs::read(path);
            let wasm = wasm.map_err(|e| Trouble::mistake(format!("{}: {e}", path.display())))?;
            load(&wasm, Limits::STANDARD)?
        }
        None => recorded_with(&text, asked)?,
    };
    let replayed = replay(text.lines(), component, until);
    let replayed = replayed.map_err(|error| Trouble::mistake(format!("{shown}: {error}")))?;
    show(&replayed, asked, out)?;
    Ok(Verdict::of(replayed.difference.is_none()))
}

fn load(wasm: &[u8], limits: Limits) -> Result<Arc<dyn Component>, Trouble> {
    let engine = engine::new(None).context("no engine to run the component with")?;
    let loaded = WasmComponent::load(&engine, wasm, limits).map_err(Trouble::mistake)?;
    Ok(Arc::new(loaded))
}

/// The plugin of the name that stands in the recording: out of the operator's folder where there is a
/// configuration, or what is built in.
fn recorded_with(text: &str, asked: &Asked) -> Result<Arc<dyn Component>, Trouble> {
    let start =
        text.lines()
            .enumerate()
            .find_map(|(index, line)| match Line::read(line, index + 1) {
                Ok(Line::Start(start)) => Some(start),
                _ => None,
            });
    let Some(start) = start else {
        return Err(Trouble::mistake(
            "the recording has no beginning; record again, and wait for the first event",
        ));
    };
    let own = Files::read(asked.config.path.as_deref()).ok();
    let own = own.and_then(|files| setup::host(&files).ok());
    let plugins = own.map_or_else(Plugins::default, |host| host.plugins);
    let Some(plugin) = plugins.find(&start.plugin)? else {
        return Err(Trouble::mistake(format!(
            "the recording is of the plugin {:?}, which is not known here; name its component with --component",
            start.plugin
        )));
    };
    if digest(&plugin.wasm) != start.digest {
        tracing::info!(plugin = %start.plugin, "the recording was made with another build");
    }
    load(&plugin.wasm, plugin.manifest.limits)
}

fn show(replayed: &Replayed, asked: &Asked, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut screen = Screen {
        locale: Locale::here(),
        json: asked.json,
        out,
    };
    if screen.json {
        let difference = replayed.difference.as_ref().map(|d| {
            let fields = d.fields.iter();
            let fields: Vec<_> = fields
                .map(|f| json!({"path": f.path, "recorded": f.recorded, "replayed": f.replayed}))
                .collect();
            json!({"event": d.n, "taking": d.taking, "fields": fields})
        });
        let object = json!({
            "channel": replayed.header.channel,
            "redacted": replayed.header.redacted,
            "events": replayed.steps,
            "difference": difference,
            "notes": replayed.notes,
        });
        return printed(screen.object(&object));
    }
    for note in &replayed.notes {
        printed(screen.note(note))?;
    }
    let Some(difference) = &replayed.difference else {
        let same = screen.say(Text::ReplaySame, &[&replayed.steps]);
        return printed(screen.note(&same));
    };
    let differs = screen.say(Text::ReplayDiffers, &[&replayed.steps]);
    printed(screen.note(&differs))?;
    for line in difference.to_string().trim_end().lines() {
        printed(screen.note(line))?;
    }
    Ok(())
}
