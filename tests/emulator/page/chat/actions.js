// What the person at this window does, as actions of the control API.

import { api } from '../core/api.js';
import { prefs } from '../core/prefs.js';
import { keyOf } from '../core/chats.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { attempt, toast } from '../ui/toast.js';

/// Writes a message somewhere; in groups and channels, to the bot or past it.
export async function say(place, message, addressed = true) {
  const { app: bot, scene, group, guild, channel } = place;
  const at = addressed ? 'at' : 'plain';
  const where = {
    c2c: { action: 'c2c' },
    group: { action: `group_${at}`, group },
    channel: { action: `channel_${at}`, guild, channel },
    dm: { action: 'dm', guild },
  }[scene];
  const outcome = await api.act({ bot, user: prefs.me, ...where, ...message });
  if (outcome.event_id && !outcome.sessions) toast(t('unheard'), 'bad');
  return outcome;
}

/// Says a text at once, as a command in a message does.
export const sayAs = (place, text) => attempt(() => say(place, { text }));

/// Puts a command into the composer of a place.
export function insertCommand(place, text) {
  const chat = store.chats.get(keyOf(place));
  if (!chat) return;
  chat.draft.text = text;
  chat.draft.at = true;
  store.open(chat.key);
  requestAnimationFrame(() => document.querySelector('.composer textarea')?.focus());
}

export const press = (place, id, button) =>
  api.act({ bot: place.app, action: 'press', user: prefs.me, message_id: id, button });

/// One of the buttons that a message has of its own.
export const operate = (place, id, button, on) =>
  api.act({ bot: place.app, action: 'operate', user: prefs.me, message_id: id, button, on });

export const react = (place, id, emoji, remove) =>
  attempt(() => api.act({ bot: place.app, action: 'react', user: prefs.me, message_id: id, emoji, remove }));

export const recall = (place, id) =>
  attempt(() => api.act({ bot: place.app, action: 'delete_message', user: prefs.me, message_id: id }));

/// Anything else, such as adding the bot or a switch.
export const act = (place, action) => attempt(() => api.act({ bot: place.app, ...action }));
