// One setting as a field: a switch, a choice, a span of time, a number, a list; by its value and its
// name. What does not count at once says so.

import { html, nothing } from '../ui/lit.js';
import { attempt } from '../ui/toast.js';
import { prefs } from '../core/prefs.js';
import { t } from '../core/words.js';
import { rightsZh } from '../words/rights.js';

const CLOCKS = ['rfc3339', 'seconds', 'seconds-text', 'go'];
const REFUSALS = ['invalid-session', { close: 4004 }, { close: 4006 }, { close: 4009 }];

/// What has a few values, by its path.
const CHOICES = {
  'messages.proactive': ['allowed', 'quota', { refused: 40034105 }, { refused: 40034102 }],
  'moderation.verdict': ['pass', 'silent', 'audit', { refuse: 40034006 }, { refuse: 304025 }],
  standing: ['normal', 'offline', 'banned'],
  'messages.nulls': ['absent', 'refused'],
  'messages.timestamp': CLOCKS,
  'events.timestamp': CLOCKS,
  'events.relation_timestamp': CLOCKS,
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
  'gateway.discovery': ['both', 'plain-only', 'bot-only'],
  'gateway.identify_bad_token': REFUSALS,
  'gateway.resume_bad_token': REFUSALS,
  'gateway.unknown_session': REFUSALS,
  'gateway.close_after_invalid': [null, 0, 1000, 5000],
};

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
  'heartbeat_interval',
  'login_timeout',
  'reconnect_grace',
  'close_after_invalid',
]);

/// What a bot meets only when it connects, logs in or fetches a token the next time.
const LATER = {
  'gateway.heartbeat_interval': 'next_connection',
  'gateway.missed_heartbeats': 'next_connection',
  'gateway.login_timeout': 'next_connection',
  'gateway.discovery': 'next_connection',
  'gateway.shards': 'next_connection',
  'gateway.shard_required': 'next_login',
  'gateway.identify_bad_token': 'next_login',
  'gateway.resume_bad_token': 'next_login',
  'gateway.bare_resume_token': 'next_login',
  'gateway.unknown_session': 'next_login',
  'sessions.start_total': 'next_login',
  'sessions.start_period': 'next_login',
  'sessions.max_concurrency': 'next_login',
  'sessions.enforce_concurrency': 'next_login',
  'sessions.resumable': 'next_login',
  'sessions.replay_keep': 'next_loss',
  'token.lifetime': 'next_token',
  'token.expires_in': 'next_token',
};

export const spanText = (ms) => {
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

const wordOf = (it) => (t(`v_${it}`) === `v_${it}` ? it : t(`v_${it}`));

/// A value of a choice in a few words.
function named(it, isSpan) {
  if (it === null) return t('v_never');
  if (isSpan) return spanText(it);
  if (typeof it === 'object') return Object.entries(it).map(([key, value]) => `${wordOf(key)} ${value}`)[0];
  return wordOf(it);
}

const listOf = (text) =>
  text
    .split(',')
    .map((it) => it.trim())
    .filter(Boolean);

function choice(path, value, isSpan, change) {
  const all = CHOICES[path].map((it) => JSON.stringify(it));
  const now = JSON.stringify(value);
  if (!all.includes(now)) all.push(now);
  return html`<select @change=${(event) => change(path, JSON.parse(event.target.value))}>
    ${all.map(
      (it) => html`<option value=${it} ?selected=${it === now}>${named(JSON.parse(it), isSpan)}</option>`,
    )}
  </select>`;
}

/// What is written, and what becomes of it; a text that cannot be read is said and changes nothing.
const written = (path, text, read, change) =>
  html`<input
    .value=${text}
    @change=${(event) => attempt(async () => change(path, read(event.target.value)))}
  />`;

function control(path, value, isSpan, change) {
  if (CHOICES[path]) return choice(path, value, isSpan, change);
  if (isSpan) return written(path, spanText(value), spanOf, change);
  if (typeof value === 'number')
    return html`<input
      type="number"
      min="0"
      .value=${String(value)}
      @change=${(event) => change(path, Number(event.target.value))}
    />`;
  if (Array.isArray(value) && value.every((it) => typeof it === 'string'))
    return written(path, value.join(', '), listOf, change);
  return written(path, JSON.stringify(value), JSON.parse, change);
}

/// A setting by its path, with what changes it.
export function field(path, value, change) {
  const key = path.split('.').at(-1);
  const plain = key.replaceAll('_', ' ');
  const words = prefs.lang === 'zh' ? rightsZh[path] || rightsZh[key] || plain : plain;
  const name = html`<span>${words}${LATER[path] ? html` <small>${t(LATER[path])}</small>` : nothing}</span>`;
  if (typeof value !== 'boolean')
    return html`<label class="choice">${name}${control(path, value, SPANS.has(key), change)}</label>`;
  return html`<label class="switch"
    ><input
      type="checkbox"
      role="switch"
      .checked=${value}
      @change=${(event) => change(path, event.target.checked)}
    />${name}</label
  >`;
}
