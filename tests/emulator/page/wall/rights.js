// Grants, quotas and every other rule of a bot, to be switched while it runs.

import { html, nothing } from '../ui/lit.js';
import { attempt } from '../ui/toast.js';
import { api } from '../core/api.js';
import { store } from '../core/store.js';
import { clock, t } from '../core/words.js';
import { act } from '../chat/actions.js';
import { ALL_INTENTS } from './explain.js';
import { field } from './fields.js';
import { gateway } from './gateway.js';

const chosen = { app: null };
const hidden = new Set(['app_id', 'secret', 'name', 'intents']);

/// Sections in the order in which people look for them.
const ORDER = [
  'messages',
  'grants',
  'quotas',
  'moderation',
  'guilds',
  'streams',
  'interactions',
  'media',
  'events',
  'sessions',
  'token',
  'visible',
];
function setAt(settings, path, value) {
  const keys = path.split('.');
  const last = keys.pop();
  keys.reduce((it, key) => it[key], settings)[last] = value;
}

const change = (path, value) =>
  attempt(() => store.saveSettings(chosen.app, (settings) => setAt(settings, path, value)));

function section(name, values) {
  return html`<details ?open=${name === 'messages' || name === 'grants'}>
    <summary>${t(`r_${name}`)}</summary>
    <div class="fields">
      ${Object.entries(values).map(([key, value]) => field(`${name}.${key}`, value, change))}
    </div>
  </details>`;
}

function intents(settings) {
  const has = (bit) => Math.floor(settings.intents / bit) % 2 === 1;
  return html`<details class="intents">
    <summary>${t('r_intents')}</summary>
    <p class="soft">${t('intents_why')}</p>
    <div class="fields">
      ${ALL_INTENTS.map(
        ([bit, name]) =>
          html`<label class="switch">
            <input
              type="checkbox"
              role="switch"
              .checked=${has(bit)}
              @change=${(event) => change('intents', settings.intents + (event.target.checked ? bit : -bit))}
            /><span>${name}</span></label
          >`,
      )}
    </div>
  </details>`;
}

function audits() {
  const waiting = store.worlds.get(chosen.app)?.audits || [];
  if (!waiting.length) return nothing;
  const judge = async (id, pass) => {
    await act({ app: chosen.app }, { action: 'judge', audit_id: id, pass });
    store.lookAround(chosen.app);
  };
  return html`<h3>${t('audits')}</h3>
    <ul class="replies">
      ${waiting.map(
        (it) =>
          html`<li class="reply">
            <span class="top"><span class="gist">${it.text}</span><small>${clock(it.since)}</small></span>
            <span class="row"
              ><button @click=${() => judge(it.audit_id, true)}>${t('pass')}</button
              ><button @click=${() => judge(it.audit_id, false)}>${t('reject')}</button></span
            >
          </li>`,
      )}
    </ul>`;
}

export function rights() {
  const bots = store.state?.bots || [];
  chosen.app ??= bots[0]?.app_id ?? null;
  const settings = store.settings.get(chosen.app);
  if (!settings) return html`<p class="soft">${t('loading')}</p>`;
  const plain = Object.entries(settings).filter(
    ([key, value]) => !hidden.has(key) && (typeof value !== 'object' || value === null),
  );
  return html`<div class="scroll" tabindex="0">
    <p class="soft">${t('rights_why')}</p>
    ${
      bots.length > 1
        ? html`<label class="choice"
            >${t('bot')}<select
              @change=${(event) => {
                chosen.app = event.target.value;
                store.changed();
              }}
            >
              ${bots.map(
                (bot) =>
                  html`<option value=${bot.app_id} ?selected=${bot.app_id === chosen.app}>
                    ${bot.name}
                  </option>`,
              )}
            </select></label
          >`
        : nothing
    }
    ${audits()}
    <div class="fields">${plain.map(([key, value]) => field(key, value, change))}</div>
    ${intents(settings)} ${ORDER.map((name) => section(name, settings[name]))}
    <div class="row">
      <button
        @click=${() =>
          attempt(async () => {
            const { app_id, secret, name } = settings;
            store.settings.set(app_id, await api.putSettings(app_id, { app_id, secret, name }));
            store.changed();
          })}
      >
        ${t('defaults')}
      </button>
    </div>
    <h3>${t('all_bots')}</h3>
    ${gateway()}
  </div>`;
}
