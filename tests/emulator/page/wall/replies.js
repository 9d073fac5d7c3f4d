// What the bot may still say: for each message its window and its slots, counting down.

import { html, nothing } from '../ui/lit.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { span, t } from '../core/words.js';
import { titleOf } from '../chat/composer.js';
import { plain } from '../chat/text.js';

/// Messages shown.
const MOST = 40;

/// The window in milliseconds and the slots of a scene; no number of slots is documented for guilds.
export function budgetOf(scene, settings) {
  const { messages, guilds } = settings;
  if (scene === 'c2c') return [messages.c2c_window, messages.c2c_slots];
  if (scene === 'group') return [messages.group_window, messages.group_slots];
  return [guilds.window, null];
}

function line(chat, item) {
  const settings = store.settings.get(chat.place.app);
  if (!settings) return nothing;
  const [window, slots] = budgetOf(chat.place.scene, settings);
  const used = chat.used.get(item.message.id) || 0;
  const left = item.at + window - store.now();
  const closed = left <= 0;
  const full = slots !== null && used >= slots;
  const part = Math.max(0, Math.min(1, left / window));
  return html`<li class="reply ${closed || full ? 'over' : ''}">
    <span class="top"
      ><b>${item.message.user}</b><span class="gist">${plain(item.message.text) || '…'}</span
      ><small>${titleOf(chat)}</small></span
    >
    <span class="top"
      ><span class="bar" role="img" aria-label=${t('window_left', span(left))}
        ><i style="width:${part * 100}%"></i
      ></span>
      <span class="count ${closed ? 'bad' : ''}">${closed ? t('window_closed') : span(left)}</span>
      <span class="slots" role="img" aria-label=${t('slots_used', used, slots ?? '∞')}
        >${
          slots === null
            ? html`<span class="count">${used} / ∞</span>`
            : Array.from({ length: slots }, (_, i) => html`<i class=${i < used ? 'used' : ''}></i>`)
        }</span
      ></span
    >
  </li>`;
}

export function replies() {
  const all = [];
  for (const chat of store.chats.values()) {
    for (let i = chat.items.length - 1, n = 0; i >= 0 && n < MOST; i -= 1) {
      const item = chat.items[i];
      if (item.kind === 'user' && item.message.addressed) {
        all.push([chat, item]);
        n += 1;
      }
    }
  }
  all.sort(([, a], [, b]) => b.at - a.at);
  return html`<div class="scroll" tabindex="0">
    <p class="soft">${t('replies_why')}</p>
    ${
      all.length
        ? html`<ul class="replies">
            ${all.slice(0, MOST).map(([chat, item]) => line(chat, item))}
          </ul>`
        : html`<p class="soft">${t('nothing_yet')}</p>`
    }
  </div>`;
}

/// The clock and the windows go on while somebody looks, and a typing notice ends by itself.
setInterval(() => {
  const typing = store.chats.get(store.current)?.typingUntil;
  if (prefs.wall || typing) store.changed();
}, 1000);
