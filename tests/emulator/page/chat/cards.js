// Cards: the three ark templates that every bot has, and embeds. Others are shown as what they say.

import { html } from '../ui/lit.js';
import { t } from '../core/words.js';
import { maybe } from './text.js';
import { thumbnail } from './media.js';

function fields(card) {
  const all = {};
  for (const item of card.kv || []) {
    all[item.key] =
      item.value ??
      item.obj?.map(({ obj_kv: pairs }) => Object.fromEntries(pairs.map((it) => [it.key, it.value])));
  }
  return all;
}

const opens = (url, inside) =>
  url && /^https?:/.test(url)
    ? html`<a class="card" href=${url} target="_blank" rel="noopener noreferrer">${inside}</a>`
    : html`<div class="card">${inside}</div>`;

function links(it) {
  const rows = (it['#LIST#'] || []).map(
    ({ desc, link }) =>
      html`<li>
        ${link ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${desc}</a>` : desc}
      </li>`,
  );
  return html`<div class="card">
    <b>${it['#DESC#'] || it['#PROMPT#']}</b>
    <ul>
      ${rows}
    </ul>
  </div>`;
}

const article = (it) =>
  opens(
    it['#LINK#'],
    html`<div class="card-side">
        <span
          ><b>${it['#TITLE#']}</b>
          ${maybe(it['#METADESC#'], (text) => html`<span class="soft">${text}</span>`)}</span
        >
        ${maybe(it['#IMG#'], thumbnail)}
      </div>
      <small class="from">${it['#SUBTITLE#'] || it['#DESC#']}</small>`,
  );

const large = (it) =>
  opens(
    it['#METAURL#'],
    html`<b>${it['#METATITLE#']}</b>
      ${maybe(it['#METASUBTITLE#'], (text) => html`<span class="soft">${text}</span>`)}
      ${maybe(it['#METACOVER#'], thumbnail)}`,
  );

export function ark(card) {
  const it = fields(card);
  switch (card.template_id) {
    case 23:
      return links(it);
    case 24:
      return article(it);
    case 37:
      return large(it);
    default:
      return html`<div class="card">
        <b>${it['#PROMPT#'] || `ark ${card.template_id}`}</b>
        <small class="from">${t('card')} ${card.template_id}</small>
      </div>`;
  }
}

export const embed = (card) =>
  html`<div class="card embed">
    <div class="card-side">
      <span
        ><b>${card.title}</b>
        ${(card.fields || []).map(({ name }) => html`<span class="field">${name}</span>`)}</span
      >
      ${maybe(card.thumbnail?.url, thumbnail)}
    </div>
  </div>`;
