// What a private message offers beside what it says: suggestions above the place where one writes, and
// a row of buttons of its own below it.

import { html, nothing } from '../ui/lit.js';
import { icon } from '../ui/icons.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { attempt, toast } from '../ui/toast.js';
import { operate } from './actions.js';
import { key, waitFor, waits } from './keyboard.js';
import { plain } from './text.js';

/// The newest message, if it is the bot's and brings suggestions: they go when somebody writes.
function prompting(chat) {
  const item = chat.items.findLast((it) => it.kind !== 'notice');
  return item?.message.prompt && !item.mark?.recalled ? item : null;
}

export function prompts(chat) {
  const item = prompting(chat);
  const buttons = item?.message.prompt.content?.rows?.flatMap((row) => row.buttons) || [];
  if (!buttons.length) return nothing;
  return html`<div class="prompts" role="group" aria-label=${t('prompts')}>
    ${buttons.map((button) => key(chat, item, button))}
  </div>`;
}

/// Reads a message out, if the machine has a voice of its own: others would send the text away.
function readOut(text) {
  const voice = speechSynthesis.getVoices().find((it) => it.localService && it.lang.startsWith(prefs.lang));
  if (!voice) return toast(t('no_voice'), 'bad');
  const speech = new SpeechSynthesisUtterance(plain(text));
  speech.voice = voice;
  speechSynthesis.cancel();
  speechSynthesis.speak(speech);
}

async function pressed(chat, item, button, on) {
  const id = item.message.id || item.message.stream;
  const outcome = await attempt(() => operate(chat.place, id, button, on));
  if (outcome && !outcome.sessions) return toast(t('unheard'), 'bad');
  if (outcome && (button === 'again' || button === 'stop')) waitFor(`${item.key}/${button}`, outcome);
}

const ICONS = { again: 'refresh', stop: 'stop' };

const button = (name, label, act, { on, busy } = {}) =>
  html`<button
    type="button"
    class="tool ${on ? 'on' : ''} ${busy ? 'busy' : ''}"
    aria-label=${label}
    title=${label}
    aria-pressed=${on ?? nothing}
    aria-busy=${busy ?? nothing}
    @click=${act}
  >
    ${icon(name)}
  </button>`;

/// The row under a message; what is still growing can only be stopped.
export function operations(chat, item) {
  const own = item.message.buttons;
  if (!own) return nothing;
  const opinion = (name) => {
    const on = (item.mark?.presses || []).includes(`${prefs.me}: ${name}`);
    return button(name, t(`op_${name}`), () => pressed(chat, item, name, !on), { on });
  };
  const order = (name) => {
    const busy = waits(`${item.key}/${name}`);
    return button(ICONS[name], t(`op_${name}`), () => pressed(chat, item, name, true), { busy });
  };
  const row = item.grows
    ? [own.stop_generate && order('stop')]
    : [
        own.re_generate && order('again'),
        own.tts && button('sound', t('op_read'), () => readOut(item.message.text)),
        own.feedback && opinion('like'),
        own.feedback && opinion('dislike'),
      ];
  const there = row.filter(Boolean);
  if (!there.length) return nothing;
  return html`<div
    class="operations"
    role="group"
    aria-label=${t('operations', store.botName(chat.place.app))}
  >
    ${there}
  </div>`;
}
