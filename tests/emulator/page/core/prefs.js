// What this window and this browser remember: who sits here, the language, the colours.
// The user belongs to the window, so that several windows are several people.

const read = (storage, name) => {
  try {
    return JSON.parse(storage.getItem(name));
  } catch {
    return null;
  }
};
const write = (storage, name, value) => storage.setItem(name, JSON.stringify(value));

const asked = new URLSearchParams(location.search);
const locale = () => ((navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en');

export const prefs = {
  me: asked.get('user') || read(sessionStorage, 'me') || 'alice',
  lang: asked.get('lang') || read(localStorage, 'lang') || locale(),
  theme: asked.get('theme') || read(localStorage, 'theme') || 'auto',
  wall: read(localStorage, 'wall') ?? true,
  tab: read(localStorage, 'tab') || 'wire',
};

export function remember(name, value) {
  prefs[name] = value;
  write(name === 'me' ? sessionStorage : localStorage, name, value);
  apply();
}

/// Conversations that somebody made here and in which nothing was said yet.
export const madeChats = () => read(localStorage, 'chats') || [];
export const rememberChats = (chats) => write(localStorage, 'chats', chats);

export function apply() {
  const dark =
    prefs.theme === 'dark' || (prefs.theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.documentElement.lang = prefs.lang === 'zh' ? 'zh-CN' : 'en';
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
apply();
