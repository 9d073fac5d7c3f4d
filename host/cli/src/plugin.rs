//! `prx plugin`: packs, signs and examines the components that channels are made of.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use prx_host::bindings::v0_1::Mark;
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::package::{self, PublicKey, SecretKey, SignatureError, Source, Trust};
use serde_json::json;

use crate::args::{Asked, PluginCommand};
use crate::locale::Locale;
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, Screen, line};
use crate::texts::Text;
use check::Effort;
use found::{Finder, Found};

mod check;
mod found;
mod inspect;
mod kit;

impl From<SignatureError> for Trouble {
    fn from(error: SignatureError) -> Self {
        Self::mistake(error)
    }
}

/// Answers one command.
pub(crate) fn answer(command: PluginCommand) -> Result<Verdict, Trouble> {
    let mut out = io::stdout().lock();
    match command {
        PluginCommand::Pack {
            what,
            wasm,
            out: into,
            sign_with,
            asked,
        } => {
            Bench::new(&asked, &mut out)?.pack(&what, wasm.as_deref(), &into, sign_with.as_deref())
        }
        PluginCommand::Inspect { what, asked } => Bench::new(&asked, &mut out)?.inspect(&what),
        PluginCommand::Verify { what, key, asked } => {
            Bench::new(&asked, &mut out)?.verify(&what, &key)
        }
        PluginCommand::Check {
            what,
            set,
            corpus,
            seed,
            seeds,
            events,
            hours,
            asked,
        } => {
            let effort = Effort {
                set,
                corpus,
                seed,
                seeds,
                events,
                hours,
            };
            Bench::new(&asked, &mut out)?.check(&what, &effort)
        }
        PluginCommand::Keygen { file } => keygen(&file, &mut out),
    }
}

fn keygen(file: &Path, out: &mut dyn Write) -> Result<Verdict, Trouble> {
    let key = SecretKey::generate()?;
    key.save(file)?;
    writeln!(out, "{}", key.public()).context("the key cannot be shown")?;
    Ok(Verdict::Good)
}

/// Where a plugin is looked at.
struct Bench<'a> {
    finder: Finder,
    screen: Screen<'a>,
}

impl<'a> Bench<'a> {
    fn new(asked: &Asked, out: &'a mut dyn Write) -> Result<Self, Trouble> {
        let screen = Screen {
            locale: Locale::here(),
            json: asked.json,
            out,
        };
        let finder = Finder::new(asked.config.path.as_deref())?;
        Ok(Self { finder, screen })
    }

    fn pack(
        &mut self,
        what: &str,
        wasm: Option<&Path>,
        into: &Path,
        sign_with: Option<&Path>,
    ) -> Result<Verdict, Trouble> {
        let key = sign_with.map(SecretKey::load).transpose()?;
        let (manifest, wasm) = self.finder.parts(what, wasm)?;
        // What does not load is not worth shipping.
        let limits = prx_host::manifest::Manifest::parse(&manifest);
        let limits = limits.map_err(Trouble::mistake)?.limits;
        let engine = engine::new(None).context("no engine to look at components with")?;
        WasmComponent::load(&engine, &wasm, limits).map_err(Trouble::mistake)?;
        let source = Source {
            manifest: &manifest,
            wasm: &wasm,
            sign_with: key.as_ref(),
        };
        let folder = package::write(source, into)?;
        let (sha256, shown) = (package::digest(&wasm), folder.display());
        let public = key.map(|key| key.public().to_string());
        let summary = match &public {
            None => self.screen.say(Text::Packed, &[&shown, &sha256]),
            Some(key) => self.screen.say(Text::PackedSigned, &[&shown, &sha256, key]),
        };
        let report = Report {
            lines: Vec::new(),
            data: Some(json!({
                "folder": folder.display().to_string(),
                "sha256": sha256,
                "signed_by": public,
            })),
            summary: Some(summary),
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        self.show(&name, &report)
    }

    fn verify(&mut self, what: &str, keys: &[String]) -> Result<Verdict, Trouble> {
        let keys: Result<Vec<PublicKey>, _> = keys.iter().map(|key| key.parse()).collect();
        let trust = match keys? {
            keys if keys.is_empty() => self.finder.trust(),
            keys => Trust::Only(keys),
        };
        let verified = self.finder.verified(what, &trust)?;
        let verified = verified.and_then(|found| loaded(&found).map(|()| found));
        let (name, mark, text, data) = match verified {
            Ok(found) => {
                let text = self.screen.say(Text::Verified, &[&found.title()]);
                let data = json!({"sha256": found.sha256});
                (found.name(), Mark::Ok, text, Some(data))
            }
            Err(reason) => (what.to_owned(), Mark::Fail, reason, None),
        };
        let topic = self.screen.say(Text::TopicPlugin, &[]);
        let report = Report {
            lines: vec![line(mark, topic, text.clone())],
            data,
            // For people the one line says it.
            summary: self.screen.json.then_some(text),
        };
        self.show(&name, &report)
    }

    /// Shows a report of one plugin.
    fn show(&mut self, name: &str, report: &Report) -> Result<Verdict, Trouble> {
        let shown = if self.screen.json {
            let mut object = json!({"plugin": name});
            if let (Some(all), serde_json::Value::Object(part)) =
                (object.as_object_mut(), report.json())
            {
                all.extend(part);
            }
            self.screen.object(&object)
        } else {
            self.screen.report(report)
        };
        match shown {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            other => other.context("the answer cannot be written")?,
        }
        Ok(Verdict::of(!report.fails()))
    }
}

/// Loads a component as a start does, or says why it cannot be.
fn loaded(found: &Found) -> Result<(), String> {
    let engine = engine::new(None).map_err(|error| error.to_string())?;
    let component = WasmComponent::load(&engine, &found.wasm, found.limits());
    let component = component.map_err(|error| error.to_string())?;
    component
        .describe()
        .map(drop)
        .map_err(|fault| fault.to_string())
}
