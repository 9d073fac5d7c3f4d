// Follows everything that happens, over one WebSocket that opens again when it breaks.

import { store } from './store.js';

const AGAIN_MS = 800;
/// Entries of the log from before the page was opened.
const TAIL = 3000;

let run = null;
let chat = 0;
let log = null;

export function follow() {
  const from = log === null ? `tail=${TAIL}` : `log=${log}`;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/_emulator/feed?chat=${chat}&${from}`);
  socket.onmessage = ({ data }) => take(JSON.parse(data));
  socket.onclose = () => {
    store.setOnline(false);
    setTimeout(follow, AGAIN_MS);
  };
}

function take(frame) {
  if ('run' in frame) {
    // Another run of the emulator knows nothing of what is shown here.
    if (run !== null && run !== frame.run) return location.reload();
    run = frame.run;
    log = frame.log;
    store.history = frame.end;
    return store.setOnline(true);
  }
  if (frame.chat.length) chat = frame.chat.at(-1).n + 1;
  if (frame.log.length) log = frame.log.at(-1).n + 1;
  store.take(frame);
}
