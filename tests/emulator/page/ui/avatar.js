// Round pictures of people, groups and bots, drawn from their names.

import { html } from './lit.js';
import { icon } from './icons.js';

const HUES = [205, 265, 330, 15, 35, 160, 185, 225];

function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return HUES[sum % HUES.length];
}

const round = (name, inside, extra = '') =>
  html`<span class="avatar ${extra}" style="--hue:${hue(name)}" aria-hidden="true">${inside}</span>`;

export const person = (name) => round(name, [...name][0]?.toUpperCase() ?? '?');

export const robot = (name) =>
  round(
    name,
    html`<svg viewBox="0 0 24 24">
      <rect x="4" y="8" width="16" height="11" rx="4" />
      <circle cx="9" cy="13.5" r="1.6" />
      <circle cx="15" cy="13.5" r="1.6" />
      <path d="M12 8V4.5M10.5 4.5h3" />
    </svg>`,
    'robot',
  );

export const place = (name, scene) =>
  round(name, icon({ group: 'users', channel: 'hash', dm: 'mail' }[scene]), 'place');
