// The wire, and for each frame and request what it came from. The emulator tells what crossed; the
// connection between two of them is in the ids that they carry.

/// Entries kept in the page.
const KEPT = 20000;
/// Larger frames are shown and not looked into.
const LARGEST = 100000;

const parse = (text) => {
  if (!text || text.length > LARGEST) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

export class Wire {
  entries = [];
  version = 0;
  #requests = new Map();
  #byId = new Map();
  #lastIn = new Map();
  #opened = new Map();
  #lastUser = null;
  #faults = new Map();
  #struck = null;
  #numbers = new Map();

  /// Takes an entry; what it is about and why it came is added to it.
  add(entry) {
    entry.key = entry.n;
    entry.json = parse(entry.kind.startsWith('frame') ? entry.text : entry.body);
    entry.cause = this.#cause(entry);
    this.entries.push(entry);
    this.#numbers.set(entry.n, entry);
    if (this.entries.length > KEPT) {
      for (const old of this.entries.splice(0, KEPT / 10)) this.#numbers.delete(old.n);
    }
    this.version += 1;
    return entry;
  }

  get(n) {
    return this.#numbers.get(n);
  }

  /// The entry that brought a message, an event or an interaction, by its id.
  of(id) {
    return this.#byId.get(id);
  }

  clear() {
    this.entries = [];
    this.version += 1;
  }

  #cause(entry) {
    switch (entry.kind) {
      case 'user':
        return this.#user(entry);
      case 'frame_in':
        return this.#frameIn(entry);
      case 'frame_out':
        return this.#frameOut(entry);
      case 'request':
        return this.#request(entry);
      case 'response':
        return this.#response(entry);
      case 'request_cut':
        return this.#requests.get(entry.ticket)?.n;
      case 'socket_opened':
        this.#opened.set(entry.conn, entry.n);
        return undefined;
      case 'socket_closed':
      case 'socket_gone':
        return this.#struck ?? this.#lastIn.get(entry.conn);
      case 'fault_ordered':
        this.#faults.set(entry.fault, entry.n);
        this.#struck = entry.n;
        return undefined;
      case 'fault_struck':
        this.#struck = entry.n;
        return this.#faults.get(entry.fault);
      default:
        return this.#lastUser?.n;
    }
  }

  #user(entry) {
    this.#lastUser = entry;
    this.#struck = null;
    return undefined;
  }

  #frameIn(entry) {
    const op = entry.json?.op;
    this.#lastIn.set(`${entry.conn}/${op}`, entry.n);
    this.#lastIn.set(entry.conn, entry.n);
    if (op === 2 || op === 6) this.#struck = null;
    return op === 1 ? undefined : this.#opened.get(entry.conn);
  }

  #frameOut(entry) {
    const { op, t, d, id } = entry.json || {};
    const last = (of) => this.#lastIn.get(`${entry.conn}/${of}`);
    if (op === 10) return this.#opened.get(entry.conn);
    if (op === 11) return last(1);
    if (op === 9) return this.#struck ?? last(6) ?? last(2);
    if (op !== 0) return this.#struck ?? undefined;
    if (t === 'READY') return last(2);
    if (t === 'RESUMED') return last(6);
    for (const it of [id, d?.id, d?.message?.id]) if (it) this.#byId.set(it, entry.n);
    if (d?.author)
      for (const it of [d.author.user_openid, d.group_openid, d.channel_id, d.guild_id])
        if (it) this.#byId.set(it, entry.n);
    return this.#lastUser?.n;
  }

  #request(entry) {
    this.#requests.set(entry.ticket, entry);
    const { json } = entry;
    const named = [json?.msg_id, json?.event_id, ...entry.path.split('/').reverse().map(safeDecoded)];
    const found = named.find((it) => it && this.#byId.has(it));
    return found ? this.#byId.get(found) : undefined;
  }

  #response(entry) {
    const request = this.#requests.get(entry.ticket);
    entry.request = request;
    if (entry.json?.id) this.#byId.set(entry.json.id, request?.n ?? entry.n);
    return request?.n;
  }
}

function safeDecoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
