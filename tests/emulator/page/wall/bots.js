// The bots: how each is, how to bring one's own, and another component for the one that lives here.

import { html, nothing } from '../ui/lit.js';
import { dialog } from '../ui/popup.js';
import { icon } from '../ui/icons.js';
import { attempt, toast } from '../ui/toast.js';
import { api } from '../core/api.js';
import { store } from '../core/store.js';
import { told } from '../core/told.js';
import { t } from '../core/words.js';
import { health } from '../chat/room.js';
import { intentNames } from './explain.js';

const STATS = [
  'identifies',
  'resumes',
  'accepted',
  'refused',
  'deduplicated',
  'events',
  'events_lost',
  'replayed',
  'tokens_issued',
];

async function swap(app, files) {
  const [file] = files;
  if (!file) return;
  toast(t('swapping', file.name));
  const done = await attempt(() => api.swap(app, file));
  if (done) toast(told(done.said));
  store.look();
}

const restart = async (app) => {
  const done = await attempt(() => api.restart(app));
  if (done) toast(told(done.said));
};

const MANNERS = ['stream', 'typing', 'none'];

const writing = (bot) =>
  html`<label class="choice"
    >${t('manner')}<select
      @change=${(event) =>
        attempt(() => api.manner(bot.app_id, event.target.value)).then((done) => {
          if (done) toast(told(done.said));
          store.look();
        })}
    >
      ${MANNERS.map((it) => html`<option value=${it} ?selected=${it === bot.manner}>${t(`manner_${it}`)}</option>`)}
    </select></label
  >`;

function component(bot) {
  if (!bot.built_in) return nothing;
  const over = (event) => {
    event.preventDefault();
    event.currentTarget.classList.add('over');
  };
  const left = (event) => event.currentTarget.classList.remove('over');
  return html`<div
    class="swap"
    @dragover=${over}
    @dragleave=${left}
    @drop=${(event) => {
      event.preventDefault();
      left(event);
      swap(bot.app_id, event.dataTransfer.files);
    }}
  >
    <span>${t('drop_wasm')}</span
    ><span class="row">
      <button @click=${(event) => event.currentTarget.parentElement.querySelector('input').click()}>
        ${t('choose_wasm')}
      </button>
      <input
        type="file"
        accept=".wasm"
        hidden
        aria-label=${t('choose_wasm')}
        @change=${(event) => swap(bot.app_id, event.target.files)}
      />
      <button @click=${() => restart(bot.app_id)}>${icon('refresh')}${t('restart')}</button></span
    >
  </div>`;
}

const session = (it) =>
  html`<li>
    <code>${it.id.slice(0, 8)}</code>
    ${it.conn === null ? t('no_connection') : `${t('connection')} ${it.conn}`} · s ${it.sent}/${it.last_s}
    <small>${intentNames(it.intents).join(' + ')}</small>
  </li>`;

const copy = (text) => navigator.clipboard.writeText(text).then(() => toast(t('copied')));

const value = (label, text) =>
  html`<dt>${label}</dt>
    <dd>
      <code>${text}</code
      ><button class="text" aria-label=${`${t('copy')} ${label}`} @click=${() => copy(text)}>
        ${t('copy')}
      </button>
    </dd>`;

function bring(bot) {
  const { api_base: base, token_url: token, gateway_url: gateway } = store.state;
  const secret = store.settings.get(bot.app_id)?.secret ?? '';
  return html`<details>
    <summary>${t('bring')}</summary>
    <dl class="values">
      ${value('AppID', bot.app_id)}${value('AppSecret', secret)}${value(t('api_base'), base)}${value(t('token_url'), token)}${value(t('gateway'), gateway)}
    </dl>
    <p class="soft">${t('bring_how')}</p>
    <ul class="soft hints">
      <li>${t('bring_own')}</li>
      <li>${t('bring_fixed')}</li>
      <li>${t('bring_plain')}</li>
      ${bot.built_in ? html`<li>${t('bring_other')}</li>` : nothing}
    </ul>
  </details>`;
}

function one(bot) {
  const [state, word] = health(bot.app_id);
  return html`<section class="bot" aria-label=${bot.name}>
    <h3>
      <span class="dot ${state}"></span>${bot.name}
      <small>${bot.app_id} · ${word}${bot.built_in ? ` · ${t('built_in')}` : ''}</small>
    </h3>
    <ul class="numbers">
      ${STATS.map((name) => html`<li><b>${bot.stats[name]}</b><span>${t(`s_${name}`)}</span></li>`)}
    </ul>
    ${
      bot.sessions.length
        ? html`<ul class="sessions">
            ${bot.sessions.map(session)}
          </ul>`
        : nothing
    }
    ${bot.manner ? writing(bot) : nothing}${component(bot)}${bring(bot)}
  </section>`;
}

const digits = (count) => Array.from(crypto.getRandomValues(new Uint8Array(count)), (it) => it % 10).join('');
const letters = (count) =>
  Array.from(
    crypto.getRandomValues(new Uint8Array(count)),
    (it) => 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'[it % 55],
  ).join('');

async function add() {
  const wanted = await dialog(
    t('new_bot'),
    (done) =>
      html`<form
        class="form"
        @submit=${(event) => {
          event.preventDefault();
          const { app_id: app, secret, name } = event.target.elements;
          done({ app_id: app.value, secret: secret.value, name: name.value });
        }}
      >
        <h2>${t('new_bot')}</h2>
        <label>${t('name')}<input name="name" required value="my-bot" /></label>
        <label>AppID<input name="app_id" required pattern="[0-9]+" value=${`10${digits(7)}`} /></label>
        <label>AppSecret<input name="secret" required value=${letters(32)} /></label>
        <div class="row end">
          <button type="button" @click=${() => done()}>${t('cancel')}</button
          ><button class="primary">${t('make')}</button>
        </div>
      </form>`,
  );
  if (wanted && (await attempt(() => api.addBot(wanted)))) await store.lookNow();
}

export function bots() {
  return html`<div class="scroll" tabindex="0">
    <p class="soft">${t('bots_why')}</p>
    ${(store.state?.bots || []).map(one)}
    <div class="row"><button @click=${add}>${icon('plus')}${t('new_bot')}</button></div>
  </div>`;
}
