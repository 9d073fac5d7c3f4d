// The dialog in which a conversation is made.

import { html, nothing } from '../ui/lit.js';
import { dialog } from '../ui/popup.js';
import { prefs } from '../core/prefs.js';
import { store } from '../core/store.js';
import { t } from '../core/words.js';

const SCENES = ['group', 'channel', 'dm', 'c2c'];

function placeOf({ scene, app, first, second }) {
  const name = first?.trim();
  switch (scene) {
    case 'c2c':
      return { app, scene, user: prefs.me };
    case 'group':
      return { app, scene, group: name };
    case 'channel':
      return { app, scene, guild: name, channel: second.trim() };
    default:
      return { app, scene, guild: name, user: prefs.me };
  }
}

export async function newChat() {
  const bots = store.state?.bots || [];
  let scene = 'group';
  const place = await dialog(t('new_chat'), (done, draw) => {
    const choose = (it) => () => {
      scene = it;
      draw();
    };
    return html`<form
      class="form"
      @submit=${(event) => {
        event.preventDefault();
        const { app, first, second } = event.target.elements;
        done(placeOf({ scene, app: app.value, first: first?.value, second: second?.value }));
      }}
    >
      <h2>${t('new_chat')}</h2>
      <fieldset>
        <legend>${t('kind')}</legend>
        ${SCENES.map(
          (it) =>
            html`<label class="radio"
              ><input
                type="radio"
                name="scene"
                .checked=${scene === it}
                @change=${choose(it)}
              />${t(`scene_${it}`)}</label
            >`,
        )}
      </fieldset>
      <label
        >${t('bot')}<select name="app">
          ${bots.map((bot) => html`<option value=${bot.app_id}>${bot.name} (${bot.app_id})</option>`)}
        </select></label
      >
      ${scene === 'c2c' ? nothing : html`<label>${t(scene === 'group' ? 'group_name' : 'guild_name')}<input name="first" required maxlength="60" autocomplete="off" /></label>`}
      ${scene === 'channel' ? html`<label>${t('channel_name')}<input name="second" required maxlength="60" autocomplete="off" /></label>` : nothing}
      <div class="row end">
        <button type="button" @click=${() => done()}>${t('cancel')}</button
        ><button class="primary">${t('make')}</button>
      </div>
    </form>`;
  });
  if (place) store.make(place);
}
