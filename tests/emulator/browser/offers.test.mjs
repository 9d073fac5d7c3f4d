// What a private message offers beside what it says: suggestions, and buttons of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box, playBot } from './box.mjs';

const it = box(['--no-bot']);

const chip = (label, action) => ({
  id: label,
  render_data: { label, visited_label: label, style: 2 },
  action: { type: 2, permission: { type: 2 }, unsupport_tips: 'update', ...action },
});

/// Somebody writes; the bot is told, and can answer.
async function asked(bot, alice, text, count) {
  await alice.say(text);
  const event = (await bot.events('C2C_MESSAGE_CREATE', count)).at(-1).d;
  const user = `/v2/users/${event.author.user_openid}`;
  return { msg_id: event.id, messages: `${user}/messages`, stream: `${user}/stream_messages` };
}

/// Waits until the composer holds a text, with the keyboard in it.
const drafted = (alice, text) =>
  alice.page.waitForFunction(
    (text) => document.activeElement.matches('.composer textarea') && document.activeElement.value === text,
    {},
    text,
  );

test('suggestions fill the composer or are sent at once, and go when somebody writes', async () => {
  const bot = await playBot(it);
  const alice = await it.open();
  const { msg_id: id, messages } = await asked(bot, alice, 'what can you do?', 1);
  const rows = [
    {
      buttons: [
        chip('Weather', { data: 'the weather in ' }),
        chip('A joke', { data: 'tell me a joke', enter: true }),
      ],
    },
  ];
  const sent = await bot.send(messages, {
    content: 'Ask me one of these',
    msg_id: id,
    prompt_keyboard: { keyboard: { content: { rows } } },
  });
  assert.ok(sent.id, JSON.stringify(sent));
  await alice.press('.prompts .key', 'Weather');
  await drafted(alice, 'the weather in ');
  await alice.press('.prompts .key', 'A joke');
  const told = await bot.events('C2C_MESSAGE_CREATE', 2);
  assert.equal(told.at(-1).d.content, 'tell me a joke');
  await alice.page.waitForFunction(() => !document.querySelector('.prompts'));
  const draft = await alice.page.$eval('.composer textarea', (it) => it.value);
  assert.equal(draft, 'the weather in ');
  await alice.close();
});

test('a growing message is stopped, and a finished one is liked, and written again', async () => {
  const bot = await playBot(it);
  const alice = await it.open('bob');
  const { msg_id: id, stream } = await asked(bot, alice, 'a long story', 1);
  const piece = (more) => ({
    input_mode: 'append',
    msg_id: id,
    msg_seq: 1,
    action_button: { feedback: true, re_generate: true, stop_generate: true, callback_data: 'turn 7' },
    ...more,
  });
  const first = await bot.send(stream, piece({ input_state: 1, index: 0, content_raw: 'Once upon' }));
  await alice.press('.operations button[aria-label=Stop]');
  const [stop] = await bot.events('INTERACTION_CREATE', 1);
  assert.deepEqual(stop.d.data.resolved, {
    button_data: 'turn 7',
    button_id: 'stop_generate',
    message_id: first.id,
  });
  await alice.see('.operations .busy');
  const last = { input_state: 10, index: 1, content_raw: ' a time.', stream_msg_id: first.id };
  await bot.send(stream, piece(last));
  await alice.press('.operations button[aria-label="Good answer"]');
  const [, like] = await bot.events('INTERACTION_CREATE', 2);
  assert.deepEqual(
    [like.d.type, like.d.data.resolved.feedback_opt, like.d.data.resolved.message_id],
    [13, 'LIKE', first.id],
  );
  await alice.page.waitForSelector('.operations button[aria-pressed=true][aria-label="Good answer"]');
  await alice.press('.operations button[aria-label="Bad answer"]');
  await alice.page.waitForSelector('.operations button[aria-pressed=false][aria-label="Good answer"]');
  await alice.page.reload();
  await alice.page.waitForSelector('.operations button[aria-pressed=true][aria-label="Bad answer"]');
  await alice.press('.operations button[aria-label="Answer again"]');
  const again = (await bot.events('INTERACTION_CREATE', 4)).at(-1).d;
  assert.deepEqual([again.type, again.data.resolved.button_id], [11, 're_generate']);
  assert.equal(await alice.page.$('.operations button[aria-label=Stop]'), null);
  await alice.close();
});
