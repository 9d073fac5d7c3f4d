// Chinese and English. A text is asked for by its key; `{0}` and the like are filled in.

import { prefs } from './prefs.js';
import { chatWords } from '../words/chat.js';
import { wallWords } from '../words/wall.js';

const words = { ...chatWords, ...wallWords };

export function t(key, ...values) {
  const pair = words[key];
  if (!pair) return key;
  const text = prefs.lang === 'zh' ? pair[0] : pair[1];
  return text.replace(/\{(\d)\}/g, (_, n) => values[n] ?? '');
}

/// One of two texts that stand side by side in a table.
export const either = (zh, en) => (prefs.lang === 'zh' ? zh : en);

/// Formatters are dear to make and cheap to use; a row of a conversation uses several.
const formatters = new Map();
function formatted(ms, options) {
  const key = prefs.lang + Object.keys(options).join();
  if (!formatters.has(key)) {
    formatters.set(key, new Intl.DateTimeFormat(prefs.lang === 'zh' ? 'zh-CN' : 'en-GB', options));
  }
  return formatters.get(key).format(ms);
}

const TIME = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const SECONDS = { ...TIME, second: '2-digit' };
const DATE = { month: 'short', day: 'numeric' };

export const clock = (ms, seconds = false) => formatted(ms, seconds ? SECONDS : TIME);

const ZONE_MS = new Date().getTimezoneOffset() * 60_000;
const day = (ms) => Math.floor((ms - ZONE_MS) / 86_400_000);

export function moment(ms, now) {
  return day(ms) === day(now) ? clock(ms) : `${formatted(ms, DATE)} ${clock(ms)}`;
}

export function size(bytes) {
  if (bytes === undefined || bytes === null) return '';
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1048576).toFixed(1)} MB`;
}

export function span(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  return s >= 3600
    ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}
