// axe-core finds nothing serious in any view, in light and dark, in both languages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const elsewhere = '/url-image https://pictures.example/cat.png';

/// What is serious in a view, as sentences.
async function look(window, view) {
  const found = await window.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const serious = found.violations.filter((it) => ['serious', 'critical'].includes(it.impact));
  return serious.map(
    (it) =>
      `${view}: ${it.id}: ${it.nodes
        .slice(0, 3)
        .map((node) => node.html.slice(0, 160))
        .join(' | ')} ${it.nodes[0]?.any[0]?.message ?? ''}`,
  );
}

for (const [lang, theme, tabs, settings] of [
  ['en', 'light', ['Wire', 'Replies', 'Faults', 'Rights', 'Bots'], 'Conversation settings'],
  ['zh', 'dark', ['线路', '回复窗口', '故障', '权限', '机器人'], '会话设置'],
]) {
  test(`nothing serious is found, ${lang}, ${theme}`, async () => {
    const alice = await it.open('alice', { lang, theme });
    const found = [];
    // Into the page itself: its policy allows no script from elsewhere.
    await alice.page.evaluate(axe);
    found.push(...(await look(alice, 'nothing said')));
    for (const order of [
      '/buttons',
      '/markdown',
      '/image',
      '/voice',
      '/file notes.txt',
      elsewhere,
      '/embed',
    ]) {
      await alice.say(order);
    }
    await alice.see('.file b', 'notes.txt');
    await alice.see('.message:not(.mine)', 'An embed');
    await alice.press('.suggestions .all');
    await alice.see('.all-tries h3');
    found.push(...(await look(alice, 'all that can be tried')));
    await alice.page.keyboard.press('Escape');
    for (const tab of tabs) {
      await alice.tab(tab);
      if (tab === tabs[3]) await alice.press('.gateway summary');
      found.push(...(await look(alice, tab)));
    }
    await alice.chat('guild / general');
    await alice.say('hello');
    await alice.answer('echo: hello');
    await alice.tab(tabs[0]);
    await alice.press('.entry-head');
    found.push(...(await look(alice, 'channel')));
    await alice.press(`.room header button[aria-label="${settings}"]`);
    await alice.see('dialog h2');
    found.push(...(await look(alice, 'settings')));
    assert.deepEqual(found, []);
    await alice.close();
  });
}
