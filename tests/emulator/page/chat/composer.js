// Where a message is written: text, a quote, files, mentions; by keyboard, by mouse, by dropping.

import { html, live, nothing, ref } from '../ui/lit.js';
import { EMOJI } from '../ui/faces.js';
import { icon } from '../ui/icons.js';
import { closePopup, popup } from '../ui/popup.js';
import { attempt } from '../ui/toast.js';
import { api } from '../core/api.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { size, t } from '../core/words.js';
import { say } from './actions.js';
import { authorOf, gist } from './message.js';
import { prompts } from './offers.js';
import { suggestions } from './suggest.js';

let area = null;

const focus = () => area?.focus();

export async function attach(chat, files) {
  for (const file of files) {
    const kept = await attempt(() => api.upload(file));
    if (kept)
      chat.draft.files.push({
        id: kept.file,
        name: file.name,
        size: file.size,
        type: file.type,
        url: URL.createObjectURL(file),
      });
    store.changed();
  }
  focus();
}

/// Names written as `@name` that are people here; the bot's own name switches the mention of it on.
function takeMentions(chat, text) {
  const bot = store.botName(chat.place.app);
  const mentions = [...chat.draft.mentions];
  let rest = text;
  for (const name of [bot, ...chat.people, ...store.users]) {
    if (!rest.includes(`@${name}`)) continue;
    rest = rest.replaceAll(`@${name}`, '').replace(/ {2,}/g, ' ').trim();
    if (name === bot) chat.draft.at = true;
    else mentions.push(name);
  }
  return { text: rest, mentions: [...new Set(mentions)] };
}

async function submit(chat) {
  const { draft, place } = chat;
  if (!draft.text.trim() && !draft.files.length) return;
  const shared = chat.isShared ? takeMentions(chat, draft.text) : { text: draft.text };
  const message = { ...shared, attachments: draft.files.map(({ id }) => ({ file: id })) };
  const quoted = draft.quote && chat.byId.get(draft.quote)?.message;
  if (quoted) Object.assign(message, place.guild ? { reply: quoted.id } : { quote: quoted.index });
  const { at } = draft;
  const sent = await attempt(() => say(place, message, at));
  if (!sent) return;
  chat.draft = { text: '', quote: null, files: [], at, mentions: [] };
  document.querySelector('.timeline')?.toEnd();
  store.changed();
  focus();
}

function mentionMenu(chat, beside, kind = 'menu') {
  const bot = store.botName(chat.place.app);
  const people = [...new Set([...chat.people, ...store.users])].filter((name) => name !== prefs.me);
  const put = (name) => () => {
    closePopup();
    chat.draft.text = `${chat.draft.text.replace(/@$/, '')}@${name} `;
    store.changed();
    focus();
  };
  popup(
    beside,
    t('mention'),
    [bot, ...people].map((name) => html`<button role="menuitem" @click=${put(name)}>@${name}</button>`),
    kind,
  );
}

const emojiMenu = (chat, beside) =>
  popup(
    beside,
    t('emoji'),
    html`<div class="faces">
      ${EMOJI.map(
        (it) =>
          html`<button
            @click=${() => {
              closePopup();
              chat.draft.text += it;
              store.changed();
              focus();
            }}
          >
            ${it}
          </button>`,
      )}
    </div>`,
    'picker',
  );

function onKey(event, chat) {
  if (event.isComposing) return;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    submit(chat);
  } else if (event.key === 'Escape' && chat.draft.quote) {
    chat.draft.quote = null;
    store.changed();
  }
}

function onInput(event, chat) {
  chat.draft.text = event.target.value;
  if (chat.isShared && event.data === '@') mentionMenu(chat, event.target, 'hint');
  else closePopup();
  store.changed();
}

function pasted(event, chat) {
  const files = [...event.clipboardData.files];
  if (!files.length) return;
  event.preventDefault();
  attach(chat, files);
}

const tool = (name, label, act) =>
  html`<button class="tool" aria-label=${label} title=${label} @click=${act}>${icon(name)}</button>`;

function fileChip(chat, it) {
  const drop = () => {
    chat.draft.files = chat.draft.files.filter((other) => other !== it);
    store.changed();
  };
  return html`<span class="chip"
    >${it.type.startsWith('image/') ? html`<img src=${it.url} alt="" />` : icon('file')}
    <span>${it.name}<small>${size(it.size)}</small></span>
    <button class="tool" aria-label=${t('drop_file', it.name)} @click=${drop}>${icon('close')}</button></span
  >`;
}

function quoteBar(chat) {
  const item = chat.byId.get(chat.draft.quote);
  if (!item) return nothing;
  const drop = () => {
    chat.draft.quote = null;
    store.changed();
    focus();
  };
  return html`<div class="quote-bar">
    <span><b>${authorOf(chat, item)}</b> ${gist(item)}</span>
    <button class="tool" aria-label=${t('drop_quote')} @click=${drop}>${icon('close')}</button>
  </div>`;
}

export function composer(chat) {
  const { draft } = chat;
  const pick = (event) => {
    attach(chat, event.target.files);
    event.target.value = '';
  };
  return html`<form
    class="composer"
    @submit=${(event) => {
      event.preventDefault();
      submit(chat);
    }}
  >
    ${prompts(chat)} ${suggestions(chat)}
    <div class="tools-row">
      ${tool('smile', t('emoji'), (event) => {
        event.preventDefault();
        emojiMenu(chat, event.currentTarget);
      })}
      ${
        chat.isShared
          ? tool('at', t('mention'), (event) => {
              event.preventDefault();
              mentionMenu(chat, event.currentTarget);
            })
          : nothing
      }
      ${tool('clip', t('attach'), (event) => {
        event.preventDefault();
        event.currentTarget.parentElement.querySelector('input').click();
      })}
      <input type="file" multiple hidden @change=${pick} aria-label=${t('attach')} />
      ${
        chat.isShared
          ? html`<button
              type="button"
              class="at-bot ${draft.at ? 'on' : ''}"
              aria-pressed=${draft.at}
              title=${t('at_bot_why')}
              @click=${() => {
                draft.at = !draft.at;
                store.changed();
              }}
            >
              @${store.botName(chat.place.app)}
            </button>`
          : nothing
      }
    </div>
    ${quoteBar(chat)}
    ${draft.files.length ? html`<div class="chips">${draft.files.map((it) => fileChip(chat, it))}</div>` : nothing}
    <textarea
      rows="3"
      aria-label=${t('message_to', titleOf(chat))}
      placeholder=${t('placeholder')}
      .value=${live(draft.text)}
      ${ref((element) => {
        area = element;
      })}
      @input=${(event) => onInput(event, chat)}
      @keydown=${(event) => onKey(event, chat)}
      @paste=${(event) => pasted(event, chat)}
    ></textarea>
    <div class="send-row">
      <small>${t('enter_sends')}</small>
      <button class="primary" type="submit" ?disabled=${!draft.text.trim() && !draft.files.length}>
        ${t('send')}
      </button>
    </div>
  </form>`;
}

/// What a conversation is called.
export function titleOf({ place }) {
  switch (place.scene) {
    case 'c2c':
      return store.botName(place.app);
    case 'group':
      return place.group;
    case 'channel':
      return `${place.guild} / ${place.channel}`;
    default:
      return `${store.botName(place.app)} · ${place.guild}`;
  }
}
