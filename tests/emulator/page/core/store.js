// Everything that the page knows, and who wants to hear of changes.

import { api } from './api.js';
import { Chat, guildNoticeOf, keyOf, noticeOf } from './chats.js';
import { Wire } from '../wall/causes.js';
import { madeChats, prefs, rememberChats } from './prefs.js';

/// Between two looks at the state of the bots.
const LOOK_MS = 300;

class Store {
  state = null;
  online = false;
  chats = new Map();
  names = new Map();
  users = new Set(['alice', 'bob']);
  settings = new Map();
  /// The rules of the gateway, for all bots.
  gateway = null;
  worlds = new Map();
  wire = new Wire();
  current = null;
  /// What the bots answered to presses of buttons, by interaction: 0 is well, null is nothing in time.
  acks = new Map();
  ahead = 0;
  /// What has a lower number happened before the page was opened, and is not news.
  history = 0;
  #listeners = [];
  #looking = false;

  onChange(listener) {
    this.#listeners.push(listener);
  }
  changed() {
    for (const listener of this.#listeners) listener();
  }

  /// The emulator's clock.
  now() {
    return Date.now() + this.ahead;
  }

  setOnline(online) {
    this.online = online;
    this.changed();
  }

  take({ now, chat, log }) {
    this.ahead = now - Date.now();
    for (const told of chat) this.#told(told);
    for (const entry of log) this.#logged(this.wire.add(entry));
    if (log.length) this.look();
    this.changed();
  }

  #told(told) {
    switch (told.kind) {
      case 'user':
      case 'bot':
        return told.message && this.#said(told.kind, told.message, told.n >= this.history);
      case 'mark':
        return this.#marked(told.id, told.mark);
      case 'act':
        return this.#acted(told.n, told.acted);
      case 'piece':
        return this.chat({ app: told.piece.app, scene: 'c2c', user: told.piece.user }).piece(told.piece);
    }
  }

  #said(kind, message, isNews) {
    const chat = this.chat(message);
    if (kind === 'user') {
      this.users.add(message.user);
      this.names.set(message.author, message.user);
    }
    const item = chat.said(kind, message);
    const mine = kind === 'user' && message.user === prefs.me;
    if (item && isNews && !mine && chat.key !== this.current) chat.unread += 1;
  }

  #marked(id, mark) {
    for (const chat of this.chats.values()) {
      const item = chat.byId.get(id);
      if (item) {
        item.mark = mark;
        chat.version += 1;
      }
    }
  }

  #acted(n, acted) {
    const { act, app } = acted;
    if (act.user) this.users.add(act.user);
    const notice = noticeOf(acted);
    if (notice) {
      const [place, key, values] = notice;
      this.chat(place).notice(acted.at, key, values, n);
    }
    const guild = guildNoticeOf(acted);
    if (guild) {
      const [name, key, values] = guild;
      for (const chat of this.chats.values()) {
        if (chat.place.app === app && chat.place.guild === name) chat.notice(acted.at, key, values, n);
      }
    }
    this.lookAround(app);
  }

  #logged(entry) {
    if (entry.kind !== 'note' && entry.kind !== 'violation') return;
    const [, id, code] = /interaction (\S+) (?:acknowledged with (\d)|was not)/.exec(entry.text) || [];
    if (id && !this.acks.has(id)) this.acks.set(id, code === undefined ? null : Number(code));
  }

  /// The conversation at a place, which comes into being.
  chat(place) {
    const key = keyOf(place);
    let chat = this.chats.get(key);
    if (!chat) {
      const { app, scene, user, group, guild, channel } = place;
      chat = new Chat({
        app,
        scene,
        user: scene === 'c2c' || scene === 'dm' ? user : undefined,
        group,
        guild,
        channel,
      });
      this.chats.set(key, chat);
    }
    return chat;
  }

  open(key) {
    this.current = key;
    const chat = this.chats.get(key);
    if (chat) chat.unread = 0;
    this.changed();
  }

  /// A conversation that somebody makes, to be there after a reload, too.
  make(place) {
    const chat = this.chat(place);
    const made = madeChats().filter((it) => keyOf(it) !== chat.key);
    rememberChats([...made, chat.place].slice(-50));
    this.open(chat.key);
    return chat;
  }

  /// Looks at the state of the bots soon, once for many wishes.
  look() {
    if (this.#looking) return;
    this.#looking = true;
    setTimeout(async () => {
      this.#looking = false;
      try {
        await this.lookNow();
      } catch {
        /* the feed says when the emulator is back */
      }
    }, LOOK_MS);
  }

  async lookNow() {
    this.state = await api.state();
    this.ahead = this.state.now_ms - Date.now();
    this.gateway ??= await api.gateway();
    // What waits for an audit is seen there.
    if (prefs.wall && prefs.tab === 'rights') for (const app of this.settings.keys()) this.lookAround(app);
    for (const { app_id: app } of this.state.bots) {
      if (!this.settings.has(app)) {
        this.settings.set(app, await api.settings(app));
        await this.lookAround(app);
        this.#firstChats(app);
      }
    }
    this.changed();
  }

  async lookAround(app) {
    this.worlds.set(app, await api.world(app));
    this.changed();
  }

  /// One of each kind, so that every scene can be tried at once.
  #firstChats(app) {
    this.chat({ app, scene: 'c2c', user: prefs.me });
    if (app !== this.state.bots[0].app_id) return;
    this.chat({ app, scene: 'group', group: 'friends' });
    this.chat({ app, scene: 'channel', guild: 'guild', channel: 'general' });
    this.chat({ app, scene: 'dm', guild: 'guild', user: prefs.me });
    for (const place of madeChats()) if (this.settings.has(place.app)) this.chat(place);
    this.current ??= keyOf({ app, scene: 'c2c', user: prefs.me });
  }

  async saveSettings(app, change) {
    const settings = structuredClone(this.settings.get(app));
    change(settings);
    this.settings.set(app, await api.putSettings(app, settings));
    this.changed();
  }

  bot(app) {
    return this.state?.bots.find((bot) => bot.app_id === app);
  }
  botName(app) {
    return this.bot(app)?.name || app;
  }

  /// Another person sits down at this window.
  become(user) {
    this.users.add(user);
    const at = this.chats.get(this.current)?.place;
    for (const app of this.settings.keys()) this.chat({ app, scene: 'c2c', user });
    const first = this.state.bots[0].app_id;
    this.chat({ app: first, scene: 'dm', guild: 'guild', user });
    if (at && (at.scene === 'c2c' || at.scene === 'dm')) this.open(keyOf({ ...at, user }));
    if (!this.chats.has(this.current)) this.open(keyOf({ app: first, scene: 'c2c', user }));
    this.changed();
  }

  /// The conversations that the person at this window can see, the newest first.
  visible() {
    const mine = [...this.chats.values()].filter(
      ({ place }) => place.user === undefined || place.user === prefs.me,
    );
    return mine.sort((a, b) => b.last - a.last);
  }
}

export const store = new Store();
