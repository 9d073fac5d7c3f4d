// The wire: every frame and request in order, with what it came from.

import { html, nothing } from '../ui/lit.js';
import '../ui/virtual-list.js';
import { prefs, remember } from '../core/prefs.js';
import { store } from '../core/store.js';
import { told } from '../core/told.js';
import { clock, t } from '../core/words.js';
import { arrow, explain, groupOf } from './explain.js';

const FILTERS = ['frames', 'requests', 'users', 'faults', 'violations', 'beats'];
const filter = { on: new Set(FILTERS.slice(0, -1)), text: '', app: '' };
const open = new Set();
let marked = null;
let shown = { version: -1, key: '', items: [] };

/// All that an entry says, made once, for the search.
function saying(entry) {
  const { text, body, path, fault, meaning } = entry;
  entry.saying ??= [text, body, path, fault, meaning].filter(Boolean).join(' ').toLowerCase();
  return entry.saying;
}

const fits = (entry) =>
  filter.on.has(groupOf(entry)) &&
  (!filter.app || !entry.app || entry.app === filter.app) &&
  (!filter.text || saying(entry).includes(filter.text));

/// What is left after the filters; only new entries are looked at.
function items() {
  const { wire } = store;
  const key = `${[...filter.on].join()}|${filter.text}|${filter.app}`;
  if (shown.key !== key || shown.first !== wire.entries[0]?.n) {
    shown = {
      key,
      items: wire.entries.filter(fits),
      first: wire.entries[0]?.n,
      seen: wire.entries.at(-1)?.n ?? -1,
    };
    return shown.items;
  }
  const last = wire.entries.at(-1)?.n ?? -1;
  for (let i = wire.entries.length - (last - shown.seen); i < wire.entries.length; i += 1) {
    if (i >= 0 && fits(wire.entries[i])) shown.items.push(wire.entries[i]);
  }
  shown.seen = last;
  return shown.items;
}

const pretty = (entry) => {
  if (entry.json) return JSON.stringify(entry.json, null, 2);
  return (
    told(entry.text) ||
    entry.body ||
    JSON.stringify(
      { ...entry, request: undefined, key: undefined, json: undefined, saying: undefined },
      null,
      2,
    )
  );
};

function goTo(n) {
  marked = n;
  open.add(n);
  const entry = store.wire.get(n);
  if (entry) filter.on.add(groupOf(entry));
  filter.text = '';
  store.changed();
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector('.wire-list')?.show(n)));
}

/// Opens the wall where a message is.
export function showInWire(id) {
  const n = store.wire.of(id);
  if (n === undefined) return;
  remember('wall', true);
  remember('tab', 'wire');
  store.changed();
  goTo(n);
}

function causeLine(entry) {
  const cause = entry.cause === undefined ? null : store.wire.get(entry.cause);
  if (!cause) return nothing;
  const [title, text] = explain(cause);
  return html`<button class="cause" @click=${() => goTo(cause.n)}>
    ${t('because')} #${cause.n} ${title} ${text}
  </button>`;
}

function row(entry) {
  const [title, text, tone] = explain(entry);
  const isOpen = open.has(entry.n);
  return html`<div class="entry ${entry.kind} ${tone || ''} ${marked === entry.n ? 'marked' : ''}">
    <button
      class="entry-head"
      aria-expanded=${isOpen}
      @click=${() => {
        if (isOpen) open.delete(entry.n);
        else open.add(entry.n);
        store.changed();
      }}
    >
      <time>${clock(entry.at, true)}</time><span class="arrow" aria-hidden="true">${arrow(entry)}</span
      ><b>${title}</b><span class="text">${text}</span>
    </button>
    ${
      isOpen
        ? html`<div class="entry-body">
            ${causeLine(entry)}<small
              >#${entry.n}${entry.app ? ` · ${store.botName(entry.app)}` : ''}${entry.conn !== undefined ? ` · ${t('connection')} ${entry.conn}` : ''}</small
            >
            <pre tabindex="0">${pretty(entry)}</pre>
          </div>`
        : nothing
    }
  </div>`;
}

export function wire() {
  const bots = store.state?.bots || [];
  return html`<div class="filters" role="group" aria-label=${t('filters')}>
      ${FILTERS.map(
        (name) =>
          html`<button
            class="filter ${filter.on.has(name) ? 'on' : ''}"
            aria-pressed=${filter.on.has(name)}
            @click=${() => {
              if (filter.on.has(name)) filter.on.delete(name);
              else filter.on.add(name);
              store.changed();
            }}
          >
            ${t(`f_${name}`)}
          </button>`,
      )}
      <input
        type="search"
        placeholder=${t('search')}
        aria-label=${t('search')}
        .value=${filter.text}
        @input=${(event) => {
          filter.text = event.target.value.toLowerCase();
          store.changed();
        }}
      />
      ${
        bots.length > 1
          ? html`<select
              aria-label=${t('bot')}
              @change=${(event) => {
                filter.app = event.target.value;
                store.changed();
              }}
            >
              <option value="">${t('all_bots')}</option>
              ${bots.map((bot) => html`<option value=${bot.app_id}>${bot.name}</option>`)}
            </select>`
          : nothing
      }
    </div>
    <virtual-list
      class="wire-list"
      tabindex="0"
      role="log"
      aria-live="off"
      aria-label=${t('wire')}
      .data=${{ name: `wire ${shown.key}`, items: items(), row }}
    ></virtual-list>`;
}

export const isWireOpen = () => prefs.wall && prefs.tab === 'wire';
