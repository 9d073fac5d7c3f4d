// What happened, to take away: the record as JSON, and a script that makes it happen again.

import { api } from '../core/api.js';
import { store } from '../core/store.js';

function save(name, text, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function wholeLog() {
  const all = [];
  for (let from = 0; ;) {
    const { entries, next } = await api.log(from);
    all.push(...entries);
    if (!entries.length || entries.at(-1).n + 1 >= next) return all;
    from = entries.at(-1).n + 1;
  }
}

/// The log with every frame, the messages, the state and the settings of the bots. No secret is in
/// the log; those of the settings are left out.
export async function saveRecord() {
  const settings = [...store.settings.values()].map((it) => ({ ...it, secret: undefined }));
  const { gateway } = store;
  const record = {
    state: await api.state(),
    settings,
    gateway,
    log: await wholeLog(),
    ledger: await api.ledger(),
  };
  save('qq-record.json', JSON.stringify(record, null, 1), 'application/json');
}

/// Where an act is done, as the terminal's `:as` names it.
function placeOf({ action, user, group, guild, channel }) {
  if (group) return `:as group ${group} ${user}`;
  if (channel) return `:as channel ${guild}/${channel} ${user}`;
  if (guild) return `:as dm ${user} ${guild}`;
  return action && user ? `:as c2c ${user}` : null;
}

const oneLine = (text) => (text || '').replace(/\s*\n\s*/g, ' ');
const escaped = (text) => (text.startsWith(':') ? `:${text}` : text);

function lineOf(act) {
  const text = oneLine(act.text);
  switch (act.action) {
    case 'c2c':
    case 'group_at':
    case 'channel_at':
    case 'dm':
      return escaped(text) || null;
    case 'group_plain':
    case 'channel_plain':
      return `:aside ${text}`;
    case 'press':
      return `:press ${act.button}`;
    case 'react':
      return act.remove ? null : `:react ${act.emoji.type}/${act.emoji.id}`;
    case 'add_friend':
    case 'add_to_group':
    case 'add_to_guild':
      return ':add';
    case 'remove_friend':
    case 'remove_from_group':
    case 'remove_from_guild':
      return ':remove';
    case 'reject_messages':
    case 'group_reject_messages':
      return ':reject';
    case 'accept_messages':
    case 'group_accept_messages':
      return ':accept';
    case 'set_group_mode':
      return `:mode ${act.mode}`;
    case 'mute_bot':
      return act.muted ? ':mute' : ':unmute';
    case 'judge':
      return `:audit ${act.pass ? 'pass' : 'reject'}`;
    default:
      return null;
  }
}

/// The lines of a script for the emulator's terminal. What a line cannot say (files, deletions) is left out.
export function scenario(log) {
  const lines = [];
  let place = null;
  let spoke = false;
  // Answers are waited for before something else is done with them.
  const settle = () => {
    if (spoke) lines.push(':wait 10s');
    spoke = false;
  };
  for (const entry of log) {
    if (entry.kind === 'fault_ordered') lines.push(`:fault ${entry.fault}`);
    if (entry.kind === 'clock_moved') {
      settle();
      lines.push(`:clock +${entry.by_ms}ms`);
    }
    if (entry.kind !== 'user' || !entry.act) continue;
    const line = lineOf(entry.act);
    if (line === null) continue;
    const there = ['press', 'react', 'judge'].includes(entry.act.action) ? null : placeOf(entry.act);
    if (there === null || entry.act.action === 'press') settle();
    if (there && there !== place) lines.push(there);
    place = there || place;
    lines.push(line);
    spoke = true;
  }
  settle();
  return `${lines.join('\n')}\n`;
}

export async function saveScenario() {
  save('scenario.txt', scenario(await wholeLog()), 'text/plain');
}

/// What the built-in bot was given since it started, for `prx channel replay`.
export async function saveTrace(app) {
  const { said } = await api.trace(app);
  save('qq.trace', said, 'application/x-ndjson');
}
