// Takes the pictures of the README: what a newcomer would do, in both languages and colours.

import { fileURLToPath } from 'node:url';
import { launch } from './box.mjs';

const FOLDER = new URL('../docs/', import.meta.url);
const SIZE = { width: 1360, height: 850 };

const it = await launch();
const take = async (window, name) => {
  // A browser without a screen has no mouse either, and shows what a mouse would have to find.
  await window.page.addStyleTag({ content: '.tools { opacity: 0 !important; }' });
  // The keyboard's mark in the composer would be in the picture or not, as it blinks.
  await window.page.evaluate(() => document.activeElement?.blur());
  await new Promise((drawn) => setTimeout(drawn, 400));
  await window.page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, FOLDER)) });
};

const bob = await it.open('bob', { ...SIZE });
await bob.chat('friends');
await bob.press('.at-bot');
await bob.say('Has anybody tried the bot yet? 🤖');

const alice = await it.open('alice', { ...SIZE });
await alice.say('hello');
await alice.answer('echo: hello');
await alice.say('/image');
await alice.see('.message .picture');
await alice.say('/voice');
await alice.see('.voice');
await alice.say('/buttons');
await alice.press('.key', 'Yes');
await alice.answer('pressed deploy yes');
await alice.press('.entry.request .entry-head', 'pressed deploy yes');
await alice.see('.entry-body .cause');
await take(alice, 'chat-light');

await alice.say('/markdown');
await alice.answer('A heading');
await it.control('POST', '/fault', { fault: '429 x2' });
await alice.tab('Faults');
await alice.see('.waiting');
await take(alice, 'faults-light');
await it.control('DELETE', '/faults');
await alice.close();

const dark = await it.open('alice', { ...SIZE, lang: 'zh', theme: 'dark' });
await dark.chat('friends');
await dark.say('大家好，我来试试');
await dark.answer('echo: 大家好');
await dark.say('/file notes.txt');
await dark.see('.file');
await dark.tab('回复窗口');
await dark.see('.reply');
await take(dark, 'group-dark');

await dark.chat('guild / general');
await dark.say('今天发布吗？');
await dark.answer('echo: 今天发布吗');
await dark.page.evaluate(() => {
  [...document.querySelectorAll('.message:not(.mine)')].at(-1).querySelector('.tool').click();
});
await dark.press('.faces button');
await dark.see('.message:not(.mine) .reactions');
await dark.say('/embed');
await dark.see('.card.embed');
await dark.tab('机器人');
await dark.press('summary', '接入自己的机器人');
await take(dark, 'channel-dark');
await dark.close();
await bob.close();
await it.end();
