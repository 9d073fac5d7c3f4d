// The control API of the emulator. Every call answers with JSON or throws an error to show.

const BASE = '/_emulator';

async function call(method, path, body, headers = {}) {
  const response = await fetch(BASE + path, { method, body, headers });
  const text = await response.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    /* an answer that is no JSON is an error below */
  }
  if (!response.ok) throw new Error(json?.error || text || `HTTP ${response.status}`);
  return json;
}

const send = (method, path, value) =>
  call(method, path, JSON.stringify(value), { 'content-type': 'application/json' });

export const api = {
  state: () => call('GET', '/state'),
  act: (action) => send('POST', '/user', action),
  faults: () => call('GET', '/faults'),
  fault: (bot, fault) => send('POST', '/fault', { bot, fault }),
  clearFaults: () => call('DELETE', '/faults'),
  advance: (ms) => send('POST', '/clock', { advance_ms: ms }),
  settings: (app) => call('GET', `/bots/${app}/settings`),
  putSettings: (app, settings) => send('PUT', `/bots/${app}/settings`, settings),
  gateway: () => call('GET', '/gateway'),
  putGateway: (settings) => send('PUT', '/gateway', settings),
  world: (app) => call('GET', `/bots/${app}/world`),
  addBot: (bot) => send('POST', '/bots', bot),
  restart: (app) => call('POST', `/bots/${app}/restart`),
  manner: (app, manner) => send('PUT', `/bots/${app}/manner`, manner),
  trace: (app) => call('GET', `/bots/${app}/trace`),
  swap: (app, file) => call('POST', `/bots/${app}/component`, file),
  upload: (file) => call('POST', `/files?name=${encodeURIComponent(file.name)}`, file),
  log: (from) => call('GET', `/log?from=${from}&limit=5000`),
  ledger: () => call('GET', '/ledger?limit=100000'),
};
