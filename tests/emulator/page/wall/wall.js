// The glass wall: what crosses between the platform and its bots, and what can be done to it.

import { html, nothing } from '../ui/lit.js';
import { icon } from '../ui/icons.js';
import { menu } from '../ui/popup.js';
import { attempt } from '../ui/toast.js';
import { api } from '../core/api.js';
import { prefs, remember } from '../core/prefs.js';
import { store } from '../core/store.js';
import { clock, t } from '../core/words.js';
import { bots } from './bots.js';
import { saveRecord, saveScenario, saveTrace } from './export.js';
import { faults } from './faults.js';
import { replies } from './replies.js';
import { rights } from './rights.js';
import { wire } from './wire.js';

const TABS = { wire, replies, faults, rights, bots };
const STEPS = [
  ['+10s', 10_000],
  ['+1m', 60_000],
  ['+5m', 300_000],
  ['+1h', 3_600_000],
  ['+1d', 86_400_000],
];

const choose = (tab) => {
  remember('tab', tab);
  store.changed();
};

function onKey(event) {
  const names = Object.keys(TABS);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose(names.at((names.indexOf(prefs.tab) + step) % names.length));
  requestAnimationFrame(() => document.querySelector('[role=tab][aria-selected=true]')?.focus());
}

const moveClock = (ms) =>
  attempt(async () => {
    await api.advance(ms);
    await store.lookNow();
  });

export function wall() {
  if (!prefs.wall) return nothing;
  const inside = store.state?.bots.find((bot) => bot.built_in);
  const violations = store.state?.counts.violations || 0;
  return html`<aside class="wall" aria-label=${t('glass_wall')}>
    <header>
      <h2>${t('glass_wall')}</h2>
      <span class="clock" title=${t('clock')}>${clock(store.now(), true)}</span>
      <span class="steps" role="group" aria-label=${t('move_clock')}
        >${STEPS.map(([label, ms]) => html`<button @click=${() => moveClock(ms)}>${label}</button>`)}</span
      >
      <button
        class="tool"
        aria-label=${t('export')}
        aria-haspopup="menu"
        title=${t('export')}
        @click=${(event) =>
          menu(event.currentTarget, t('export'), [
            [t('export_record'), () => attempt(saveRecord)],
            [t('export_scenario'), () => attempt(saveScenario)],
            inside && [t('export_trace'), () => attempt(() => saveTrace(inside.app_id))],
          ])}
      >
        ${icon('down')}
      </button>
      <button
        class="tool"
        aria-label=${t('close')}
        @click=${() => {
          remember('wall', false);
          store.changed();
        }}
      >
        ${icon('close')}
      </button>
    </header>
    <div class="tabs" role="tablist" aria-label=${t('glass_wall')} @keydown=${onKey}>
      ${Object.keys(TABS).map(
        (name) =>
          html`<button
            role="tab"
            id=${`tab-${name}`}
            aria-controls="panel"
            aria-selected=${prefs.tab === name}
            tabindex=${prefs.tab === name ? 0 : -1}
            @click=${() => choose(name)}
          >
            ${t(`tab_${name}`)}${
              name === 'wire' && violations
                ? html`<span class="unread" role="img" aria-label=${t('violations', violations)}
                    >${violations}</span
                  >`
                : nothing
            }
          </button>`,
      )}
    </div>
    <div class="panel" id="panel" role="tabpanel" aria-labelledby=${`tab-${prefs.tab}`}>
      ${(TABS[prefs.tab] || wire)()}
    </div>
  </aside>`;
}
