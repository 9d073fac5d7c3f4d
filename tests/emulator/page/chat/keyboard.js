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

/// Waits for the bot's word about an interaction.
export function waitFor(key, { interaction }) {
  if (!interaction) return;
  waiting.set(key, interaction);
  store.changed();
}

/// Whether a press still waits. What came of it is said once.
export function waits(key) {
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
    waitFor(key, outcome);
  }
}

/// Somebody's press of one of a group of callbacks leaves the others grey.
const isSettled = (button, all, pressed) =>
  button.group_id !== undefined &&
  button.action?.type === 1 &&
  all.some((it) => it !== button && it.group_id === button.group_id && pressed(it));

/// A button, below a message or among suggestions; `all` are those beside it.
export function key(chat, item, button, all = []) {
  const look = button.render_data || {};
  const nameOf = (it) => it.id ?? it.render_data?.label;
  const presses = item.mark?.presses || [];
  const pressedByMe = (it) => presses.includes(`${prefs.me}: ${nameOf(it)}`);
  const busy = waits(`${item.key}/${nameOf(button)}`);
  return html`<button
    class="key style-${look.style ?? 0} ${busy ? 'busy' : ''}"
    type="button"
    aria-busy=${busy}
    ?disabled=${isSettled(button, all, pressedByMe)}
    @click=${() => pressed(chat, item, button, nameOf(button))}
  >
    ${pressedByMe(button) ? look.visited_label || look.label : look.label}
  </button>`;
}

export function keyboard(chat, item) {
  const rows = item.message.keyboard?.content?.rows;
  if (!rows)
    return item.message.keyboard?.id
      ? html`<div class="keyboard"><small>${t('keyboard_template', item.message.keyboard.id)}</small></div>`
      : nothing;
  const all = rows.flatMap(({ buttons }) => buttons);
  return html`<div class="keyboard">
    ${rows.map(({ buttons }) => html`<div class="keys">${buttons.map((it) => key(chat, item, it, all))}</div>`)}
  </div>`;
}
