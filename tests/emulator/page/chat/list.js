// The left side: who sits here, and the conversations.

import { html, nothing, repeat } from '../ui/lit.js';
import { person, place as placePicture, robot } from '../ui/avatar.js';
import { icon } from '../ui/icons.js';
import { dialog, menu } from '../ui/popup.js';
import { prefs, remember } from '../core/prefs.js';
import { store } from '../core/store.js';
import { moment, t } from '../core/words.js';
import { titleOf } from './composer.js';
import { gist } from './message.js';
import { newChat } from './new-chat.js';

const become = (name) => {
  remember('me', name);
  store.become(name);
};

const windowOf = (name) => open(`/?user=${encodeURIComponent(name)}`, '_blank');

async function newPerson() {
  const name = await dialog(
    t('new_person'),
    (done) =>
      html`<form
        method="dialog"
        class="form"
        @submit=${(event) => {
          event.preventDefault();
          done(event.target.elements.name.value.trim());
        }}
      >
        <h2>${t('new_person')}</h2>
        <label>${t('name')}<input name="name" required maxlength="40" autocomplete="off" /></label>
        <div class="row end">
          <button type="button" @click=${() => done()}>${t('cancel')}</button
          ><button class="primary">${t('ok')}</button>
        </div>
      </form>`,
  );
  if (name) become(name);
}

function people(event) {
  const others = [...store.users].filter((name) => name !== prefs.me).sort();
  menu(event.currentTarget, t('people'), [
    ...others.slice(0, 12).map((name) => [t('be', name), () => become(name)]),
    [t('new_person'), newPerson],
    ...others.slice(0, 5).map((name) => [t('window_as', name), () => windowOf(name)]),
  ]);
}

// Characters of the last message: a line holds fewer, and a screen reader reads all of them.
const GIST = 60;

function pictureOf(chat) {
  const { scene, app, group, guild } = chat.place;
  return scene === 'c2c' ? robot(store.botName(app)) : placePicture(group || guild, scene);
}

function entry(chat) {
  const last = chat.items.at(-1);
  const who =
    last && chat.isShared && last.message
      ? `${last.kind === 'bot' ? store.botName(chat.place.app) : last.message.user}: `
      : '';
  const text =
    chat.typingUntil > store.now() ? t('typing') : last ? who + gist(last) : t(`scene_${chat.place.scene}`);
  const current = chat.key === store.current;
  return html`<li>
    <button
      class="chat ${current ? 'current' : ''}"
      aria-current=${current ? 'true' : nothing}
      @click=${() => store.open(chat.key)}
    >
      ${pictureOf(chat)}
      <span class="what"
        ><span class="top"
          ><b>${titleOf(chat)}</b><time>${chat.last ? moment(chat.last, store.now()) : ''}</time></span
        >
        <span class="top"
          ><span class="gist">${Array.from(text.slice(0, 200)).slice(0, GIST).join('')}</span
          >${chat.unread ? html`<span class="unread" role="img" aria-label=${t('unread', chat.unread)}>${chat.unread > 99 ? '99+' : chat.unread}</span>` : nothing}</span
        ></span
      >
    </button>
  </li>`;
}

const THEMES = { auto: 'light', light: 'dark', dark: 'auto' };

export function list() {
  return html`<nav class="side" aria-label=${t('conversations')}>
    <header>
      <button class="me" aria-haspopup="menu" @click=${people} title=${t('switch_person')}>
        ${person(prefs.me)}<span><b>${prefs.me}</b><small>${t('switch_person')}</small></span>
      </button>
      <button class="tool" aria-label=${t('new_chat')} title=${t('new_chat')} @click=${newChat}>
        ${icon('plus')}
      </button>
    </header>
    <ul>
      ${repeat(store.visible(), (chat) => chat.key, entry)}
    </ul>
    <footer>
      <button
        class="tool"
        aria-label=${t(`theme_${prefs.theme}`)}
        title=${t(`theme_${prefs.theme}`)}
        @click=${() => {
          remember('theme', THEMES[prefs.theme]);
          store.changed();
        }}
      >
        ${icon(prefs.theme === 'dark' ? 'moon' : 'sun')}
      </button>
      <button
        class="text"
        lang=${prefs.lang === 'zh' ? 'en' : 'zh-CN'}
        @click=${() => {
          remember('lang', prefs.lang === 'zh' ? 'en' : 'zh');
          store.changed();
        }}
      >
        ${prefs.lang === 'zh' ? 'English' : '中文'}
      </button>
      <span class="spacer"></span>
      <span class="state ${store.online ? 'good' : 'bad'}"
        >${store.online ? t('emulator_here') : t('emulator_gone')}</span
      >
    </footer>
  </nav>`;
}
