// Chatting in every scene, and what people do there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();

test('the bot answers in all four scenes', async () => {
  const alice = await it.open();
  for (const [title, text] of [
    ['demo-bot', 'in private'],
    ['friends', 'in a group'],
    ['guild / general', 'in a channel'],
    ['demo-bot · guild', 'in a direct message'],
  ]) {
    await alice.chat(title);
    await alice.say(text);
    await alice.answer(`echo: ${text}`);
  }
  await alice.close();
});

test('a button sends an interaction and the bot answers it', async () => {
  const alice = await it.open();
  await alice.say('/buttons');
  await alice.press('.key', 'Yes');
  await alice.answer('pressed deploy yes');
  const { bots } = await it.control('GET', '/state');
  assert.equal(bots[0].stats.refused, 0);
  await alice.close();
});

test('two windows are two people in one group, and each sees the other', async () => {
  const [alice, bob] = [await it.open('alice'), await it.open('bob')];
  await alice.chat('friends');
  await bob.chat('friends');
  await bob.press('.at-bot');
  await bob.say('hello alice');
  await alice.answer('hello alice');
  await alice.see('.author', 'bob');
  await alice.close();
  await bob.close();
});

test('a message is quoted, and another is recalled', async () => {
  const alice = await it.open();
  await alice.say('quote me');
  await alice.answer('echo: quote me');
  await alice.page.evaluate(() => {
    const last = [...document.querySelectorAll('.message:not(.mine)')].at(-1);
    last.querySelector('.tool[aria-haspopup=menu]').click();
  });
  await alice.press('[role=menuitem]', 'Quote');
  await alice.see('.quote-bar', 'echo: quote me');
  await alice.say('this one');
  await alice.see('.message.mine .quoted', 'echo: quote me');
  await alice.answer('this one');
  await alice.page.evaluate(() => {
    const mine = [...document.querySelectorAll('.message.mine')].at(-1);
    mine.querySelector('.tool[aria-haspopup=menu]').click();
  });
  await alice.press('[role=menuitem]', 'Recall');
  await alice.see('.grey', 'You recalled a message');
  await alice.close();
});

test('a reaction is set in a channel and taken back', async () => {
  const alice = await it.open();
  await alice.chat('guild / general');
  await alice.say('react to this');
  await alice.answer('echo: react to this');
  await alice.page.evaluate(() => {
    const last = [...document.querySelectorAll('.message:not(.mine)')].at(-1);
    last.querySelector('.tool').click();
  });
  await alice.press('.faces button');
  await alice.press('.message:not(.mine) .reactions .mine');
  await alice.page.waitForFunction(() => !document.querySelector('.message:not(.mine) .reactions'));
  await alice.close();
});

test('the bot is removed, and what is said then is refused', async () => {
  const alice = await it.open('carol');
  await alice.press('.room header button[aria-label="Conversation settings"]');
  await alice.press('dialog .switch input');
  await alice.see('.grey', 'carol removed the bot');
  await alice.page.keyboard.press('Escape');
  await alice.page.focus('.composer textarea');
  await alice.page.keyboard.type('are you there?');
  await alice.page.keyboard.press('Enter');
  await alice.see('.toast.bad', 'removed the bot from the friends');
  await alice.close();
});

test('a conversation is made with the keyboard alone', async () => {
  const alice = await it.open();
  const { page } = alice;
  await page.focus('.side header button[aria-label="New conversation"]');
  await page.keyboard.press('Enter');
  await alice.see('dialog h2', 'New conversation');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('chess club');
  await page.keyboard.press('Enter');
  await alice.see('.room h1', 'chess club');
  await page.focus('.composer textarea');
  await page.keyboard.type('e4');
  await page.keyboard.press('Enter');
  await alice.answer('echo: e4');
  await alice.close();
});

test('the newest message stays in sight, also after a longer conversation was read', async () => {
  const alice = await it.open('dora');
  const say = (place, text) => it.control('POST', '/user', { user: 'dora', ...place, text });
  const last = (text) =>
    alice.page.waitForFunction(
      (text) => {
        const row = [...document.querySelectorAll('.message')].at(-1);
        const end = document.querySelector('.timeline').getBoundingClientRect().bottom;
        return row?.textContent.includes(text) && row.getBoundingClientRect().bottom <= end;
      },
      {},
      text,
    );
  // Past the bot, so that nobody else writes.
  const group = { action: 'group_plain', group: 'readers' };
  const other = { action: 'group_plain', group: 'novelists' };
  for (let n = 0; n < 40; n += 1) await say(other, `long ${n} ${'words '.repeat(120)}`);
  await alice.chat('novelists');
  await last('long 39');
  await say(group, 'first');
  await alice.chat('readers');
  // Some come one by one, some in the same breath, and some are high.
  for (let n = 0; n < 30; n += 1) {
    const text = `short ${n} ${'and more '.repeat(n % 3 ? 0 : 60)}`;
    await Promise.all([say(group, text), say(group, text)]);
    await last(`short ${n} `);
  }
  await alice.close();
});

test('Chinese is a press away', async () => {
  const alice = await it.open();
  await alice.press('.side footer button.text', '中文');
  await alice.see('.send-row .primary', '发送');
  assert.equal(await alice.page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await alice.close();
});
