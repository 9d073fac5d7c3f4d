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

const locale = () => (prefs.lang === 'zh' ? 'zh-CN' : 'en-GB');

export function clock(ms, seconds = false) {
  const options = { hour: '2-digit', minute: '2-digit', hour12: false };
  if (seconds) options.second = '2-digit';
  return new Date(ms).toLocaleTimeString(locale(), options);
}

export function moment(ms, now) {
  const day = new Date(ms).toDateString() === new Date(now).toDateString();
  if (day) return clock(ms);
  const date = new Date(ms).toLocaleDateString(locale(), { month: 'short', day: 'numeric' });
  return `${date} ${clock(ms)}`;
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
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}
