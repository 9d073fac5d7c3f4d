// What the emulator says follows the language of the page.

import { test } from 'node:test';
import { box, playBot } from './box.mjs';

const it = box(['--no-bot']);

test('a broken rule is told in the language of the page', async () => {
  const bot = await playBot(it);
  const alice = await it.open('alice', { lang: 'zh' });
  await alice.say('你好');
  const [{ d }] = await bot.events('C2C_MESSAGE_CREATE');
  const path = `/v2/users/${d.author.user_openid}/messages`;
  await bot.send(path, { content: ' ', msg_id: d.id });
  await bot.send(path, { content: 'x', msg_id: 'unknown' });
  await alice.tab('线路');
  await alice.see('.entry.violation .text', '格式不符：文本消息没有 content');
  await alice.see('.entry.violation .text', 'msg_id unknown 不属于这个会话');
  await alice.see('.entry.user .text', 'alice：你好');
  await alice.press('.side footer button.text', 'English');
  await alice.see('.entry.violation .text', 'malformed: a text without content');
  await alice.see('.entry.user .text', 'alice: 你好');
  await alice.close();
});

test('why something was not done is told in the language of the page', async () => {
  const alice = await it.open('erin', { lang: 'zh' });
  await alice.press('.room header button[aria-label="会话设置"]');
  await alice.press('dialog .switch input');
  await alice.see('.grey', 'erin 删除了机器人');
  await alice.page.keyboard.press('Escape');
  await alice.page.focus('.composer textarea');
  await alice.page.keyboard.type('在吗');
  await alice.page.keyboard.press('Enter');
  await alice.see('.toast.bad', 'erin 已把机器人从好友中删除');
  await alice.close();
});
