// What a newcomer can try, in words: everything that the built-in bot can send here, and how to get in
// its way. In an empty conversation all of it is shown, later a row above the composer.

import { html, nothing } from '../ui/lit.js';
import { icon } from '../ui/icons.js';
import { closePopup, dialog, popup } from '../ui/popup.js';
import { attempt, toast } from '../ui/toast.js';
import { api } from '../core/api.js';
import { prefs, remember } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';
import { act, say } from './actions.js';

const PRIVATE = ['c2c'];
const CHATS = ['c2c', 'group'];
const CHANNEL = ['channel'];
const GUILDS = ['channel', 'dm'];

/// What the built-in bot understands: its order, by the key of its words; where it makes a difference;
/// in guilds, what QQ has to grant for it; and in private, how the bot has to show that it writes.
const ORDERS = [
  { key: 'hello' },
  { key: 'image', order: '/image' },
  { key: 'buttons', order: '/buttons', grants: ['guild_markdown', 'guild_keyboard'] },
  { key: 'markdown', order: '/markdown', grants: ['guild_markdown'] },
  { key: 'stream', order: '/stream 400', scenes: PRIVATE, manner: 'stream' },
  { key: 'voice', order: '/voice', scenes: CHATS },
  { key: 'video', order: '/video', scenes: CHATS },
  { key: 'file', order: '/file notes.txt', scenes: CHATS },
  { key: 'embed', order: '/embed', scenes: GUILDS },
  { key: 'list', order: '/list', scenes: GUILDS, grants: ['guild_ark'] },
  { key: 'article', order: '/article', scenes: GUILDS, grants: ['guild_ark'] },
  { key: 'large', order: '/picture', scenes: GUILDS, grants: ['guild_ark'] },
  { key: 'react', order: '/react', scenes: CHANNEL },
  { key: 'typing', order: '/slow 4', scenes: PRIVATE, manner: 'typing' },
  { key: 'long', order: '/long 9000' },
  { key: 'elsewhere', order: '/url-image https://example.com/picture.png' },
  { key: 'recall', order: '/recall' },
  { key: 'orders', order: '/orders' },
];

/// What gets in the bot's way: faults by their form, and what people do.
const TROUBLE = [
  { key: 'drop', fault: 'drop' },
  { key: 'double', fault: 'double' },
  { key: 'lost', fault: 'cut-after-delivery' },
  { key: 'busy', fault: '429 x2' },
  { key: 'leave', scenes: ['c2c', 'group', 'channel'] },
];

const LEAVING = { c2c: 'remove_friend', group: 'remove_from_group', channel: 'remove_from_guild' };
const COMING = { c2c: 'add_friend', group: 'add_to_group', channel: 'add_to_guild' };

const here = (all, scene) => all.filter((it) => !it.scenes || it.scenes.includes(scene));

/// The grants that are missing here.
function missing({ grants = [] }, { app, scene }) {
  const granted = store.settings.get(app)?.grants;
  return GUILDS.includes(scene) && granted ? grants.filter((name) => !granted[name]) : [];
}

/// In guilds QQ grants some things to few: whether to grant them first; undefined if not at all.
const askGrant = () =>
  dialog(
    t('grant_title'),
    (done) =>
      html`<h2>${t('grant_title')}</h2>
        <p>${t('grant_why')}</p>
        <div class="row end">
          <button @click=${() => done(false)}>${t('grant_not')}</button>
          <button class="primary" autofocus @click=${() => done(true)}>${t('grant_first')}</button>
        </div>`,
  );

/// Has the bot show in this way that it writes; it starts again for that, and resumes its session.
async function showWriting(app, manner) {
  if (store.bot(app).manner === manner) return;
  await api.manner(app, manner);
  await store.lookNow();
}

async function order(place, it) {
  closePopup();
  const grants = missing(it, place);
  const wanted = grants.length ? await askGrant() : false;
  if (wanted === undefined) return;
  await attempt(async () => {
    if (wanted)
      await store.saveSettings(place.app, (settings) => {
        for (const name of grants) settings.grants[name] = true;
      });
    if (it.manner) await showWriting(place.app, it.manner);
    await say(place, { text: it.order || t('try_hello_said') });
  });
}

/// Shows on the glass wall what happens now.
function watch() {
  remember('wall', true);
  remember('tab', 'wire');
  store.changed();
}

const trouble = (place, { key, fault }) =>
  attempt(async () => {
    closePopup();
    watch();
    if (fault) {
      await api.fault(place.app, fault);
      return toast(t(`did_${key}`));
    }
    const { scene, group, guild } = place;
    const who = { user: prefs.me, group, guild };
    await act(place, { action: LEAVING[scene], ...who });
    await act(place, { action: COMING[scene], ...who });
  });

const chip = (label, hint, press, mark = nothing) =>
  html`<button type="button" class="try" title=${hint} @click=${press}>${label}${mark}</button>`;

const lock = (it, place) => (missing(it, place).length ? icon('lock') : nothing);

const orderChip = (place, it) =>
  chip(t(`try_${it.key}`), it.order || '', () => order(place, it), lock(it, place));

const troubleChip = (place, it) => chip(t(`try_${it.key}`), it.fault || '', () => trouble(place, it));

const built = (place) => store.bot(place.app)?.built_in;

const all = (place) =>
  html`${
      built(place)
        ? html`<h3>${t('try_bot')}</h3>
            <div class="tries">${here(ORDERS, place.scene).map((it) => orderChip(place, it))}</div>`
        : nothing
    }
    <h3>${t('try_trouble')}</h3>
    <div class="tries">${here(TROUBLE, place.scene).map((it) => troubleChip(place, it))}</div>`;

/// An empty conversation.
export const welcome = ({ place }) =>
  html`<div class="hello">
    <p>${t('hello_1')}</p>
    <p>${t(built(place) ? 'hello_2' : 'hello_3')}</p>
    ${all(place)}
  </div>`;

/// The row above the composer, with the way to all of it.
export function suggestions({ place, items }) {
  if (!built(place) || !items.length) return nothing;
  return html`<div class="suggestions" aria-label=${t('try')} role="group">
    <span>${t('try')}</span>
    <div class="tries">${here(ORDERS, place.scene).map((it) => orderChip(place, it))}</div>
    <button
      type="button"
      class="try all"
      aria-haspopup="dialog"
      @click=${(event) => popup(event.currentTarget, t('try'), html`<div class="all-tries">${all(place)}</div>`, 'picker')}
    >
      ${t('try_all')}
    </button>
  </div>`;
}
