// The rules of the gateway, which are the same for all bots.

import { html } from '../ui/lit.js';
import { attempt, toast } from '../ui/toast.js';
import { api } from '../core/api.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { field } from './fields.js';

const put = (settings) =>
  attempt(async () => {
    store.gateway = await api.putGateway(settings);
  }).finally(() => store.changed());

const change = (path, value) => put({ ...store.gateway, [path.split('.')[1]]: value });

/// Breaks every connection: bots come back, and meet the new rules.
const reconnect = () =>
  attempt(async () => {
    for (const bot of store.state.bots) await api.fault(bot.app_id, 'drop');
    toast(t('connections_broken'));
    store.look();
  });

export function gateway() {
  if (!store.gateway) return '';
  return html`<details class="gateway">
    <summary>${t('r_gateway')}</summary>
    <p class="soft">${t('gateway_why')}</p>
    <div class="fields">
      ${Object.entries(store.gateway).map(([key, value]) => field(`gateway.${key}`, value, change))}
    </div>
    <div class="row">
      <button @click=${reconnect}>${t('reconnect_all')}</button>
      <button @click=${() => put({})}>${t('gateway_defaults')}</button>
    </div>
  </details>`;
}
