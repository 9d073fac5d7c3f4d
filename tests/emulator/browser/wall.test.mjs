// The glass wall: what crosses it, and what can be done to it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();

const fault = async (window, form) => {
  await window.tab('Faults');
  await window.see('.fault code', form);
  await window.page.evaluate((form) => {
    const row = [...document.querySelectorAll('.fault')].find(
      (it) => it.querySelector('code').textContent === form,
    );
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

test('rules of the gateway are changed by keyboard, and the bot meets them when it comes back', async () => {
  const alice = await it.open();
  const { page } = alice;
  await alice.tab('Rights');
  await alice.see('.gateway summary', 'Gateway');
  await page.focus('.gateway summary');
  await page.keyboard.press('Enter');
  await alice.see('.gateway .choice', 'heartbeat interval from the next connection');
  await page.keyboard.press('Tab');
  await page.keyboard.down('Control');
  await page.keyboard.press('a');
  await page.keyboard.up('Control');
  await page.keyboard.type('20s');
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => window.page.store.gateway.heartbeat_interval === 20_000);
  assert.equal((await it.control('GET', '/gateway')).heartbeat_interval, 20_000);
  await alice.press('.gateway button', 'Break all connections');
  await alice.tab('Wire');
  await alice.see('.entry-head', 'op 10 Hello');
  await alice.see('.entry-head', 'RESUMED');
  await page.waitForFunction(() => {
    const hellos = window.page.store.wire.entries.filter((it) => it.json?.op === 10);
    return hellos.at(-1).json.d.heartbeat_interval === 20_000;
  });
  await alice.say('still well?');
  await alice.answer('echo: still well?');
  await alice.tab('Rights');
  await alice.press('.gateway button', 'Gateway back to the defaults');
  await page.waitForFunction(() => window.page.store.gateway.heartbeat_interval === 41_250);
  await alice.close();
});

test('every setting has a name in Chinese', async () => {
  const alice = await it.open('alice', { lang: 'zh' });
  await alice.tab('权限');
  await alice.see('.gateway .choice');
  const names = await alice.page.$$eval('.scroll details:not(.intents) label > span', (all) =>
    all.map((it) => it.textContent),
  );
  assert.ok(names.length > 100, `${names.length} settings`);
  const foreign = names.filter((name) => !/\p{Script=Han}/u.test(name));
  assert.deepEqual(foreign, ['Markdown', 'Embed']);
  await alice.close();
});

/// Drops a file on the place for components.
const dropComponent = (window, address) =>
  window.page.evaluate(async (address) => {
    const bytes = address ? await (await fetch(address)).arrayBuffer() : 'not a component';
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'bot.wasm'));
    document
      .querySelector('.swap')
      .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, address);

/// The same component with a section more, which nobody reads: to the host it is another one.
const another = (component) => Buffer.concat([component, Buffer.from([0, 6, 5]), Buffer.from('again')]);

test('what is no component is refused with a reason, and the bot goes on', async () => {
  const alice = await it.open();
  await alice.tab('Bots');
  await alice.see('.swap');
  await dropComponent(alice, null);
  await alice.see('.toast.bad');
  await alice.say('still there?');
  await alice.answer('echo: still there?');
  await alice.close();
});

test(
  'the component is swapped in the middle of an answer, and the session stays up',
  { skip: !process.env.QQ_COMPONENT && 'no component to drop' },
  async () => {
    const kept = await fetch(`${it.url}_emulator/files?name=bot.wasm`, {
      method: 'POST',
      body: another(await readFile(process.env.QQ_COMPONENT)),
    });
    const { url } = await kept.json();
    const alice = await it.open();
    await alice.tab('Bots');
    await alice.see('.swap');
    const before = (await it.control('GET', '/state')).bots[0].stats;
    await alice.say('/stream 900');
    await alice.see('.caret');
    await dropComponent(alice, url);
    await alice.see('.toast:not(.bad)', 'Swapping');
    await alice.page.waitForFunction(() => !document.querySelector('.caret'));
    await alice.say('after the swap');
    await alice.answer('echo: after the swap');
    const after = (await it.control('GET', '/state')).bots[0].stats;
    assert.deepEqual([after.identifies, after.resumes], [before.identifies, before.resumes]);
    assert.equal(await alice.page.$('.toast.bad'), null);
    await alice.close();
  },
);

test('the bot that lives here is restarted, resumes, and answers', async () => {
  const alice = await it.open();
  await alice.tab('Bots');
  await alice.press('.swap button', 'Restart');
  await alice.see('.toast', 'started again');
  await alice.see('.room .title', 'online');
  await alice.tab('Wire');
  await alice.see('.entry-head', 'op 6 Resume');
  await alice.say('welcome back');
  await alice.answer('echo: welcome back');
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
  const again = spawn(process.env.QQ_EMULATOR, ['--port', '0', '--lang', 'en'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  again.stdout.on('data', (data) => {
    said += data;
  });
  again.stdin.end(lines);
  const code = await new Promise((resolve) => again.once('exit', resolve));
  assert.equal(code, 0);
  assert.match(said, /echo: for the script/);
  await alice.close();
});

test('what the bot was given is exported as a trace that begins with its start', async () => {
  const { said } = await it.control('GET', '/bots/102012345/trace');
  const lines = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(lines.length > 3, `${lines.length} lines`);
  assert.match(JSON.stringify(lines[0]), /version/);
  assert.doesNotMatch(said, /Zx8kQ0r3TtY1bVn5cMq7WsLd2FgHjKpA/);
});
