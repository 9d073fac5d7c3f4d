// What is held elsewhere. This page fetches nothing from outside, so that a picture of another server
// is shown as a card: what it is, what it is called, where it is, and a way to open it in a window
// that does not tell where the press came from.

import { html, nothing } from '../ui/lit.js';
import { icon } from '../ui/icons.js';
import { size, t } from '../core/words.js';

/// The sides of a card that stands for a picture of a known size.
const WIDEST_PX = 320;
const NARROWEST_PX = 180;
const USUAL_PX = { picture: 240, video: 290, voice: 290, file: 290 };

/// Host and last name of an address; none if it is no address that can be opened.
function parts(url) {
  try {
    const { protocol, host, pathname } = new URL(url);
    if (!/^https?:$/.test(protocol)) return null;
    const last = pathname.split('/').filter(Boolean).at(-1) || '';
    return { host, last: decodeURIComponent(last) };
  } catch {
    return null;
  }
}

const ICONS = { picture: 'picture', video: 'play', voice: 'sound', file: 'file' };

/// The size of a picture, or of a file, as far as somebody told it.
const told = ({ width, height, bytes }) => (width && height ? `${width} × ${height}` : size(bytes));

export function elsewhere(kind, url, about = {}) {
  const at = parts(url);
  // The platform calls a picture without a name `image`; its address says more.
  const name = (about.name !== 'image' && about.name) || at?.last || t(kind);
  const facts = [t(kind), told(about), at?.host ?? url].filter(Boolean).join(' · ');
  const { width, height } = about;
  const wide = `width:${Math.max(NARROWEST_PX, Math.min(width || USUAL_PX[kind], WIDEST_PX))}px`;
  const shape = width && height ? `aspect-ratio:${width}/${height}` : '';
  const inside = html`<span class="frame" style=${shape}>${icon(ICONS[kind])}</span>
    <span class="about"
      ><b>${name}</b
      ><small>${facts}</small
      >${at ? html`<small class="go">${icon('window')}${t('open_outside')}</small>` : nothing}</span
    >`;
  if (!at) return html`<span class="elsewhere of-${kind}" style=${wide} title=${url}>${inside}</span>`;
  return html`<a
    class="elsewhere of-${kind}"
    style=${wide}
    href=${url}
    title=${`${url}\n${t('not_fetched')}`}
    target="_blank"
    rel="noopener noreferrer"
    referrerpolicy="no-referrer"
    >${inside}</a
  >`;
}

/// The small picture of a card, which is a link itself.
export const tile = (url) =>
  html`<span class="tile" title=${`${url}\n${t('not_fetched')}`} role="img" aria-label=${t('picture')}
    >${icon('picture')}<small>${parts(url)?.host ?? ''}</small></span
  >`;
