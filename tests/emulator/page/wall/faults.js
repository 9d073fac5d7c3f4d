// Things that go wrong on purpose: each of the emulator's, with its arguments.

import { html, nothing } from '../ui/lit.js';
import { attempt, toast } from '../ui/toast.js';
import { api } from '../core/api.js';
import { store } from '../core/store.js';
import { prefs } from '../core/prefs.js';
import { t } from '../core/words.js';
import { faultsZh } from '../words/faults.js';

/// What is usually meant, so that one press is enough.
const USUAL = {
  'close CODE': '4009',
  'login-close CODE': '4004',
  'quiet SPAN': '10s',
  'deliver N': '2',
  'replay-extra N': '3',
  'status CODE': '503',
  'refuse CODE': '40034105',
  'slow SPAN': '5s',
  'slow-after-delivery SPAN': '5s',
};
const GARBAGE = [
  '',
  'not-json',
  'not-object',
  'empty',
  'unknown-op',
  'unknown-event',
  'missing-seq',
  'odd-body',
  'odd-fields',
  'missing-name',
  'huge',
];
const POINTS = ['', 'post', 'gateway', 'token', 'upload', 'storage', 'ack', 'any'];
/// From here on the list is about requests.
const FIRST_REQUEST = '401';

let known = null;
const chosen = { app: '' };

async function load() {
  known = [];
  known = (await attempt(api.faults))?.known || [];
  store.changed();
}

function argument(form) {
  const rest = form.slice(form.indexOf(' ') + 1);
  if (!form.includes(' ')) return nothing;
  const label = t('argument', form);
  if (rest === '[KIND]')
    return html`<select name="argument" aria-label=${label}>
      ${GARBAGE.map((it) => html`<option value=${it}>${it || t('each_kind')}</option>`)}
    </select>`;
  if (rest.includes('|'))
    return html`<select name="argument" aria-label=${label}>
      ${rest.split('|').map((it) => html`<option>${it}</option>`)}
    </select>`;
  return html`<input
    name="argument"
    aria-label=${label}
    .defaultValue=${USUAL[form] || ''}
    value=${USUAL[form] || ''}
    size="7"
    required
  />`;
}

async function order(event, form) {
  event.preventDefault();
  const fields = event.target.elements;
  const parts = [
    form.split(' ')[0],
    fields.argument?.value,
    fields.point?.value && `at ${fields.point.value}`,
    Number(fields.times.value) > 1 && `x${fields.times.value}`,
  ];
  const text = parts.filter(Boolean).join(' ');
  const done = await attempt(() => api.fault(chosen.app || undefined, text));
  if (done) toast(t('ordered', text));
  store.look();
}

const line = ({ form, what }, request) =>
  html`<li>
    <form class="fault" @submit=${(event) => order(event, form)}>
      <span class="what"
        ><code>${form}</code><span>${prefs.lang === 'zh' ? faultsZh[form] || what : what}</span></span
      >
      ${argument(form)}
      ${
        request
          ? html`<select name="point" aria-label=${t('which_request', form)}>
              ${POINTS.map((it) => html`<option value=${it}>${it || t('next_post')}</option>`)}
            </select>`
          : nothing
      }
      <label class="times"
        >×<input name="times" type="number" min="1" max="99" value="1" aria-label=${t('times', form)}
      /></label>
      <button aria-label=${`${t('order')} ${form}`}>${t('order')}</button>
    </form>
  </li>`;

export function faults() {
  if (known === null) load();
  const bots = store.state?.bots || [];
  const waiting = bots.flatMap((bot) => bot.waiting_faults.map((it) => [bot.name, it]));
  const first = (known || []).findIndex((it) => it.form === FIRST_REQUEST);
  return html`<div class="scroll" tabindex="0">
    <p class="soft">${t('faults_why')}</p>
    ${
      bots.length > 1
        ? html`<label class="choice"
            >${t('bot')}<select
              @change=${(event) => {
                chosen.app = event.target.value;
              }}
            >
              ${bots.map((bot) => html`<option value=${bot.app_id}>${bot.name}</option>`)}
            </select></label
          >`
        : nothing
    }
    ${
      waiting.length
        ? html`<div class="waiting">
            <b>${t('waiting_faults')}</b
            >${waiting.map(([name, it]) => html`<span class="chip">${bots.length > 1 ? `${name}: ` : ''}${it}</span>`)}
            <button
              @click=${async () => {
                await attempt(api.clearFaults);
                store.look();
              }}
            >
              ${t('take_back')}
            </button>
          </div>`
        : nothing
    }
    <h3>${t('faults_socket')}</h3>
    <ul class="faults">
      ${(known || []).slice(0, first).map((it) => line(it, false))}
    </ul>
    <h3>${t('faults_request')}</h3>
    <ul class="faults">
      ${(known || []).slice(first).map((it) => line(it, true))}
    </ul>
  </div>`;
}
