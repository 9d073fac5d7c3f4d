// One row of a conversation: a bubble with who, what, and what became of it; or a grey line.

import { html, nothing } from '../ui/lit.js';
import { person, robot } from '../ui/avatar.js';
import { REACTIONS, face } from '../ui/faces.js';
import { icon } from '../ui/icons.js';
import { menu, popup, closePopup } from '../ui/popup.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { moment, t } from '../core/words.js';
import { showInWire } from '../wall/wire.js';
import { react, recall } from './actions.js';
import { ark, embed } from './cards.js';
import { keyboard } from './keyboard.js';
import { markdown } from './markdown.js';
import { attachment, media, mediaWord } from './media.js';
import { operations } from './offers.js';
import { inline, maybe, plain } from './text.js';

/// Markdown without its marks.
const bare = (text) =>
  text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, `[${t('picture')}]`)
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/^\s*(#+|>|[-*+])\s+|[*`~]+/gm, '');

/// A message in one line.
export function gist(item) {
  const { message, mark } = item;
  if (!message) return t(item.notice.key, ...item.notice.values);
  if (mark?.recalled) return t('recalled_short');
  const what = message.media ? `[${mediaWord(message.media.file_type)}] ` : '';
  const attached = (message.attachments || []).map((it) => `[${it.filename || it.content_type}] `).join('');
  const text = mark?.edited ?? message.text;
  if (message.form === 'ark') return `[${t('card')}] ${text.replace(/^\[ark \d+\] /, '')}`;
  const isMarkdown = message.form === 'markdown' || message.form === 'stream';
  return what + attached + plain(isMarkdown ? bare(text) : text);
}

const line = (text) => html`<div class="grey"><span>${text}</span></div>`;

function quoted(chat, message) {
  if (!message.quote) return nothing;
  const item = chat.byQuote.get(message.quote);
  const who = item ? authorOf(chat, item) : '';
  return html`<button
    class="quoted"
    ?disabled=${!item}
    @click=${() => document.querySelector('.timeline').show(item.key)}
  >
    ${item ? html`<b>${who}</b> ${gist(item)}` : t('quote_unknown')}
  </button>`;
}

export const authorOf = (chat, item) =>
  item.kind === 'bot' ? store.botName(chat.place.app) : item.message.user;

function words(chat, item) {
  const { message, mark } = item;
  const text = mark?.edited ?? message.text;
  if (message.form === 'ark') return ark(message.card);
  if (message.form === 'embed') return embed(message.card);
  if (message.form === 'markdown' || message.form === 'stream') return markdown(text, chat.place);
  const prefix = [];
  if (item.kind === 'user' && chat.isShared && message.addressed)
    prefix.push(html`<span class="mention">@${store.botName(chat.place.app)}</span> `);
  for (const name of message.mentions || []) prefix.push(html`<span class="mention">@${name}</span> `);
  return text || prefix.length ? html`<div class="text">${prefix}${inline(text, chat.place)}</div>` : nothing;
}

function content(chat, item) {
  const { message } = item;
  return html`${quoted(chat, message)} ${maybe(message.media, media)}
  ${(message.attachments || []).map(attachment)} ${words(chat, item)}
  ${item.grows ? html`<span class="caret" role="status" aria-label=${t('growing')}></span>` : nothing}`;
}

/// Bubbles have a background; pictures, cards and files stand by themselves.
function isBare({ message }) {
  const only = !message.text && !message.quote;
  return (
    message.form === 'ark' ||
    message.form === 'embed' ||
    (only && message.media && message.media.file_type !== 3) ||
    (only && message.attachments?.length && message.attachments.every((it) => it.content_type !== 'voice'))
  );
}

function reactions(chat, { message, mark }) {
  const all = Object.entries(mark?.reactions || {});
  if (!all.length) return nothing;
  return html`<div class="reactions">
    ${all.map(([key, names]) => {
      const [type, id] = key.split('/');
      const mine = names.includes(prefs.me);
      const it = face(type, id);
      return html`<button
        class=${mine ? 'mine' : ''}
        aria-pressed=${mine}
        title=${`${it.name}: ${names.join(', ')}`}
        aria-label=${t('reaction', it.name, names.length)}
        @click=${() => react(chat.place, message.id, { type: Number(type), id }, mine)}
      >
        ${it.text} <span>${names.length}</span>
      </button>`;
    })}
  </div>`;
}

function pickReaction(event, chat, message) {
  popup(
    event.currentTarget,
    t('react'),
    html`<div class="faces">
      ${REACTIONS.map(
        (emoji) =>
          html`<button
            title=${face(emoji.type, emoji.id).name}
            @click=${() => {
              closePopup();
              react(chat.place, message.id, emoji, false);
            }}
          >
            ${face(emoji.type, emoji.id).text}
          </button>`,
      )}
    </div>`,
    'picker',
  );
}

function tools(chat, item) {
  const { message } = item;
  if (!message.id) return nothing;
  const mine = item.kind === 'user' && message.user === prefs.me;
  const more = (event) => {
    const button = event.currentTarget;
    menu(button, t('message_menu'), [
      [
        t('quote'),
        () => {
          chat.draft.quote = message.id;
          store.changed();
          document.querySelector('.composer textarea').focus();
        },
      ],
      chat.place.scene === 'channel' && [
        t('react'),
        () => pickReaction({ currentTarget: button }, chat, message),
      ],
      [t('copy'), () => navigator.clipboard.writeText(message.text)],
      (mine || chat.place.scene === 'channel') && [t('recall'), () => recall(chat.place, message.id)],
      [t('show_in_wall'), () => showInWire(message.id)],
    ]);
  };
  return html`<span class="tools">
    ${
      chat.place.scene === 'channel'
        ? html`<button
            class="tool"
            aria-label=${t('react')}
            title=${t('react')}
            @click=${(event) => pickReaction(event, chat, message)}
          >
            ${icon('smile')}
          </button>`
        : nothing
    }
    <button
      class="tool"
      aria-label=${t('message_menu')}
      aria-haspopup="menu"
      title=${t('message_menu')}
      @click=${more}
    >
      ${icon('more')}
    </button>
  </span>`;
}

/// The small print under a message: what a user of QQ would not see is marked as such.
function notes(chat, item) {
  const { message, mark } = item;
  const all = [];
  if (mark?.edited !== undefined) all.push(t('edited'));
  if (item.kind === 'user' && message.addressed && !message.deliveries.length) all.push(t('not_delivered'));
  if (message.hidden) all.push(t('hidden'));
  if (item.kind === 'bot' && message.id && !message.reply_to) all.push(t('proactive'));
  return all.length ? html`<div class="notes">${all.join(' · ')}</div>` : nothing;
}

export function row(chat, item) {
  const time = item.showTime ? line(moment(item.at, store.now())) : nothing;
  if (item.kind === 'notice') return html`${time}${line(t(item.notice.key, ...item.notice.values))}`;
  const { message, mark } = item;
  const bot = item.kind === 'bot';
  const name = authorOf(chat, item);
  const mine = !bot && message.user === prefs.me;
  if (mark?.recalled) return html`${time}${line(t('recalled', mine ? t('you') : name))}`;
  return html`${time}
    <article
      class="message ${mine ? 'mine' : ''} ${message.hidden ? 'hidden' : ''}"
      data-id=${message.id || ''}
      aria-label=${`${mine ? t('you') : name} ${moment(item.at, store.now())}`}
    >
      ${bot ? robot(name) : person(name)}
      <div class="body">
        ${chat.isShared && !mine ? html`<div class="author">${name}${bot ? html`<span class="tag">${t('bot')}</span>` : nothing}</div>` : nothing}
        <div class="line">
          <div class="bubble ${isBare(item) ? 'bare' : ''}">${content(chat, item)}</div>
          ${tools(chat, item)}
        </div>
        ${bot ? [keyboard(chat, item), operations(chat, item)] : nothing}
        ${reactions(chat, item)}${notes(chat, item)}
      </div>
    </article>`;
}
