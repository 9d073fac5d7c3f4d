// Pictures, voice, video and files. Only what the emulator itself keeps is loaded; what is held
// elsewhere is shown as a card.

import { html } from '../ui/lit.js';
import { icon } from '../ui/icons.js';
import { size, t } from '../core/words.js';
import { dialog } from '../ui/popup.js';
import { elsewhere, tile } from './elsewhere.js';

/// A file of the emulator as this page reads it, past the wire; none for all other addresses.
export function own(url) {
  const at = (url || '').indexOf('/download?appid=');
  return at < 0 ? null : `/_emulator${url.slice(at)}`;
}

const lookAt = (src, alt) =>
  dialog(
    alt || t('picture'),
    (done) =>
      html` <img class="large" src=${src} alt=${alt || t('picture')} />
        <div class="row end">
          <a class="button" href=${src} download>${t('download')}</a>
          <button class="primary" @click=${() => done()}>${t('close')}</button>
        </div>`,
  );

export function picture(url, alt, { width, height, bytes } = {}) {
  const src = own(url);
  if (!src) return elsewhere('picture', url, { name: alt, width, height, bytes });
  const style = width ? `width:${Math.min(width, 320)}px;aspect-ratio:${width}/${height}` : '';
  return html`<button
    class="picture"
    aria-label=${`${t('picture')} ${alt || ''}`}
    @click=${() => lookAt(src, alt)}
  >
    <img src=${src} alt="" style=${style} loading="lazy" />
  </button>`;
}

/// The picture of a card, which opens as a whole.
export function thumbnail(url) {
  const src = own(url);
  return src ? html`<span class="picture"><img src=${src} alt="" loading="lazy" /></span>` : tile(url);
}

function voice(url, name, seconds) {
  const src = own(url);
  if (!src) return elsewhere('voice', url, { name });
  const play = (event) => {
    const box = event.currentTarget;
    const sound = box.querySelector('audio');
    const shows = (on) => box.classList.toggle('plays', on);
    sound.onplay = () => shows(true);
    sound.onpause = () => shows(false);
    sound.onended = () => shows(false);
    if (!sound.paused) sound.pause();
    else
      sound.play().catch(() => {
        box.querySelector('small').textContent = t('cannot_play');
      });
  };
  const length = (event) => {
    const { duration } = event.currentTarget;
    if (Number.isFinite(duration))
      event.currentTarget.nextElementSibling.textContent = `${Math.max(1, Math.round(duration))}″`;
  };
  return html`<button class="voice" @click=${play}>
    <span class="waves" role="img" aria-label=${t('voice')}
      ><i></i><i></i><i></i><i></i><i></i><i></i><i></i
    ></span>
    <audio src=${src} preload="metadata" @loadedmetadata=${length}></audio><small>${seconds ?? ''}</small>
  </button>`;
}

function video(url, name, bytes) {
  const src = own(url);
  if (!src) return elsewhere('video', url, { name, bytes });
  return html`<video class="video" src=${src} controls preload="metadata" aria-label=${t('video')}></video>`;
}

function file(url, name, bytes) {
  const src = own(url);
  if (!src) return elsewhere('file', url, { name, bytes });
  const ending = (name || '').split('.').pop().slice(0, 4);
  return html`<a class="file" href=${src} download=${name || 'file'}>
    <span class="sort" aria-hidden="true">${ending || icon('file')}</span>
    <span><b>${name || t('file')}</b><small>${size(bytes)}</small></span></a
  >`;
}

/// What a bot sent.
export function media({ file_type: type, url, name, size: bytes }) {
  switch (type) {
    case 1:
      return picture(url, name, { bytes });
    case 2:
      return video(url, name, bytes);
    case 3:
      return voice(url, name);
    default:
      return file(url, name, bytes);
  }
}

/// What a user attached.
export function attachment({ content_type: type, url, filename, size: bytes, asr_refer_text: asr }) {
  if (type.startsWith('image/')) return picture(url, filename, { bytes });
  if (type.startsWith('video')) return video(url, filename, bytes);
  if (type === 'voice') return [voice(url, filename), asr ? html`<small class="asr">${asr}</small>` : ''];
  return file(url, filename, bytes);
}

/// What it is, in a word, for quotes and lists.
export const mediaWord = (type) => t(['picture', 'video', 'voice', 'file'][type - 1] || 'file');
