// Words as QQ shows them: links, mentions, faces and command tags inside a text.

import { html, nothing } from '../ui/lit.js';
import { face } from '../ui/faces.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { insertCommand, sayAs } from './actions.js';

const TOKEN = new RegExp(
  [
    '<@!?(?<mention>[\\w]+)>',
    '<qqbot-at-user\\s+id="(?<atUser>[^"]*)"\\s*/?>',
    '(?<everyone><qqbot-at-everyone\\s*/?>|@everyone)',
    '<qqbot-cmd-(?<cmd>input|enter)\\s+(?<cmdArgs>[^>]*?)/?>',
    '<faceType=(?<faceType>\\d+),faceId="(?<faceId>[^"]*)"[^>]*>',
    '<emoji:(?<emoji>\\d+)>',
    '(?<link>https?://[^\\s<>"，。）】]+)',
  ].join('|'),
  'g',
);

const attribute = (text, name) => {
  const value = new RegExp(`${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

export const link = (url, text) => html`<a href=${url} target="_blank" rel="noopener noreferrer">${text}</a>`;

const mention = (name) => html`<span class="mention">@${name}</span>`;

function token(groups, place) {
  const { mention: id, atUser, everyone, cmd, cmdArgs, faceType, faceId, emoji, link: url } = groups;
  if (id || atUser) return mention(store.names.get(id || atUser) || (id || atUser).slice(0, 6));
  if (everyone) return mention(t('everyone'));
  if (url) return link(url, url);
  if (emoji) return html`<span class="face" title=${face(1, emoji).name}>${face(1, emoji).text}</span>`;
  if (faceType) {
    const it = face(1, faceId);
    return html`<span class="face" title=${it.name}>${it.text}</span>`;
  }
  const text = attribute(cmdArgs, 'text');
  const act = () => (cmd === 'enter' ? sayAs(place, text) : insertCommand(place, text));
  return html`<button class="command" @click=${act}>${attribute(cmdArgs, 'show') || text}</button>`;
}

/// A text with its tokens; `place` is where its commands are said.
export function inline(text, place) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    if (found.index > at) parts.push(text.slice(at, found.index));
    parts.push(token(found.groups, place));
    at = found.index + found[0].length;
  }
  if (at === 0) return text;
  parts.push(text.slice(at));
  return parts;
}

/// What a text says in one line, for quotes and the list of conversations.
export function plain(text) {
  return (text || '')
    .replace(
      /<@!?(\w+)>|<qqbot-at-user\s+id="([^"]*)"\s*\/?>/g,
      (_, a, b) => `@${store.names.get(a || b) || '…'}`,
    )
    .replace(/<faceType=\d+,faceId="([^"]*)"[^>]*>|<emoji:(\d+)>/g, (_, a, b) => face(1, a || b).text)
    .replace(/<qqbot-at-everyone\s*\/?>/g, `@${t('everyone')}`)
    .replace(/\s+/g, ' ')
    .trim();
}

export const maybe = (value, template) => (value ? template(value) : nothing);
