// The glass wall: what crosses it, and what can be done to it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();

const fault = async (window, form) => {
  await window.tab('Faults');
  await window.see('.fault code', form);
  await window.page.evaluate((form) => {
    const row = [...document.querySelectorAll('.fault')].find((it) => it.querySelector('code').textContent === form);
    row.querySelector('button').click();
  }, form);
  await window.see('.toast', 'Ordered');
};

test('a broken connection is seen, and the bot comes back and answers', async () => {
  const alice = await it.open();
  await alice.say('before');
  await alice.answer('echo: before');
  await fault(alice, 'drop');
  await alice.tab('Wire');
  await alice.see('.entry-head', 'op 6 Resume');
  await alice.see('.entry-head', 'RESUMED');
  await alice.see('.room .title', 'online');
  await alice.say('after');
  await alice.answer('echo: after');
  await alice.close();
});

test('each request says which event it came from', async () => {
  const alice = await it.open();
  await alice.say('why?');
  await alice.answer('echo: why?');
  await alice.tab('Wire');
  await alice.see('.entry.request .text', 'echo: why?');
  await alice.press('.entry.request .entry-head', 'echo: why?');
  await alice.see('.entry-body .cause', 'C2C_MESSAGE_CREATE');
  await alice.press('.entry-body .cause', 'C2C_MESSAGE_CREATE');
  await alice.see('.entry.marked .entry-head', 'C2C_MESSAGE_CREATE');
  await alice.close();
});

test('windows and slots count down, and the clock closes them', async () => {
  const alice = await it.open();
  await alice.say('count me');
  await alice.answer('echo: count me');
  await alice.tab('Replies');
  await alice.see('.reply', 'count me');
  const used = await alice.page.$eval('.reply .slots', (it) => it.querySelectorAll('.used').length);
  assert.equal(used, 1);
  await alice.press('.steps button', '+1h');
  await alice.see('.reply .count', 'closed');
  await alice.close();
});

test('a refused send shows its code', async () => {
  const alice = await it.open('dave');
  await it.control('POST', '/fault', { fault: 'refuse 40034105' });
  await alice.say('refuse this');
  await alice.tab('Wire');
  await alice.see('.entry.bad b', '40034105');
  await alice.close();
});

test('another bot is made, and the page says how to point one here', async () => {
  const alice = await it.open();
  await alice.tab('Bots');
  await alice.press('.scroll > .row button', 'New bot');
  await alice.press('dialog button.primary', 'Create');
  await alice.see('.bot h3', 'my-bot');
  await alice.see('.side .chat', 'my-bot');
  await alice.press('.bot[aria-label=my-bot] summary', 'Bring your own bot');
  await alice.see('.bot[aria-label=my-bot] .values', '/app/getAppAccessToken');
  await alice.close();
});

test('a component that is dropped gets an answer, and the session stays', async () => {
  const alice = await it.open();
  await alice.tab('Bots');
  await alice.see('.swap');
  const before = (await it.control('GET', '/state')).bots[0].stats.identifies;
  await alice.page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['not a component'], 'bot.wasm'));
    document.querySelector('.swap').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await alice.see('.toast.bad');
  await alice.chat('demo-bot');
  await alice.say('still there?');
  await alice.answer('echo: still there?');
  assert.equal((await it.control('GET', '/state')).bots[0].stats.identifies, before);
  await alice.close();
});

test('what happened is exported as a script that runs', async () => {
  const alice = await it.open();
  await alice.chat('friends');
  await alice.say('for the script');
  await alice.answer('echo: for the script');
  const script = await alice.page.evaluate(async () => {
    const { scenario } = await import('/_page/wall/export.js');
    return scenario(window.page.store.wire.entries);
  });
  assert.match(script, /:as group friends alice\nfor the script\n/);
  const lines = ':as group friends alice\nfor the script\n:wait 10s\n';
  const again = spawn(process.env.QQ_EMULATOR, ['--port', '0', '--lang', 'en'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  again.stdout.on('data', (data) => { said += data; });
  again.stdin.end(lines);
  const code = await new Promise((resolve) => again.once('exit', resolve));
  assert.equal(code, 0);
  assert.match(said, /echo: for the script/);
  await alice.close();
});
