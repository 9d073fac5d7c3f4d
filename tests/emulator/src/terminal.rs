//! Where lines come from and go to: a prompt with editing, or plain standard input and output.

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::mpsc as blocking;

use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc;

/// What the reading side tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Line(String),
    /// Standard input has ended.
    End,
    /// Ctrl-C at the prompt.
    Interrupted,
}

/// The terminal. Reading happens on a thread of its own, one line at a time: the next one is
/// read when a prompt for it is given.
pub(crate) struct Terminal {
    pub(crate) interactive: bool,
    prompts: blocking::Sender<String>,
    lines: mpsc::UnboundedReceiver<Read>,
    printer: Option<Box<dyn ExternalPrinter + Send>>,
}

impl Terminal {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let (prompts, wanted) = blocking::channel();
        let (read, lines) = mpsc::unbounded_channel();
        let interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let mut printer: Option<Box<dyn ExternalPrinter + Send>> = None;
        if interactive {
            let mut editor = DefaultEditor::new()?;
            printer = Some(Box::new(editor.create_external_printer()?));
            std::thread::spawn(move || edit(&mut editor, &wanted, &read));
        } else {
            std::thread::spawn(move || pipe(&wanted, &read));
        }
        Ok(Self {
            interactive,
            prompts,
            lines,
            printer,
        })
    }

    /// Asks for the next line.
    pub(crate) fn ask(&self, prompt: String) {
        // If the reading side has ended, it has said so.
        self.prompts.send(prompt).ok();
    }

    /// The line asked for.
    pub(crate) async fn next(&mut self) -> Read {
        self.lines.recv().await.unwrap_or(Read::End)
    }

    /// Prints without tearing the line that is being typed.
    pub(crate) fn print(&mut self, text: &str) {
        let torn = match &mut self.printer {
            Some(printer) => printer.print(format!("{text}\n")).is_err(),
            None => true,
        };
        if torn {
            println!("{text}");
        }
    }
}

fn edit(
    editor: &mut DefaultEditor,
    wanted: &blocking::Receiver<String>,
    read: &mpsc::UnboundedSender<Read>,
) {
    while let Ok(prompt) = wanted.recv() {
        let told = match editor.readline(&prompt) {
            Ok(line) => {
                // Without the history the prompt still works.
                editor.add_history_entry(line.as_str()).ok();
                Read::Line(line)
            }
            Err(ReadlineError::Interrupted) => Read::Interrupted,
            Err(_) => Read::End,
        };
        let ended = told == Read::End;
        if read.send(told).is_err() || ended {
            return;
        }
    }
}

fn pipe(wanted: &blocking::Receiver<String>, read: &mpsc::UnboundedSender<Read>) {
    let mut lines = std::io::stdin().lock().lines();
    while wanted.recv().is_ok() {
        let told = match lines.next() {
            Some(Ok(line)) => Read::Line(line),
            Some(Err(_)) | None => Read::End,
        };
        let ended = told == Read::End;
        if read.send(told).is_err() || ended {
            return;
        }
    }
}
