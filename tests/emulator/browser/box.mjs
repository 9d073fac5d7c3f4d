// An emulator and a browser for one file of tests, and what a person does in it.

import { spawn } from 'node:child_process';
import { after, before } from 'node:test';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

/// The longest that anything may take on a busy machine.
const PATIENCE_MS = 30_000;

/// Starts the emulator with its built-in bot on any free port; resolves to the address of its page.
function startEmulator(args) {
  const binary = process.env.QQ_EMULATOR;
  if (!binary) throw new Error('QQ_EMULATOR names the binary to test; cargo xtask browser sets it');
  const child = spawn(binary, ['--port', '0', '--lang', 'en', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the emulator ended with ${code}`)));
    lines.on('line', (line) => {
      const url = /Chat in your browser: (\S+)/.exec(line)?.[1];
      if (url) resolve({ url, child });
    });
  });
}

/// An emulator, a browser, and ways to both.
export async function launch(args = []) {
  const it = await startEmulator(args);
  it.browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  it.control = (method, path, body) => control(it, method, path, body);
  it.open = async (user = 'alice', options = {}) => {
    if (!args.includes('--no-bot')) await connected(it);
    return openWindow(it, user, options);
  };
  it.end = async () => {
    await it.browser.close();
    it.child.kill();
  };
  return it;
}

/// The same for one file of tests: made before the first, gone after the last.
export function box(args = []) {
  const it = {};
  before(async () => Object.assign(it, await launch(args)));
  after(() => it.end?.());
  return it;
}

/// What is said before the bot has a session is heard by nobody.
async function connected(it) {
  const until = Date.now() + PATIENCE_MS;
  while (!(await it.control('GET', '/state')).bots[0].stats.live_connections) {
    if (Date.now() > until) throw new Error('the bot does not connect');
    await new Promise((again) => setTimeout(again, 50));
  }
}

async function control({ url }, method, path, body) {
  const response = await fetch(`${url}_emulator${path}`, {
    method,
    body: body && JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/// A window in which somebody sits.
async function openWindow(
  it,
  user,
  { lang = 'en', theme = 'light', wall = true, width = 1440, height = 900 } = {},
) {
  const context = await it.browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport({ width, height });
  const broken = [];
  page.on('pageerror', (error) => broken.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(it.url) && !/^(data|blob|about):/.test(url)) broken.push(`fetched ${url}`);
  });
  await page.evaluateOnNewDocument((open) => localStorage.setItem('wall', JSON.stringify(open)), wall);
  await page.goto(`${it.url}?user=${user}&lang=${lang}&theme=${theme}`);
  await page.waitForFunction(
    () => document.querySelector('.room h1') && document.querySelector('.side .state.good'),
  );
  return new Window(page, broken);
}

/// A bot of the test's own, that says what no other does: it lives in a window, where there are sockets.
/// `events` waits for events of a name; `send` answers with what the platform says.
export async function playBot(it) {
  const { app_id: app } = (await it.control('GET', '/state')).bots[0];
  const { secret } = await it.control('GET', `/bots/${app}/settings`);
  const page = await it.browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(it.url);
  await page.evaluate(
    async (appId, clientSecret) => {
      const post = async (path, body, headers = {}) => {
        const request = { method: 'POST', body: JSON.stringify(body) };
        request.headers = { 'content-type': 'application/json', ...headers };
        return (await fetch(path, request)).json();
      };
      const { access_token: access } = await post('/app/getAppAccessToken', { appId, clientSecret });
      const token = `QQBot ${access}`;
      window.bot = { events: [], send: (path, body) => post(path, body, { authorization: token }) };
      const socket = new WebSocket(`ws://${location.host}/websocket`);
      const said = (frame) => socket.send(JSON.stringify(frame));
      await new Promise((ready) => {
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.op === 10) said({ op: 2, d: { token, intents: 3 << 25, shard: [0, 1] } });
          if (frame.t === 'READY') ready();
          if (frame.op === 0) window.bot.events.push(frame);
        };
      });
    },
    app,
    secret,
  );
  const events = (name, count = 1) =>
    page
      .waitForFunction(
        (name, count) => {
          const found = window.bot.events.filter((it) => it.t === name);
          return found.length >= count && found;
        },
        {},
        name,
        count,
      )
      .then((found) => found.jsonValue());
  const send = (path, body) => page.evaluate((path, body) => window.bot.send(path, body), path, body);
  return { events, send };
}

class Window {
  constructor(page, broken) {
    Object.assign(this, { page, broken });
  }

  /// Waits until a selector shows a text.
  see(selector, text = '') {
    return this.page
      .waitForFunction(
        (selector, text) =>
          [...document.querySelectorAll(selector)].some((it) => it.textContent.includes(text)),
        {},
        selector,
        text,
      )
      .catch(() => {
        throw new Error(`not seen: ${selector} with ${JSON.stringify(text)}`);
      });
  }

  /// Presses what a selector and a text find, as a mouse would.
  async press(selector, text = '') {
    await this.see(selector, text);
    await this.page.evaluate(
      (selector, text) => {
        [...document.querySelectorAll(selector)].find((it) => it.textContent.includes(text)).click();
      },
      selector,
      text,
    );
  }

  async chat(title) {
    await this.page.waitForFunction(
      (title) => {
        const found = [...document.querySelectorAll('.chat b')].find((it) => it.textContent === title);
        found?.click();
        return found;
      },
      {},
      title,
    );
    await this.see('.room h1', title);
  }

  tab(name) {
    return this.press('[role=tab]', name);
  }

  /// Writes into the composer and sends with Enter.
  async say(text) {
    await this.page.focus('.composer textarea');
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
    await this.page.waitForFunction(() => document.querySelector('.composer textarea').value === '');
  }

  /// Waits for a text in the newest message of somebody else.
  answer(text) {
    return this.see('.message:not(.mine) .bubble', text);
  }

  /// What must be true at the end of every test: no error, nothing fetched from elsewhere.
  whole() {
    if (this.broken.length) throw new Error(this.broken.join('\n'));
  }

  async close() {
    this.whole();
    await this.page.browserContext().close();
  }
}
