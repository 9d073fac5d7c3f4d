// Conversations, and what was said in each: built from the feed, in its order.

/// A pause after which the time is shown again.
const PAUSE_MS = 5 * 60 * 1000;
/// How long a typing notice is shown if it does not say.
const TYPING_S = 10;

export const keyOf = (place) => {
  const { app, scene } = place;
  switch (scene) {
    case 'c2c':
      return `c2c|${app}|${place.user}`;
    case 'group':
      return `group|${app}|${place.group}`;
    case 'channel':
      return `channel|${app}|${place.guild}/${place.channel}`;
    default:
      return `dm|${app}|${place.guild}/${place.user}`;
  }
};

export class Chat {
  constructor(place) {
    this.place = place;
    this.key = keyOf(place);
    this.items = [];
    this.byId = new Map();
    this.byQuote = new Map();
    this.streams = new Map();
    this.people = new Set();
    this.used = new Map();
    this.unread = 0;
    this.typingUntil = 0;
    this.last = 0;
    this.draft = { text: '', quote: null, files: [], at: true, mentions: [] };
    this.version = 0;
  }

  get isShared() {
    return this.place.scene === 'group' || this.place.scene === 'channel';
  }

  add(item) {
    const before = this.items.at(-1);
    item.showTime = !before || item.at - before.at > PAUSE_MS;
    this.items.push(item);
    this.last = item.at;
    this.version += 1;
    return item;
  }

  said(kind, message) {
    if (kind === 'bot' && message.form === 'typing') return this.typing(message);
    const grown = message.stream && this.streams.get(message.stream);
    const item = grown || this.add({ key: message.id, kind, at: message.at });
    Object.assign(item, { kind, message, grows: false });
    this.byId.set(message.id, item);
    this.byQuote.set(message.id, item);
    this.byQuote.set(message.index, item);
    if (kind === 'bot') this.#count(message);
    if (kind === 'bot') this.typingUntil = 0;
    else this.people.add(message.user);
    this.version += 1;
    return item;
  }

  /// The slots that were used up of a message that is answered.
  #count({ reply_to: to, slot }) {
    if (to?.msg_id && slot) this.used.set(to.msg_id, Math.max(slot, this.used.get(to.msg_id) || 0));
  }

  typing(message) {
    this.#count(message);
    let seconds = TYPING_S;
    try {
      seconds = JSON.parse(message.body).input_notify?.input_second || TYPING_S;
    } catch {
      /* as above */
    }
    this.typingUntil = message.at + seconds * 1000;
    this.version += 1;
    return null;
  }

  /// A stream has grown: its message is there before it has an id.
  piece(piece) {
    let item = this.streams.get(piece.stream);
    if (!item) {
      item = this.add({ key: piece.stream, kind: 'bot', at: piece.at });
      this.streams.set(piece.stream, item);
    }
    const { stream, text, app, buttons } = piece;
    const message = { form: 'stream', scene: 'c2c', stream, text, app, buttons };
    Object.assign(item, { message: item.message?.id ? item.message : message, grows: !piece.done });
    this.typingUntil = 0;
    this.version += 1;
  }

  notice(at, key, values, n) {
    this.add({ key: `notice ${n}`, kind: 'notice', at, notice: { key, values } });
  }
}

/// Where an act happened, and the words of the grey line about it; none if there is nothing to say.
export function noticeOf({ app, act }) {
  const group = { app, scene: 'group', group: act.group };
  const c2c = { app, scene: 'c2c', user: act.user };
  const user = act.user;
  switch (act.action) {
    case 'add_friend':
      return [c2c, 'n_friend_add', [user]];
    case 'remove_friend':
      return [c2c, 'n_friend_del', [user]];
    case 'reject_messages':
      return [c2c, 'n_reject', [user]];
    case 'accept_messages':
      return [c2c, 'n_accept', [user]];
    case 'add_to_group':
      return [group, 'n_bot_in', [user]];
    case 'remove_from_group':
      return [group, 'n_bot_out', [user]];
    case 'group_reject_messages':
      return [group, 'n_reject', [user]];
    case 'group_accept_messages':
      return [group, 'n_accept', [user]];
    case 'set_group_mode':
      return [group, `n_mode_${act.mode}`, []];
    case 'mute_bot':
      return [group, act.muted ? 'n_muted' : 'n_unmuted', []];
    case 'join_group':
      return [group, 'n_join', [user]];
    case 'leave_group':
      return [group, 'n_leave', [user]];
    case 'set_role':
      return [group, 'n_role', [user || '@bot', act.role]];
    case 'request_to_join':
      return [group, 'n_ask_join', [user]];
    default:
      return null;
  }
}

/// The grey line about a guild, which is shown in every channel of it.
export function guildNoticeOf({ act }) {
  const key = {
    add_to_guild: 'n_bot_in',
    remove_from_guild: 'n_bot_out',
    join_guild: 'n_join',
    leave_guild: 'n_leave',
    update_guild: 'n_guild_changed',
    update_member: 'n_member_changed',
  }[act.action];
  return key ? [act.guild, key, [act.user]] : null;
}
