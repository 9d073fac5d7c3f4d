// A list of any length of which only what can be seen is in the page.
//
// Rows have the heights that they turn out to have: unknown ones are guessed, measured when they are
// shown, and what is being read stays where it is when a guess above it was wrong. A list that is
// at its end stays there.

import { html, render, repeat } from './lit.js';

/// A height before any was measured; afterwards the mean of those is the guess.
const GUESS_PX = 56;
/// As many are measured before their mean is believed.
const SAMPLE = 40;
/// Shown above and below what can be seen.
const MARGIN_PX = 300;
/// This close to the end counts as the end.
const END_PX = 60;

class VirtualList extends HTMLElement {
  #items = [];
  #row = () => '';
  #heights = new Map();
  #offsets = [0];
  #known = 0;
  /// The height of the whole as it was drawn last.
  #drawn = 0;
  #guess = GUESS_PX;
  #guessed = false;
  #name = null;
  #end = true;
  #planned = false;
  #space = document.createElement('div');
  #window = document.createElement('div');
  #seen = new ResizeObserver(() => this.plan());

  connectedCallback() {
    if (!this.#space.isConnected) {
      this.#space.className = 'v-space';
      this.#window.className = 'v-window';
      this.#space.append(this.#window);
      this.append(this.#space);
      this.addEventListener(
        'scroll',
        () => {
          // What has come since it was drawn has moved nobody away from the end.
          this.#end = this.scrollTop + this.clientHeight >= this.#drawn - END_PX;
          this.plan();
        },
        { passive: true },
      );
    }
    this.#seen.observe(this);
    this.#seen.observe(this.#window);
  }

  disconnectedCallback() {
    this.#seen.disconnect();
  }

  /// `name` tells one list from another: a new one begins at its end, and no height is kept.
  set data({ name, items, row }) {
    if (name !== this.#name) {
      this.#name = name;
      this.#heights.clear();
      this.#guess = GUESS_PX;
      this.#guessed = false;
      this.#known = 0;
      this.#end = true;
    }
    if (items !== this.#items || items.length < this.#known) this.#known = 0;
    this.#items = items;
    this.#row = row;
    this.plan();
  }

  plan() {
    if (this.#planned) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      if (this.isConnected && this.clientHeight > 0) this.#draw();
    });
  }

  toEnd() {
    this.#end = true;
    this.plan();
  }

  /// Scrolls to an item; it is in the page afterwards.
  show(key) {
    const at = this.#items.findIndex((item) => item.key === key);
    if (at < 0) return;
    this.#end = false;
    this.#measureOffsets();
    this.scrollTop = Math.max(0, this.#offsets[at] - this.clientHeight / 3);
    this.plan();
  }

  #total() {
    return this.#offsets[this.#items.length] || 0;
  }

  /// Offsets up to the last item, from the first one whose height has changed.
  #measureOffsets() {
    const count = this.#items.length;
    for (let i = this.#known; i < count; i += 1) {
      this.#offsets[i + 1] = this.#offsets[i] + (this.#heights.get(this.#items[i].key) ?? this.#guess);
    }
    this.#known = count;
  }

  #indexAt(y) {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #draw() {
    // A wrong guess moves what follows; a few rounds are enough for what is in sight.
    for (let round = 0; round < 4; round += 1) {
      this.#measureOffsets();
      this.#drawn = this.#total();
      this.#space.style.height = `${this.#drawn}px`;
      if (this.#end) this.scrollTop = this.#drawn;
      const top = this.scrollTop;
      const anchor = this.#indexAt(top);
      const into = top - this.#offsets[anchor];
      const from = this.#indexAt(Math.max(0, top - MARGIN_PX));
      const to = Math.min(this.#items.length, this.#indexAt(top + this.clientHeight + MARGIN_PX) + 1);
      const shown = this.#items.slice(from, to);
      this.#window.style.transform = `translateY(${this.#offsets[from] || 0}px)`;
      const rows = repeat(
        shown,
        (item) => item.key,
        (item) => html`<div class="v-row">${this.#row(item)}</div>`,
      );
      render(rows, this.#window);
      if (!this.#learn(shown, from)) return;
      this.#measureOffsets();
      if (!this.#end) this.scrollTop = (this.#offsets[anchor] || 0) + into;
    }
  }

  /// The mean height of what was measured, once there is enough of it.
  #guessBetter() {
    if (this.#guessed || this.#heights.size < SAMPLE) return;
    this.#guessed = true;
    let sum = 0;
    for (const height of this.#heights.values()) sum += height;
    this.#guess = Math.round(sum / this.#heights.size);
    this.#known = 0;
  }

  /// Measures what is shown; true if a height was another than thought.
  #learn(shown, from) {
    let wrong = false;
    const rows = this.#window.children;
    for (let i = 0; i < shown.length; i += 1) {
      const height = rows[i]?.offsetHeight ?? GUESS_PX;
      if (this.#heights.get(shown[i].key) !== height) {
        this.#heights.set(shown[i].key, height);
        this.#known = Math.min(this.#known, from + i);
        wrong = true;
      }
    }
    if (wrong) this.#guessBetter();
    return wrong;
  }
}

customElements.define('virtual-list', VirtualList);
