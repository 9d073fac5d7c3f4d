// Menus, pickers and dialogs: one at a time, closed by Escape or by a press elsewhere, and the
// keyboard is where it was before.

import { html, render } from './lit.js';

const layer = document.createElement('div');
document.body.append(layer);
let opened = null;

export function closePopup() {
  if (!opened) return;
  const { back } = opened;
  opened = null;
  render('', layer);
  if (back?.isConnected) back.focus();
}

/// Shows a template beside the element that asked for it, and puts the keyboard into it.
/// A menu for somebody who is writing (`kind` is `hint`) leaves it there; the arrow down goes into it.
export function popup(beside, label, template, kind = 'menu') {
  const back = document.activeElement;
  const at = beside.getBoundingClientRect();
  opened = { back, beside };
  render(
    html`<div class="popup ${kind}" role=${kind === 'picker' ? 'dialog' : 'menu'} aria-label=${label}>
      ${template}
    </div>`,
    layer,
  );
  const box = layer.querySelector('.popup');
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = at.bottom + 6 + height < innerHeight;
  const top = below ? at.bottom + 6 : Math.max(8, at.top - height - 6);
  const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), innerWidth - width - 8);
  box.style.top = `${top}px`;
  box.style.left = `${left}px`;
  if (kind !== 'hint') box.querySelector('button, input, select')?.focus();
}

/// A menu of `[label, what to do]`; what is false is left out.
export function menu(beside, label, entries) {
  const rows = entries.filter(Boolean).map(
    ([text, act]) =>
      html`<button
        role="menuitem"
        @click=${() => {
          closePopup();
          act();
        }}
      >
        ${text}
      </button>`,
  );
  popup(beside, label, rows);
}

document.addEventListener('pointerdown', (event) => {
  if (opened && !layer.contains(event.target) && !opened.beside.contains(event.target)) closePopup();
});
document.addEventListener('keydown', (event) => {
  if (!opened) return;
  if (event.key === 'Escape') closePopup();
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const buttons = [...layer.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement);
  if (at < 0 && event.key === 'ArrowDown') {
    event.preventDefault();
    buttons[0]?.focus();
  }
  if (step && at >= 0) {
    event.preventDefault();
    buttons.at((at + step) % buttons.length)?.focus();
  }
});

/// A dialog in the middle; the template gets a function that closes it with a value.
export function dialog(label, template) {
  return new Promise((resolve) => {
    const box = document.createElement('dialog');
    box.setAttribute('aria-label', label);
    document.body.append(box);
    const done = (value) => {
      box.close();
      box.remove();
      resolve(value);
    };
    box.addEventListener('cancel', () => done(undefined));
    const draw = () => render(template(done, draw), box);
    draw();
    box.showModal();
  });
}
