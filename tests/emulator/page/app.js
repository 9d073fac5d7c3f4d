// The page: puts its parts together, and draws them again when something has changed.

import { html, render } from './ui/lit.js';
import { store } from './core/store.js';
import { follow } from './core/feed.js';
import { t } from './core/words.js';
import { prefs } from './core/prefs.js';
import { list } from './chat/list.js';
import { room } from './chat/room.js';
import { wall } from './wall/wall.js';

const root = document.querySelector('#root');
let planned = false;

function draw() {
  planned = false;
  const chat = store.chats.get(store.current);
  const unread = store.visible().reduce((sum, it) => sum + it.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ''}QQ – ${prefs.me}`;
  render(html`<div class="app ${prefs.wall ? 'with-wall' : ''}">${list()}${room(chat)}${wall()}</div>`, root);
}

store.onChange(() => {
  if (planned) return;
  planned = true;
  requestAnimationFrame(draw);
});

/// Alt with the arrows goes through the conversations.
document.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!event.altKey || !step) return;
  event.preventDefault();
  const chats = store.visible();
  const at = chats.findIndex((it) => it.key === store.current);
  store.open(chats.at((at + step) % chats.length).key);
});

async function start() {
  draw();
  try {
    await store.lookNow();
  } catch {
    return setTimeout(start, 1000);
  }
  follow();
}

start();
// For tests: what the page knows.
window.page = { store, t };
