// Ten thousand messages in one conversation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box(['--no-bot']);
const MESSAGES = 10_000;
/// Frames of scrolling in one try.
const FRAMES = 90;
/// A busy machine takes the processor away at times; a task of the page's own would be long each time.
const TRIES = 6;

test('ten thousand messages scroll without a long task and with few nodes', async () => {
  const alice = await it.open();
  await alice.chat('friends');
  await alice.page.evaluate(
    (count) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/_emulator/events`);
        let done = 0;
        socket.onopen = () => {
          for (let n = 0; n < count; n += 1) {
            const text = n % 7 ? `message ${n}` : `message ${n} ${'with some more words '.repeat(n % 31)}`;
            socket.send(
              JSON.stringify({
                action: 'group_plain',
                group: 'friends',
                user: n % 2 ? 'bob' : 'carol',
                text,
                tag: n,
              }),
            );
          }
        };
        socket.onmessage = ({ data }) => {
          if ('tag' in JSON.parse(data) && (done += 1) === count) resolve();
        };
      }),
    MESSAGES,
  );
  await alice.page.waitForFunction(
    (count) => window.page.store.chats.get(window.page.store.current).items.length === count,
    {},
    MESSAGES,
  );
  await alice.see('.message', `message ${MESSAGES - 1}`);
  let long = [];
  for (let n = 0; n < TRIES; n += 1) {
    long = await alice.page.evaluate(
      (frames) =>
        new Promise((resolve) => {
          const seen = [];
          const watch = new PerformanceObserver((list) =>
            seen.push(...list.getEntries().map((it) => Math.round(it.duration))),
          );
          watch.observe({ type: 'longtask' });
          const list = document.querySelector('.timeline');
          const from = list.scrollHeight;
          let left = frames;
          const step = () => {
            list.scrollTop = (from * (left -= 1)) / frames;
            if (left > 0) requestAnimationFrame(step);
            else
              requestAnimationFrame(() =>
                setTimeout(() => {
                  watch.disconnect();
                  resolve(seen);
                }),
              );
          };
          step();
        }),
      FRAMES,
    );
    if (!long.length) break;
  }
  assert.deepEqual(long, [], 'tasks over 50 ms');
  await alice.see('.message', 'message 0');
  const nodes = await alice.page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(nodes < 2500, `${nodes} nodes`);
  await alice.close();
});
