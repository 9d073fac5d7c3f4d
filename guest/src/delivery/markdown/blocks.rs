//! Blocks: one line after the other, each shown as soon as it is clear what it is.

use super::Style;
use super::line::{self, Fence, Item, Line};
use super::protect;
use super::render::{self, BREAK};
use super::table::{self, Table};

/// Renders a whole text.
pub(super) fn render(text: &str, style: Style) -> String {
    let mut blocks = Blocks::new(style);
    for line in text.split_terminator('\n') {
        blocks.line(line);
    }
    blocks.finish()
}

/// What is open at the end of a line.
#[derive(Clone, Debug)]
pub(super) enum Open {
    /// Nothing that the next line could not end.
    Nothing,
    /// Fenced code: what its fence is, how far it is indented, and the language that is still to be shown.
    Fence {
        mark: char,
        length: usize,
        indent: usize,
        language: String,
    },
    /// Code by indentation, with so many blank lines after it.
    Indented { blanks: usize },
    /// A line that is the header of a table if the next one says so.
    Perhaps(String),
    /// A table.
    Table(Table),
}

/// What was shown last, as far as the next line cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Start,
    Text,
    Other,
}

/// A text that is being rendered.
#[derive(Debug)]
pub(super) struct Blocks {
    style: Style,
    shown: String,
    pub(super) open: Open,
    /// Inside of a quote.
    pub(super) quoted: bool,
    /// Columns of the markers of the lists that are open.
    pub(super) lists: Vec<usize>,
    last: Last,
    /// The last line shown is in a quote.
    last_quoted: bool,
    /// A blank line comes before the next line.
    blank: bool,
    /// The last line was text with a pipe in it.
    piped: Option<String>,
    /// Without Markdown: lines of a paragraph, each with what stands before it. Emphasis may span them.
    paragraph: Vec<(String, String)>,
}

impl Blocks {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            shown: String::new(),
            open: Open::Nothing,
            quoted: false,
            lists: Vec::new(),
            last: Last::Start,
            last_quoted: false,
            blank: false,
            piped: None,
            paragraph: Vec::new(),
        }
    }

    /// Takes a line.
    pub(super) fn line(&mut self, raw: &str) {
        let raw = raw.strip_suffix('\r').unwrap_or(raw);
        let inside = if self.in_fence() && !self.quoted {
            None
        } else {
            line::unquote(raw).filter(|_| !self.lists.is_empty() || line::indent(raw).0 < 4)
        };
        if inside.is_some() != self.quoted {
            self.close();
            self.lists.clear();
            self.quoted = inside.is_some();
            self.blank = true;
        }
        let raw = inside.unwrap_or(raw);
        if let Some(called) = inside.and_then(callout) {
            return self.leaf(Last::Text, &table::strong(called, self.style));
        }
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Fence {
                mark,
                length,
                indent,
                language,
            } => self.fenced(raw, mark, length, indent, language),
            Open::Perhaps(header) if table::is_delimiter(raw) => self.table(&header),
            Open::Perhaps(header) => {
                self.text(0, &header);
                self.fresh(raw);
            }
            Open::Table(table) if continues(&table, raw) => self.row(table, raw),
            Open::Table(_) => {
                self.blank = true;
                self.fresh(raw);
            }
            Open::Indented { blanks } => self.indented(raw, blanks),
            Open::Nothing => self.fresh(raw),
        }
    }

    /// Ends the text.
    pub(super) fn finish(mut self) -> String {
        self.close();
        self.flush();
        let shown = self.shown.trim_end();
        shown.trim_start_matches('\n').to_owned()
    }

    pub(super) fn in_fence(&self) -> bool {
        matches!(self.open, Open::Fence { .. })
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Perhaps(header) => self.text(0, &header),
            Open::Nothing => {}
            Open::Fence { .. } | Open::Indented { .. } | Open::Table(_) => self.blank = true,
        }
        self.piped = None;
    }

    /// A line with nothing open before it.
    fn fresh(&mut self, raw: &str) {
        let (columns, content) = line::indent(raw);
        let piped = self.piped.take();
        let after_gap = self.blank || self.last == Last::Start;
        if columns >= 4 && self.lists.is_empty() && after_gap && !content.trim().is_empty() {
            self.blank = true;
            self.code(line::dedent(raw, 4));
            self.open = Open::Indented { blanks: 0 };
            return;
        }
        match line::classify(content) {
            Line::Blank => self.blank = true,
            Line::Fence(fence) => self.fence(columns, fence),
            Line::Heading(level, text) => self.heading(level, text),
            Line::Rule => self.rule(),
            Line::Item(item) => self.item(columns, item),
            Line::Row(row) => self.open = Open::Perhaps(row.to_owned()),
            Line::Text(text)
                if self.last == Last::Text && !after_gap && line::is_underline(text) =>
            {
                self.rule();
            }
            Line::Text(text) => match piped.filter(|_| table::is_delimiter(text)) {
                Some(header) => {
                    self.open = Open::Table(Table::begin(&header, self.style).0);
                    self.blank = true;
                }
                None => {
                    self.text(columns, text);
                    self.piped = text.contains('|').then(|| text.to_owned());
                }
            },
        }
    }

    fn text(&mut self, columns: usize, text: &str) {
        if columns == 0 && self.blank {
            self.lists.clear();
        }
        if self.lists.is_empty() {
            self.inline(Last::Text, &" ".repeat(columns), text);
            return;
        }
        // It goes on with the item that it is indented under.
        let depth = self
            .lists
            .iter()
            .filter(|&&marker| marker + 2 <= columns)
            .count();
        let lead = " ".repeat(depth * self.step());
        self.inline(Last::Other, &lead, text);
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.lists.clear();
        match self.style {
            Style::Plain => self.inline(Last::Other, "", text),
            Style::Qq if level <= 2 => {
                let text = render::qq(text).replace(BREAK, " ");
                let marks = if level == 1 { "#" } else { "##" };
                if !text.trim().is_empty() {
                    self.leaf(Last::Other, &format!("{marks} {}", text.trim()));
                }
            }
            // A list after it needs its blank line: for QQ this is text.
            Style::Qq => self.leaf(Last::Text, &table::strong(&render::qq(text), self.style)),
        }
    }

    fn rule(&mut self) {
        self.lists.clear();
        let shown = match self.style {
            Style::Qq => "***",
            Style::Plain => "──────────",
        };
        self.leaf(Last::Other, shown);
    }

    fn item(&mut self, columns: usize, item: Item<'_>) {
        while self.lists.last().is_some_and(|marker| marker + 2 > columns) {
            self.lists.pop();
        }
        let lead = " ".repeat(self.lists.len() * self.step());
        self.lists.push(columns);
        let bullet = match self.style {
            Style::Qq => "- ",
            Style::Plain if item.done.is_some() => "",
            Style::Plain => "• ",
        };
        let marker = match item.number {
            Some(number) => format!("{lead}{number} "),
            None => format!("{lead}{bullet}"),
        };
        let tick = match item.done {
            Some(true) => "☑ ",
            Some(false) => "☐ ",
            None => "",
        };
        // QQ takes a list for text when it follows text directly.
        if self.last == Last::Text && self.style == Style::Qq {
            self.blank = true;
        }
        self.inline(Last::Other, &format!("{marker}{tick}"), item.text);
    }

    /// Columns by which an item is indented under another.
    fn step(&self) -> usize {
        match self.style {
            Style::Qq => 4,
            Style::Plain => 2,
        }
    }

    fn fence(&mut self, columns: usize, fence: Fence<'_>) {
        self.blank = true;
        self.open = Open::Fence {
            mark: fence.mark,
            length: fence.length,
            indent: columns,
            language: fence.language.to_owned(),
        };
    }

    fn fenced(&mut self, raw: &str, mark: char, length: usize, indent: usize, language: String) {
        if line::closes(raw, mark, length) {
            self.blank = true;
            return;
        }
        let is_name = !language.is_empty()
            && language.len() <= 32
            && language
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+#-.".contains(&byte));
        if is_name && self.style == Style::Qq {
            let shown = format!("{}**{language}**", self.quote());
            self.leaf(Last::Other, &shown);
        }
        self.code(line::dedent(raw, indent));
        self.open = Open::Fence {
            mark,
            length,
            indent,
            language: String::new(),
        };
    }

    fn indented(&mut self, raw: &str, blanks: usize) {
        let (columns, content) = line::indent(raw);
        if content.trim().is_empty() {
            self.open = Open::Indented { blanks: blanks + 1 };
        } else if columns >= 4 {
            for _ in 0..blanks {
                self.code("");
            }
            self.code(line::dedent(raw, 4));
            self.open = Open::Indented { blanks: 0 };
        } else {
            self.blank = true;
            self.fresh(raw);
        }
    }

    /// What marks a line of code: the quote that it stands in does already.
    fn quote(&self) -> &'static str {
        match self.style {
            Style::Qq if !self.quoted => "> ",
            Style::Qq | Style::Plain => "",
        }
    }

    fn code(&mut self, code: &str) {
        let code = code.trim_end();
        let shown = match self.style {
            Style::Qq => format!("{}{}", self.quote(), protect::line(code)),
            Style::Plain => code.to_owned(),
        };
        self.flush();
        let lead = self.lead(Last::Other);
        self.shown.extend([lead, shown]);
    }

    fn table(&mut self, header: &str) {
        self.blank = true;
        let (table, line) = Table::begin(header, self.style);
        if let Some(line) = line {
            self.leaf(Last::Text, &line);
        }
        self.open = Open::Table(table);
    }

    fn row(&mut self, mut table: Table, row: &str) {
        self.blank |= table.of_blocks();
        for line in table.row(row, self.style) {
            self.leaf(Last::Text, &line);
        }
        self.open = Open::Table(table);
    }

    /// A line that is rendered already.
    fn leaf(&mut self, kind: Last, shown: &str) {
        self.flush();
        if !shown.is_empty() {
            let lead = self.lead(kind);
            self.shown.extend([lead.as_str(), shown]);
        }
    }

    /// A line with text in it, behind a marker or an indentation.
    fn inline(&mut self, kind: Last, marker: &str, text: &str) {
        if self.style == Style::Plain {
            if self.blank || kind == Last::Other {
                self.flush();
            }
            let lead = self.lead(kind);
            self.paragraph
                .push((format!("{lead}{marker}"), text.to_owned()));
            return;
        }
        let shown = render::qq(text);
        let shown = shown.trim_end();
        if shown.is_empty() {
            // Only tags that are not shown: as if nothing stood there.
            self.blank = true;
            return;
        }
        let broken = self.broken(shown);
        let lead = self.lead(kind);
        self.shown.extend([lead.as_str(), marker, broken.as_str()]);
    }

    /// Text with the line breaks that HTML asked for.
    fn broken(&self, text: &str) -> String {
        text.replace(BREAK, if self.quoted { "\n> " } else { "\n" })
    }

    /// Shows the paragraph, for places without Markdown.
    fn flush(&mut self) {
        if self.paragraph.is_empty() {
            return;
        }
        let paragraph = std::mem::take(&mut self.paragraph);
        let text: Vec<&str> = paragraph.iter().map(|(_, text)| text.as_str()).collect();
        let text = render::plain(&text.join("\n"));
        for ((lead, _), line) in paragraph.iter().zip(text.split('\n')) {
            if !line.trim().is_empty() {
                let line = self.broken(line.trim_end());
                self.shown.extend([lead.as_str(), line.as_str()]);
            }
        }
    }

    /// What comes before a line: the end of the last one, a blank line where there is one, the mark of a quote.
    fn lead(&mut self, kind: Last) -> String {
        let last = std::mem::replace(&mut self.last, kind);
        let blank = std::mem::take(&mut self.blank);
        let goes_on = std::mem::replace(&mut self.last_quoted, self.quoted) && self.quoted;
        let mut lead = String::new();
        if last != Last::Start {
            lead.push('\n');
            if blank {
                lead.push_str(if goes_on { ">\n" } else { "\n" });
            }
        }
        if self.quoted {
            lead.push_str("> ");
        }
        lead
    }
}

/// Whether a line is one more row.
fn continues(table: &Table, raw: &str) -> bool {
    let content = raw.trim();
    if table.piped {
        return content.starts_with('|');
    }
    content.contains('|') && matches!(line::classify(content), Line::Text(_) | Line::Row(_))
}

/// The word of `[!NOTE]`, alone in the first line of a quote.
fn callout(inside: &str) -> Option<&str> {
    let word = inside.trim().strip_prefix("[!")?.strip_suffix(']')?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then_some(word)
}
