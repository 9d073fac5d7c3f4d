// What somebody finds who has read nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();

/// Presses what says exactly this: in an empty conversation, in the row, or behind "All…".
async function wish(window, words) {
  const found = () =>
    window.page.evaluate((words) => {
      const found = [...document.querySelectorAll('.try')].find((it) => it.textContent.trim() === words);
      found?.click();
      return Boolean(found);
    }, words);
  if (await found()) return;
  await window.press('.suggestions .all');
  assert.ok(await found(), `nothing offers ${words}`);
}

const message = (window, inside) => window.page.waitForSelector(`.message:not(.mine) ${inside}`);

test('an empty conversation offers everything that the bot can send, in words', async () => {
  const alice = await it.open();
  await alice.see('.hello h3', 'Ask the bot for');
  await wish(alice, 'A picture');
  await message(alice, '.picture img');
  await wish(alice, 'A voice message');
  await message(alice, '.voice');
  await wish(alice, 'A video');
  await message(alice, '.video');
  await wish(alice, 'A file');
  await message(alice, '.file');
  await wish(alice, 'Buttons');
  await message(alice, '.keyboard');
  await wish(alice, 'Markdown');
  await message(alice, '.markdown .h1');
  await wish(alice, 'A message taken back');
  await alice.see('.grey', 'demo-bot recalled a message');
  await wish(alice, 'A picture from elsewhere');
  await message(alice, '.elsewhere');
  await alice.close();
});

test('typing and a growing answer are both a press away', async () => {
  const alice = await it.open('tom');
  await wish(alice, 'A pause, typing');
  await alice.see('.room .title', 'is typing');
  await alice.answer('after 4 s');
  await alice.page.waitForFunction(() => !document.querySelector('.typing'));
  await wish(alice, 'An answer that grows');
  await alice.see('.caret');
  await alice.answer('line 1 ends here');
  await alice.page.waitForFunction(() => !document.querySelector('.caret'));
  await alice.close();
});

test('what QQ grants to few is offered with the grant', async () => {
  const alice = await it.open();
  await alice.chat('guild / general');
  await alice.see('.try .icon');
  await wish(alice, 'A list card');
  await alice.see('dialog h2', 'QQ grants this to few');
  await alice.press('dialog button', 'Grant it, then send');
  await message(alice, '.card li');
  await wish(alice, 'An article card');
  await alice.see('.card b', 'A title');
  await wish(alice, 'A reaction');
  await alice.see('.message.mine .reactions', '👍');
  await alice.close();
});

test('the connection is broken with one press, and the wall shows how the bot comes back', async () => {
  const alice = await it.open('eve');
  await alice.tab('Bots');
  await wish(alice, 'Break its connection');
  await alice.see('.toast', 'Connection broken');
  await alice.see('.entry-head', 'cut by the platform');
  await alice.see('.entry-head', 'RESUMED');
  await wish(alice, 'A greeting');
  await alice.answer('echo: Hello');
  await alice.close();
});

test('everything offered is reached by keyboard', async () => {
  const alice = await it.open('kim');
  const { page } = alice;
  await page.focus('.hello .try');
  await page.keyboard.press('Enter');
  await alice.answer('echo: Hello');
  await page.focus('.suggestions .all');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.closest('.all-tries'));
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'A picture');
  await page.keyboard.press('Enter');
  await message(alice, '.picture img');
  await alice.close();
});
