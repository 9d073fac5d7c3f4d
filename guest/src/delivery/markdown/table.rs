//! Tables, which QQ does not know, as lines and blocks that can be read on a telephone.

use super::Style;
use super::protect;
use super::render::{self, BREAK};

/// Bytes of headers that a table may repeat, besides [`REPEATED`]: long headers over many short rows would make
/// the text grow without bound.
const REPEATED_MIN: usize = 256;
/// The same, for each byte of the table.
const REPEATED: usize = 2;

/// A table that is being shown.
#[derive(Clone, Debug)]
pub(super) struct Table {
    header: Vec<String>,
    /// Rows begin with a pipe, as the first did.
    pub(super) piped: bool,
    seen: usize,
    repeated: usize,
}

impl Table {
    /// A table with this first row. Gives the lines to show for it.
    pub(super) fn begin(header: &str, style: Style) -> (Self, Option<String>) {
        let cells = cells(header, style);
        let piped = header.starts_with('|');
        let shown = (piped && cells.len() <= 2)
            .then(|| pair(&cells))
            .filter(|line| !line.is_empty())
            .map(|line| strong(&line, style));
        let table = Self {
            header: cells,
            piped,
            seen: header.len(),
            repeated: 0,
        };
        (table, shown)
    }

    /// True where every row is a block of its own.
    pub(super) fn of_blocks(&self) -> bool {
        self.header.len() > 2
    }

    /// The lines to show for a row.
    pub(super) fn row(&mut self, row: &str, style: Style) -> Vec<String> {
        let cells = cells(row, style);
        self.seen += row.len();
        if !self.of_blocks() {
            let line = guarded(pair(&cells), style);
            return if line.is_empty() {
                Vec::new()
            } else {
                vec![line]
            };
        }
        let mut lines = Vec::new();
        for (index, cell) in cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
        {
            let header = self.header.get(index).filter(|header| !header.is_empty());
            let line = match header {
                _ if index == 0 => strong(cell, style),
                Some(header)
                    if self.repeated + header.len() <= REPEATED_MIN + self.seen * REPEATED =>
                {
                    self.repeated += header.len();
                    format!("{header}：{cell}")
                }
                _ => cell.clone(),
            };
            lines.push(if index == 0 {
                line
            } else {
                guarded(line, style)
            });
        }
        lines
    }
}

/// A text in bold, where there is bold.
pub(super) fn strong(text: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Qq => {
            let text = text.replace("**", "").replace(BREAK, " ");
            let text = text.trim();
            if text.is_empty() {
                String::new()
            } else {
                format!("**{text}**")
            }
        }
    }
}

/// A line whose beginning makes no block.
fn guarded(line: String, style: Style) -> String {
    let mut guarded = String::new();
    if style == Style::Qq {
        protect::guard_start(&line, &mut guarded);
    }
    guarded + &line
}

fn pair(cells: &[String]) -> String {
    let said: Vec<&str> = cells
        .iter()
        .map(String::as_str)
        .filter(|cell| !cell.is_empty())
        .collect();
    said.join("：")
}

/// Whether a row is the one under the header: `|---|:-:|`.
pub(super) fn is_delimiter(row: &str) -> bool {
    let row = row.trim();
    let inner = row.strip_prefix('|').unwrap_or(row);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    row.contains('|')
        && inner.split('|').all(|cell| {
            let cell = cell.trim();
            let cell = cell.strip_prefix(':').unwrap_or(cell);
            let cell = cell.strip_suffix(':').unwrap_or(cell);
            !cell.is_empty() && cell.bytes().all(|byte| byte == b'-')
        })
}

/// The cells of a row, each as it is shown.
fn cells(row: &str, style: Style) -> Vec<String> {
    let row = row.trim();
    let inner = row.strip_prefix('|').unwrap_or(row);
    let mut raw = vec![String::new()];
    let mut escaped = false;
    for character in inner.chars() {
        if character == '|' && !escaped {
            raw.push(String::new());
        } else if let Some(cell) = raw.last_mut() {
            if character == '|' {
                cell.pop();
            }
            cell.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    if raw.len() > 1 && raw.last().is_some_and(|cell| cell.trim().is_empty()) {
        raw.pop();
    }
    raw.iter()
        .map(|cell| {
            let shown = match style {
                Style::Qq => render::qq(cell.trim()),
                Style::Plain => render::plain(cell.trim()),
            };
            shown.replace(BREAK, " / ").trim().to_owned()
        })
        .collect()
}
