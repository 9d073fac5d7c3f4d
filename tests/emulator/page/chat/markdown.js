// The part of Markdown that QQ shows: headings, emphasis, links, pictures, lists, quotes, code, rules.
// What it does not know stays as it was written, as in QQ.

import { html } from '../ui/lit.js';
import { inline, link } from './text.js';
import { picture } from './media.js';

const INLINE = new RegExp(
  [
    '`(?<code>[^`]+)`',
    '!\\[(?<alt>[^\\]]*)\\]\\((?<src>[^)\\s]+)\\)',
    '\\[(?<label>[^\\]]+)\\]\\((?<url>[^)\\s]+)\\)',
    '\\*\\*\\*(?<both>[^*]+)\\*\\*\\*',
    '\\*\\*(?<bold>[^*]+(?:\\*[^*]+\\*[^*]*)*)\\*\\*',
    '__(?<under>[^_]+)__',
    '\\*(?<slanted>[^*\\s](?:[^*]*[^*\\s])?)\\*',
    '(?<![\\w])_(?<slanted2>[^_\\s](?:[^_]*[^_\\s])?)_(?![\\w])',
    '~~(?<gone>[^~]+)~~',
  ].join('|'),
  'g',
);

function span(groups, place) {
  if (groups.code) return html`<code>${groups.code}</code>`;
  if (groups.src) return markdownPicture(groups.alt, groups.src);
  if (groups.url) {
    const label = groups.label.replace(/^🔗/, '');
    return /^https?:\/\//.test(groups.url) ? link(groups.url, label) : label;
  }
  if (groups.both) return html`<strong><em>${spans(groups.both, place)}</em></strong>`;
  if (groups.bold || groups.under) return html`<strong>${spans(groups.bold || groups.under, place)}</strong>`;
  if (groups.gone) return html`<del>${spans(groups.gone, place)}</del>`;
  return html`<em>${spans(groups.slanted || groups.slanted2, place)}</em>`;
}

/// `![text #208px #320px](url)`: the size stands in the text.
function markdownPicture(alt, src) {
  const [, width, height] = /#(\d+)px\s+#(\d+)px/.exec(alt) || [];
  return picture(src, alt.replace(/#\d+px/g, '').trim(), { width, height });
}

function spans(text, place) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > at) parts.push(inline(text.slice(at, found.index), place));
    parts.push(span(found.groups, place));
    at = found.index + found[0].length;
  }
  if (at < text.length) parts.push(inline(text.slice(at), place));
  return parts;
}

const ITEM = /^(\s*)([-*+]|\d+[.)])\s+(.*)$/;

/// Blocks of lines, each as a template.
function blocks(lines, place) {
  const out = [];
  let words = [];
  const flush = () => {
    if (words.length)
      out.push(html`<p>${words.map((line, i) => [i ? html`<br />` : '', spans(line, place)])}</p>`);
    words = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i];
    const heading = /^(#{1,6})\s+(.*?)#*\s*$/.exec(line);
    if (heading) {
      flush();
      out.push(
        html`<p class="h h${heading[1].length}" role="heading" aria-level=${heading[1].length + 1}>
          ${spans(heading[2], place)}
        </p>`,
      );
    } else if (/^\s*```/.test(line)) {
      flush();
      const end = lines.findIndex((it, n) => n > i && /^\s*```/.test(it));
      const last = end < 0 ? lines.length : end;
      out.push(html`<pre tabindex="0"><code>${lines.slice(i + 1, last).join('\n')}</code></pre>`);
      i = last;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      flush();
      out.push(html`<hr />`);
    } else if (/^\s*>/.test(line)) {
      flush();
      const quoted = [];
      while (i < lines.length && /^\s*>/.test(lines[i])) quoted.push(lines[i++].replace(/^\s*>\s?/, ''));
      i -= 1;
      out.push(html`<blockquote>${blocks(quoted, place)}</blockquote>`);
    } else if (ITEM.test(line)) {
      flush();
      const items = [];
      while (i < lines.length && ITEM.test(lines[i])) items.push(ITEM.exec(lines[i++]));
      i -= 1;
      out.push(list(items, place));
    } else if (line.trim() === '') flush();
    else words.push(line);
  }
  flush();
  return out;
}

/// Items of lists, inner ones inside.
function list(items, place) {
  const depth = items[0][1].length;
  const rows = [];
  for (let i = 0; i < items.length; i += 1) {
    const inner = [];
    while (items[i + 1] && items[i + 1][1].length > depth) inner.push(items[++i]);
    const own = inner.length ? items[i - inner.length] : items[i];
    rows.push(html`<li>${spans(own[3], place)}${inner.length ? list(inner, place) : ''}</li>`);
  }
  const first = Number.parseInt(items[0][2], 10);
  return Number.isNaN(first)
    ? html`<ul>
        ${rows}
      </ul>`
    : html`<ol start=${first}>
        ${rows}
      </ol>`;
}

export const markdown = (text, place) =>
  html`<div class="markdown">${blocks(text.split(/\r?\n/), place)}</div>`;
