// Everything that the bot can send, and files of people.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box } from './box.mjs';

const it = box();

test('a picture, a voice, a video and a file are shown as what they are', async () => {
  const alice = await it.open();
  await alice.say('/image');
  await alice.page.waitForFunction(() => document.querySelector('.message .picture img')?.naturalWidth > 0);
  await alice.say('/voice');
  await alice.page.waitForFunction(() => document.querySelector('.voice audio')?.duration > 0);
  await alice.say('/video');
  await alice.page.waitForFunction(
    () => document.querySelector('.video')?.videoWidth > 0 || document.querySelector('.video')?.error,
  );
  await alice.say('/file notes.txt');
  await alice.see('.file b', 'notes.txt');
  await alice.close();
});

test('an answer grows before the eyes, and the stream becomes one message', async () => {
  const alice = await it.open();
  await alice.say('/stream 400');
  await alice.see('.caret');
  await alice.page.waitForFunction(
    () => !document.querySelector('.caret') && document.querySelectorAll('.message:not(.mine)').length > 0,
  );
  const { bot_messages: sent } = await it.control('GET', '/ledger');
  assert.equal(sent.filter((message) => message.form === 'stream').length, 1);
  await alice.close();
});

test('Markdown has headings, lists and quotes; links are links', async () => {
  const alice = await it.open();
  await alice.say('/markdown');
  await alice.see('.markdown .h1', 'A heading');
  await alice.see('.markdown ol li', 'second');
  await alice.see('.markdown blockquote', 'quoted');
  await alice.see('.markdown a[rel~=noopener]', 'link');
  await alice.close();
});

test('cards are shown once they are granted, and an embed always', async () => {
  const alice = await it.open();
  await alice.chat('guild / general');
  await alice.say('/embed');
  await alice.see('.card.embed', 'An embed');
  await alice.tab('Rights');
  await alice.press('summary', 'Grants');
  await alice.page.evaluate(() => {
    const details = [...document.querySelectorAll('details')].find((it) =>
      it.textContent.includes('guild ark'),
    );
    [...details.querySelectorAll('.switch')]
      .find((it) => it.textContent.trim() === 'guild ark')
      .querySelector('input')
      .click();
  });
  await alice.page.waitForFunction(() => window.page.store.settings.get('102012345').grants.guild_ark);
  await alice.say('/list');
  await alice.see('.card li', 'The first');
  await alice.close();
});

test('of a picture that is held elsewhere a card is shown, and nothing is fetched', async () => {
  const alice = await it.open();
  await alice.say('/url-image https://pictures.example/cats/black%20cat.png');
  await alice.see('.elsewhere b', 'black cat.png');
  await alice.see('.elsewhere small', 'Picture · pictures.example');
  const { href, rel, target } = await alice.page.$eval('a.elsewhere', ({ href, rel, target }) => ({
    href,
    rel,
    target,
  }));
  assert.deepEqual(
    [href, rel, target],
    ['https://pictures.example/cats/black%20cat.png', 'noopener noreferrer', '_blank'],
  );
  await alice.chat('guild / general');
  await alice.say('/embed');
  await alice.see('.card.embed .tile', 'example.com');
  await alice.close();
});

test('a file that is dropped is attached, and goes with the message', async () => {
  const alice = await it.open();
  await alice.page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 40;
    canvas.getContext('2d').fillRect(5, 5, 30, 30);
    canvas.toBlob((blob) => {
      const data = new DataTransfer();
      data.items.add(new File([blob], 'square.png', { type: 'image/png' }));
      document
        .querySelector('.room')
        .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
  });
  await alice.see('.chips .chip', 'square.png');
  await alice.page.focus('.composer textarea');
  await alice.page.keyboard.type('look');
  await alice.page.keyboard.press('Enter');
  await alice.page.waitForFunction(
    () => document.querySelector('.message.mine .picture img')?.naturalWidth === 40,
  );
  const { user_messages: said } = await it.control('GET', '/ledger');
  assert.equal(said.at(-1).attachments[0].content_type, 'image/png');
  await alice.close();
});

test('a page in a file of the bot cannot act on the emulator', async () => {
  const upload = await fetch(`${it.url}_emulator/files?name=evil.svg`, {
    method: 'POST',
    body: '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
  });
  const { url } = await upload.json();
  for (const address of [url, url.replace('/download', '/_emulator/download')]) {
    const answer = await fetch(address);
    assert.match(answer.headers.get('content-security-policy'), /sandbox/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
});
