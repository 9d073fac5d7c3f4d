// Ten thousand messages in one conversation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box(['--no-bot']);
const MESSAGES = 10_000;
/// Frames of scrolling, from the end to the beginning.
const FRAMES = 90;
/// What people notice.
const LONG_MS = 50;

/// The tasks of the page's main thread that took long while something was done, in milliseconds of the
/// processor's time. By the clock on the wall they are longer whenever the machine does something else.
async function longTasks(page, work) {
  await page.tracing.start({ categories: ['toplevel'] });
  await work();
  const { traceEvents: events } = JSON.parse(Buffer.from(await page.tracing.stop()).toString());
  const threadOf = ({ pid, tid }) => `${pid}/${tid}`;
  const named = events.filter((it) => it.name === 'thread_name' && it.args.name === 'CrRendererMain');
  const threads = new Set(named.map(threadOf));
  const tasks = events.filter((it) => it.name.endsWith('RunTask') && threads.has(threadOf(it)));
  assert.ok(tasks.length > 0, 'the trace has no tasks');
  return tasks.map((it) => Math.round((it.tdur ?? 0) / 1000)).filter((ms) => ms > LONG_MS);
}

const scroll = (page) =>
  page.evaluate(
    (frames) =>
      new Promise((resolve) => {
        const list = document.querySelector('.timeline');
        const from = list.scrollHeight;
        let left = frames;
        const step = () => {
          list.scrollTop = (from * (left -= 1)) / frames;
          // The frame after the last one draws it.
          requestAnimationFrame(left > 0 ? step : () => setTimeout(resolve));
        };
        step();
      }),
    FRAMES,
  );

test('a task that is long is seen, and one that waits is not', async () => {
  const alice = await it.open();
  const work = () =>
    alice.page.evaluate(() => {
      let sum = 0;
      for (let n = 0; n < 4e8; n += 1) sum = (sum + n) % 7919;
      return sum;
    });
  assert.notDeepEqual(await longTasks(alice.page, work), []);
  const waits = () => alice.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  assert.deepEqual(await longTasks(alice.page, waits), []);
  await alice.close();
});

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
  const long = await longTasks(alice.page, () => scroll(alice.page));
  assert.deepEqual(long, [], `tasks over ${LONG_MS} ms`);
  await alice.see('.message', 'message 0');
  const nodes = await alice.page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(nodes < 2500, `${nodes} nodes`);
  await alice.close();
});
