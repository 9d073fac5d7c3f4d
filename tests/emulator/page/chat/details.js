// What can be done about a conversation: add and remove the bot, switches, members.

import { html, nothing } from '../ui/lit.js';
import { dialog } from '../ui/popup.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { act } from './actions.js';
import { titleOf } from './composer.js';

const MODES = ['only_mention', 'mention_and_context', 'all'];
const ROLES = ['member', 'admin', 'owner'];

const toggle = (label, on, change) =>
  html`<label class="switch"
    ><input
      type="checkbox"
      role="switch"
      .checked=${on}
      @change=${(event) => change(event.target.checked)}
    /><span>${label}</span></label
  >`;

const choice = (label, value, all, name, change) =>
  html`<label class="choice"
    >${label}<select @change=${(event) => change(event.target.value)}>
      ${all.map((it) => html`<option value=${it} ?selected=${it === value}>${t(`${name}_${it}`)}</option>`)}
    </select></label
  >`;

function c2c(place, world, change) {
  const user = prefs.me;
  const known = world?.users[user] || { friend: true, rejects: false };
  return [
    toggle(t('is_friend'), known.friend, (on) =>
      change({ action: on ? 'add_friend' : 'remove_friend', user }),
    ),
    toggle(t('takes_proactive'), !known.rejects, (on) =>
      change({ action: on ? 'accept_messages' : 'reject_messages', user }),
    ),
  ];
}

function group(place, world, change) {
  const { group: name } = place;
  const user = prefs.me;
  const known = world?.groups[name] || {
    joined: true,
    rejects: false,
    mode: 'only_mention',
    muted: false,
    bot_role: 'member',
    members: {},
  };
  const members = Object.entries(known.members);
  return [
    toggle(t('bot_in_group'), known.joined, (on) =>
      change({ action: on ? 'add_to_group' : 'remove_from_group', group: name, user }),
    ),
    toggle(t('takes_proactive'), !known.rejects, (on) =>
      change({ action: on ? 'group_accept_messages' : 'group_reject_messages', group: name, user }),
    ),
    toggle(t('bot_muted'), known.muted, (muted) => change({ action: 'mute_bot', group: name, muted })),
    choice(t('hears'), known.mode, MODES, 'mode', (mode) =>
      change({ action: 'set_group_mode', group: name, mode }),
    ),
    choice(t('bot_role'), known.bot_role, ROLES, 'role', (role) =>
      change({ action: 'set_role', group: name, role }),
    ),
    html`<h3>${t('members')} (${members.length + 1})</h3>
      <ul class="members">
        <li>${store.botName(place.app)} <span class="tag">${t('bot')}</span></li>
        ${members.map(
          ([it, role]) =>
            html`<li>
              ${it}<select
                aria-label=${t('role_of', it)}
                @change=${(event) => change({ action: 'set_role', group: name, user: it, role: event.target.value })}
              >
                ${ROLES.map((one) => html`<option value=${one} ?selected=${one === role}>${t(`role_${one}`)}</option>`)}
              </select>
            </li>`,
        )}
      </ul>
      <div class="row">
        <button @click=${() => change({ action: 'join_group', group: name, user })}>${t('join')}</button>
        <button @click=${() => change({ action: 'leave_group', group: name, user })}>${t('leave')}</button>
        <button
          @click=${() => change({ action: 'request_to_join', group: name, user, text: t('let_me_in') })}
        >
          ${t('ask_join')}
        </button>
      </div>`,
  ];
}

function guild(place, world, change) {
  const { guild: name, channel } = place;
  const user = prefs.me;
  const known = world?.guilds[name] || { joined: true, channels: [], members: [] };
  return [
    toggle(t('bot_in_guild'), known.joined, (on) =>
      change({ action: on ? 'add_to_guild' : 'remove_from_guild', guild: name, user }),
    ),
    html`<h3>${t('channels')}</h3>
      <p class="soft">${known.channels.join(', ') || '–'}</p>
      <h3>${t('members')}</h3>
      <p class="soft">${known.members.join(', ') || '–'}</p>
      <div class="row">
        <button @click=${() => change({ action: 'join_guild', guild: name, user })}>${t('join')}</button>
        <button @click=${() => change({ action: 'leave_guild', guild: name, user })}>${t('leave')}</button>
        <button @click=${() => change({ action: 'update_guild', guild: name, user })}>
          ${t('change_guild')}
        </button>
        ${
          channel
            ? html`<button @click=${() => change({ action: 'update_channel', guild: name, channel, user })}>
                  ${t('change_channel')}
                </button>
                <button @click=${() => change({ action: 'delete_channel', guild: name, channel, user })}>
                  ${t('delete_channel')}
                </button>`
            : nothing
        }
      </div>`,
  ];
}

const PARTS = { c2c, group, channel: guild, dm: guild };

export async function details(chat) {
  const { place } = chat;
  await store.lookAround(place.app);
  return dialog(t('details'), (done, draw) => {
    const change = async (action) => {
      await act(place, action);
      await store.lookAround(place.app);
      draw();
    };
    return html`<div class="details">
      <h2>${titleOf(chat)}</h2>
      ${PARTS[place.scene](place, store.worlds.get(place.app), change)}
      <div class="row end"><button class="primary" @click=${() => done()}>${t('close')}</button></div>
    </div>`;
  });
}
