// Short messages at the edge, read out by screen readers, that go by themselves.

import { told } from '../core/told.js';
import { html, render } from './lit.js';

const STAY_MS = 5000;
const shown = [];
const box = document.createElement('div');
box.className = 'toasts';
box.setAttribute('role', 'status');
box.setAttribute('aria-live', 'polite');
document.body.append(box);

const draw = () =>
  render(
    shown.map((it) => html`<div class="toast ${it.kind}">${it.text}</div>`),
    box,
  );

export function toast(text, kind = 'info') {
  const it = { text: String(text), kind };
  shown.push(it);
  draw();
  setTimeout(() => {
    shown.splice(shown.indexOf(it), 1);
    draw();
  }, STAY_MS);
}

/// Does something that can fail; what goes wrong is shown.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(told(error.message) || error, 'bad');
    return undefined;
  }
}
