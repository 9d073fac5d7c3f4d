// Buttons under a message. A press is sent as an interaction and waits for the bot's word.

import { html, nothing } from '../ui/lit.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { dialog } from '../ui/popup.js';
import { attempt, toast } from '../ui/toast.js';
import { insertCommand, press } from './actions.js';

/// Presses that wait for the bot's word: the interaction, by message and button.
const waiting = new Map();

/// Whether a press still waits. What came of it is said once.
function waits(key) {
  const id = waiting.get(key);
  if (id === undefined) return false;
  if (!store.acks.has(id)) return true;
  waiting.delete(key);
  const code = store.acks.get(id);
  if (code === null) toast(t('ack_missing'), 'bad');
  else if (code !== 0) toast(t(`ack_${code}`), 'bad');
  return false;
}

async function confirmed(modal) {
  if (!modal?.content) return true;
  return dialog(
    modal.content,
    (done) =>
      html`<p>${modal.content}</p>
        <div class="row end">
          <button @click=${() => done(false)}>${modal.cancel_text || t('cancel')}</button>
          <button class="primary" @click=${() => done(true)}>${modal.confirm_text || t('ok')}</button>
        </div>`,
  );
}

async function pressed(chat, item, button, name) {
  const action = button.action || {};
  if (!(await confirmed(action.modal))) return;
  if (action.type === 0 && /^https?:/.test(action.data))
    window.open(action.data, '_blank', 'noopener,noreferrer');
  if (action.type === 2 && !action.enter) {
    if (action.reply) chat.draft.quote = item.message.id;
    return insertCommand(chat.place, action.data);
  }
  if (action.type > 2) toast(action.unsupport_tips || t('unsupported'));
  const key = `${item.key}/${name}`;
  const outcome = await attempt(() => press(chat.place, item.message.id, name));
  if (outcome?.interaction && action.type === 1) {
    if (!outcome.sessions) return toast(t('unheard'), 'bad');
    waiting.set(key, outcome.interaction);
    store.changed();
  }
}

export function keyboard(chat, item) {
  const rows = item.message.keyboard?.content?.rows;
  if (!rows)
    return item.message.keyboard?.id
      ? html`<div class="keyboard"><small>${t('keyboard_template', item.message.keyboard.id)}</small></div>`
      : nothing;
  const presses = item.mark?.presses || [];
  return html`<div class="keyboard">
    ${rows.map(
      ({ buttons }) =>
        html`<div class="keys">
          ${buttons.map((button) => {
            const look = button.render_data || {};
            const name = button.id ?? look.label;
            const done = presses.includes(`${prefs.me}: ${name}`);
            const busy = waits(`${item.key}/${name}`);
            return html`<button
              class="key style-${look.style ?? 0} ${busy ? 'busy' : ''}"
              aria-busy=${busy}
              @click=${() => pressed(chat, item, button, name)}
            >
              ${done ? look.visited_label || look.label : look.label}
            </button>`;
          })}
        </div>`,
    )}
  </div>`;
}
