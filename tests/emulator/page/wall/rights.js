// Grants, quotas and every other rule of a bot, to be switched while it runs.

import { html, nothing } from '../ui/lit.js';
import { attempt } from '../ui/toast.js';
import { api } from '../core/api.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { clock, t } from '../core/words.js';
import { act } from '../chat/actions.js';
import { rightsZh } from '../words/rights.js';
import { ALL_INTENTS } from './explain.js';

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
/// What has a few values, by its path.
const CHOICES = {
  'messages.proactive': ['allowed', 'quota', { refused: 40034105 }, { refused: 40034102 }],
  'moderation.verdict': ['pass', 'silent', 'audit', { refuse: 40034006 }, { refuse: 304025 }],
  standing: ['normal', 'offline', 'banned'],
  'messages.nulls': ['absent', 'refused'],
  'messages.timestamp': ['rfc3339', 'seconds', 'seconds-text', 'go'],
  'events.timestamp': ['rfc3339', 'seconds', 'seconds-text', 'go'],
  'events.relation_timestamp': ['rfc3339', 'seconds', 'seconds-text', 'go'],
  'events.shape': ['minimal', 'current'],
  'events.member_ids': ['per-group', 'same-as-user'],
  'events.group_mode': ['only_mention', 'mention_and_context', 'all'],
  'events.at_in_full_mode': ['message', 'at', 'both'],
  'guilds.reaction_target': ['number', 'text'],
  'media.foreign_urls': ['trusted', 'unreachable'],
  'media.urls': ['full', 'no-scheme', 'bare'],
  'media.guild_urls': ['full', 'no-scheme', 'bare'],
  'media.sizes': ['text', 'number'],
  'token.expires_in': ['text', 'number'],
};

function setAt(settings, path, value) {
  const keys = path.split('.');
  const last = keys.pop();
  keys.reduce((it, key) => it[key], settings)[last] = value;
}

const change = (path, value) =>
  attempt(() => store.saveSettings(chosen.app, (settings) => setAt(settings, path, value)));

const named = (it) =>
  typeof it === 'string'
    ? t(`v_${it}`) === `v_${it}`
      ? it
      : t(`v_${it}`)
    : Object.entries(it).map(([key, value]) => `${t(`v_${key}`)} ${value}`)[0];

/// Fields that are milliseconds: written as `90s`, `5m`, `1h`.
const SPANS = new Set([
  'c2c_window',
  'group_window',
  'window',
  'dedup_memory',
  'event_id_lag',
  'recall_window',
  'ttl',
  'lifetime',
  'overlap',
  'latency',
  'start_period',
  'replay_keep',
  'least_gap',
  'patience',
  'deadline',
  'audit_takes',
  'part_lag',
  'rkey_life',
]);

const spanText = (ms) => {
  const [unit, name] = [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
    [1, 'ms'],
  ].find(([it]) => ms >= it && ms % it === 0) || [1, 'ms'];
  return `${ms / unit}${name}`;
};

function spanOf(text) {
  const [, number, unit] = /^\s*([\d.]+)\s*(ms|s|m|h|d)?\s*$/.exec(text) || [];
  if (number === undefined) throw new Error(t('no_span', text));
  return Math.round(Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit || 's']);
}

function field(path, value) {
  const key = path.split('.').at(-1);
  const name =
    prefs.lang === 'zh'
      ? rightsZh[path] || rightsZh[key] || key.replaceAll('_', ' ')
      : key.replaceAll('_', ' ');
  if (SPANS.has(key)) {
    return html`<label class="choice"
      ><span>${name}</span
      ><input
        .value=${spanText(value)}
        @change=${(event) => attempt(async () => change(path, spanOf(event.target.value)))}
    /></label>`;
  }
  if (CHOICES[path]) {
    const all = CHOICES[path].map((it) => JSON.stringify(it));
    const now = JSON.stringify(value);
    if (!all.includes(now)) all.push(now);
    return html`<label class="choice"
      ><span>${name}</span
      ><select @change=${(event) => change(path, JSON.parse(event.target.value))}>
        ${all.map((it) => html`<option value=${it} ?selected=${it === now}>${named(JSON.parse(it))}</option>`)}
      </select></label
    >`;
  }
  if (typeof value === 'boolean') {
    return html`<label class="switch"
      ><input
        type="checkbox"
        role="switch"
        .checked=${value}
        @change=${(event) => change(path, event.target.checked)}
      /><span>${name}</span></label
    >`;
  }
  if (typeof value === 'number') {
    return html`<label class="choice"
      ><span>${name}</span
      ><input
        type="number"
        min="0"
        .value=${String(value)}
        @change=${(event) => change(path, Number(event.target.value))}
    /></label>`;
  }
  if (Array.isArray(value) && value.every((it) => typeof it === 'string')) {
    return html`<label class="choice"
      ><span>${name}</span
      ><input
        .value=${value.join(', ')}
        placeholder="a, b"
        @change=${(event) =>
          change(
            path,
            event.target.value
              .split(',')
              .map((it) => it.trim())
              .filter(Boolean),
          )}
    /></label>`;
  }
  return html`<label class="choice"
    ><span>${name}</span
    ><input
      .value=${JSON.stringify(value)}
      @change=${(event) => attempt(async () => change(path, JSON.parse(event.target.value)))}
  /></label>`;
}

function section(name, values) {
  return html`<details ?open=${name === 'messages' || name === 'grants'}>
    <summary>${t(`r_${name}`)}</summary>
    <div class="fields">${Object.entries(values).map(([key, value]) => field(`${name}.${key}`, value))}</div>
  </details>`;
}

function intents(settings) {
  const has = (bit) => Math.floor(settings.intents / bit) % 2 === 1;
  return html`<details>
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
    <div class="fields">${plain.map(([key, value]) => field(key, value))}</div>
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
  </div>`;
}
