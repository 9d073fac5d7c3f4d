// What a frame, a request or a code means, in a few words.

import { told, toldAct } from '../core/told.js';
import { either, t } from '../core/words.js';
import { closeOf } from '../words/closes.js';
import { faultsZh } from '../words/faults.js';

const OPS = {
  0: ['事件', 'event'],
  1: ['心跳', 'heartbeat'],
  2: ['登录', 'Identify'],
  6: ['恢复会话', 'Resume'],
  7: ['请重连', 'please reconnect'],
  9: ['会话无效', 'invalid session'],
  10: ['欢迎', 'Hello'],
  11: ['心跳确认', 'heartbeat ACK'],
  12: ['回调确认', 'callback ACK'],
};

const EVENTS = {
  READY: ['登录成功，会话开始', 'logged in, a session begins'],
  RESUMED: ['会话恢复，漏掉的事件已补发', 'resumed, what was missed came before'],
  C2C_MESSAGE_CREATE: ['用户单聊机器人', 'somebody wrote in private'],
  GROUP_AT_MESSAGE_CREATE: ['群里 @机器人', 'somebody mentioned the bot in a group'],
  GROUP_MESSAGE_CREATE: ['群消息', 'a message in a group'],
  AT_MESSAGE_CREATE: ['子频道里 @机器人', 'somebody mentioned the bot in a channel'],
  MESSAGE_CREATE: ['子频道消息', 'a message in a channel'],
  DIRECT_MESSAGE_CREATE: ['频道私信', 'a direct message'],
  INTERACTION_CREATE: ['按钮被点击', 'a button was pressed'],
  FRIEND_ADD: ['被加为好友', 'added as a friend'],
  FRIEND_DEL: ['被删除好友', 'removed as a friend'],
  C2C_MSG_REJECT: ['用户关闭主动消息', 'proactive messages off'],
  C2C_MSG_RECEIVE: ['用户打开主动消息', 'proactive messages on'],
  GROUP_ADD_ROBOT: ['进群', 'brought into a group'],
  GROUP_DEL_ROBOT: ['被移出群', 'removed from a group'],
  GROUP_MSG_REJECT: ['群关闭主动消息', 'proactive messages off in a group'],
  GROUP_MSG_RECEIVE: ['群打开主动消息', 'proactive messages on in a group'],
  MESSAGE_REACTION_ADD: ['表情回应', 'a reaction'],
  MESSAGE_REACTION_REMOVE: ['取消表情回应', 'a reaction was taken back'],
  MESSAGE_AUDIT_PASS: ['审核通过', 'an audit passed'],
  MESSAGE_AUDIT_REJECT: ['审核不通过', 'an audit failed'],
  PUBLIC_MESSAGE_DELETE: ['消息被撤回', 'a message was recalled'],
  MESSAGE_DELETE: ['消息被撤回', 'a message was recalled'],
  DIRECT_MESSAGE_DELETE: ['私信被撤回', 'a direct message was recalled'],
};

const INTENTS = {
  0: 'GUILDS',
  1: 'GUILD_MEMBERS',
  9: 'GUILD_MESSAGES',
  10: 'GUILD_MESSAGE_REACTIONS',
  12: 'DIRECT_MESSAGE',
  18: 'OPEN_FORUM_EVENT',
  19: 'AUDIO_OR_LIVE_CHANNEL_MEMBER',
  23: 'ENTER_AIO',
  24: 'GROUP_MEMBER_EVENT',
  25: 'GROUP_AND_C2C_EVENT',
  26: 'INTERACTION',
  27: 'MESSAGE_AUDIT',
  28: 'FORUMS_EVENT',
  29: 'AUDIO_ACTION',
  30: 'PUBLIC_GUILD_MESSAGES',
};

/// The bits of a set of intents, with their names.
export const intentNames = (bits) =>
  Object.entries(INTENTS)
    .filter(([bit]) => Math.floor(bits / 2 ** bit) % 2)
    .map(([, name]) => name);
export const ALL_INTENTS = Object.entries(INTENTS).map(([bit, name]) => [2 ** bit, name]);

const REQUESTS = [
  [/^POST \/app\/getAppAccessToken/, ['取访问令牌', 'fetches an access token']],
  [/^GET \/gateway/, ['问网关地址', 'asks where the gateway is']],
  [/^POST \/v2\/users\/[^/]+\/stream_messages/, ['流式消息的一段', 'a piece of a streamed message']],
  [/^POST \/v2\/users\/[^/]+\/messages/, ['发单聊消息', 'sends a private message']],
  [/^POST \/v2\/groups\/[^/]+\/messages/, ['发群消息', 'sends a message to a group']],
  [/^POST \/v2\/.*\/files/, ['上传文件', 'uploads a file']],
  [/^POST \/v2\/.*\/upload_/, ['分片上传', 'uploads in parts']],
  [/^POST \/channels\/[^/]+\/messages/, ['发子频道消息', 'sends a message to a channel']],
  [/^POST \/dms\/[^/]+\/messages/, ['发频道私信', 'sends a direct message']],
  [/^PUT \/interactions/, ['回应按钮', 'acknowledges a button']],
  [/^PUT .*\/reactions/, ['表情回应', 'reacts']],
  [/^DELETE .*\/reactions/, ['取消表情回应', 'takes a reaction back']],
  [/^DELETE .*\/messages/, ['撤回消息', 'recalls a message']],
  [/^GET \/users\/@me/, ['问自己是谁', 'asks who it is']],
];

const form = (json) =>
  json?.markdown ? 'markdown' : json?.ark ? 'ark' : json?.embed ? 'embed' : json?.media ? 'media' : '';

/// A frame: what it is, and what it says.
function frame({ json, text }) {
  if (!json || json.op === undefined) return [t('odd_frame'), (text || '').slice(0, 120)];
  const name = either(...(OPS[json.op] || ['未知', 'unknown']));
  if (json.op === 0) {
    const known = EVENTS[json.t];
    const said = json.d?.content ? ` “${String(json.d.content).trim().slice(0, 60)}”` : '';
    return [json.t || '?', `s=${json.s ?? '–'} ${known ? either(...known) : ''}${said}`];
  }
  if (json.op === 2) return [`op 2 ${name}`, intentNames(json.d?.intents || 0).join(' + ')];
  if (json.op === 6) return [`op 6 ${name}`, `seq=${json.d?.seq}`];
  return [`op ${json.op} ${name}`, json.op === 1 ? `d=${json.d}` : ''];
}

/// A close: its code, what it means, and what a client may do now.
function closed({ code, meaning }) {
  if (!code) return [t('socket_cut'), told(meaning), 'bad'];
  const known = closeOf(code);
  const text = known ? either(known[0], meaning) : meaning;
  return [`${t('socket_closed')} ${code}`, known ? `${text} · ${t(`then_${known[1]}`)}` : text, 'bad'];
}

/// A fault, and in Chinese what it does: in English its name says so.
function faultText(fault) {
  const [name] = fault.split(' ');
  const form = Object.keys(faultsZh).find((it) => it.split(' ')[0] === name);
  return either(form ? `${fault} · ${faultsZh[form]}` : fault, fault);
}

const codeOf = (json) => json?.code ?? json?.err_code;

/// `[title, text, tone]` of an entry.
export function explain(entry) {
  switch (entry.kind) {
    case 'frame_in':
    case 'frame_out':
      return frame(entry);
    case 'socket_opened':
      return [t('socket_opened'), entry.path];
    case 'socket_closed':
      return closed(entry);
    case 'socket_gone':
      return [t('socket_gone'), entry.code ?? '', 'bad'];
    case 'request': {
      const known = REQUESTS.find(([pattern]) => pattern.test(`${entry.method} ${entry.path}`));
      const what = form(entry.json);
      return [
        `${entry.method} ${short(entry.path)}`,
        [known ? either(...known[1]) : '', what, entry.json?.content?.trim()?.slice(0, 60)]
          .filter(Boolean)
          .join(' · '),
      ];
    }
    case 'response': {
      const code = codeOf(entry.json);
      const tone = entry.status >= 400 ? 'bad' : entry.status === 202 ? 'warn' : 'good';
      const asked = entry.request ? `${entry.request.method} ${short(entry.request.path)}` : '';
      return [
        `${entry.status}${code ? ` / ${code}` : ''}`,
        [code ? either(entry.json.message || entry.meaning, entry.meaning) : entry.meaning, asked]
          .filter(Boolean)
          .join(' · '),
        tone,
      ];
    }
    case 'request_cut':
      return [t('request_cut'), '', 'bad'];
    case 'stream':
      return [t('stream'), `${entry.text.slice(-60)}${entry.done ? ' ■' : ' …'}`];
    case 'user':
      return [t('user_does'), toldAct(entry)];
    case 'clock_moved':
      return [t('clock'), `+${entry.by_ms / 1000} s`];
    case 'fault_ordered':
      return [t('fault_ordered'), faultText(entry.fault), 'warn'];
    case 'fault_struck':
      return [t('fault_struck'), faultText(entry.fault), 'bad'];
    case 'violation':
      return [t('violation'), told(entry.text), 'bad'];
    default:
      return [t('note'), told(entry.text ?? '')];
  }
}

/// A path with its long ids cut.
export const short = (path) =>
  path
    .split('/')
    .map((it) => (it.length > 18 ? `${it.slice(0, 8)}…` : it))
    .join('/');

/// Which of the filters an entry belongs to.
export function groupOf(entry) {
  switch (entry.kind) {
    case 'frame_in':
    case 'frame_out':
      return entry.json?.op === 1 || entry.json?.op === 11 ? 'beats' : 'frames';
    case 'socket_opened':
    case 'socket_closed':
    case 'socket_gone':
      return 'frames';
    case 'request':
    case 'response':
    case 'request_cut':
    case 'stream':
      return 'requests';
    case 'user':
    case 'clock_moved':
      return 'users';
    case 'violation':
      return 'violations';
    default:
      return 'faults';
  }
}

const ARROWS = {
  frame_in: '↑',
  frame_out: '↓',
  request: '↑',
  response: '↓',
  user: '☺',
  stream: '≋',
  violation: '!',
  socket_opened: '○',
  socket_closed: '●',
  socket_gone: '●',
  request_cut: '✕',
  clock_moved: '◷',
};
export const arrow = (entry) => ARROWS[entry.kind] || '⚡';
