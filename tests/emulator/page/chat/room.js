// The conversation that is open: its head, what was said, and where to write.

import { html, nothing } from '../ui/lit.js';
import '../ui/virtual-list.js';
import { icon } from '../ui/icons.js';
import { prefs, remember } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { attach, composer, titleOf } from './composer.js';
import { details } from './details.js';
import { row } from './message.js';
import { welcome } from './suggest.js';

/// How the bot of a conversation is, in a word.
export function health(app) {
  const stats = store.bot(app)?.stats;
  if (!stats) return ['bad', t('no_bot')];
  if (stats.live_connections > 0) return ['good', t('bot_online')];
  return stats.sessions > 0 ? ['warn', t('bot_resumes')] : ['bad', t('bot_offline')];
}

function drop(event, chat) {
  event.preventDefault();
  event.currentTarget.classList.remove('dropping');
  attach(chat, event.dataTransfer.files);
}

const over = (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  event.currentTarget.classList.add('dropping');
};

const left = (event) => {
  if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.classList.remove('dropping');
};

export function room(chat) {
  if (!chat) return html`<main class="room empty"><p>${t('loading')}</p></main>`;
  const [state, word] = health(chat.place.app);
  const typing = chat.typingUntil > store.now();
  const scene = t(`scene_${chat.place.scene}`);
  return html`<main
    class="room"
    aria-label=${titleOf(chat)}
    @dragover=${over}
    @dragleave=${left}
    @drop=${(event) => drop(event, chat)}
  >
    <header>
      <div class="title">
        <h1>${titleOf(chat)}</h1>
        <small
          >${typing ? html`<span class="typing" role="status">${t('typing')}</span>` : html`<span class="dot ${state}"></span>${chat.place.scene === 'c2c' ? word : `${scene} · ${store.botName(chat.place.app)} ${word}`}`}</small
        >
      </div>
      <button class="tool" aria-label=${t('details')} title=${t('details')} @click=${() => details(chat)}>
        ${icon('more')}
      </button>
      <button
        class="tool ${prefs.wall ? 'on' : ''}"
        aria-label=${t('glass_wall')}
        title=${t('glass_wall')}
        aria-pressed=${prefs.wall}
        @click=${() => {
          remember('wall', !prefs.wall);
          store.changed();
        }}
      >
        ${icon('glass')}
      </button>
    </header>
    ${chat.items.length ? nothing : welcome(chat)}
    <virtual-list
      class="timeline"
      tabindex="0"
      role="log"
      aria-label=${t('messages')}
      .data=${{ name: chat.key, items: chat.items, row: (item) => row(chat, item) }}
    ></virtual-list>
    ${composer(chat)}
    <div class="drop-here" aria-hidden="true">${t('drop_here')}</div>
  </main>`;
}
