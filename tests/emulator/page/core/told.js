// What the emulator says in English, in the language of the page.

import { actsZh } from '../words/acts.js';
import { sentences } from '../words/sentences.js';
import { prefs } from './prefs.js';

const HOLE = /\{[^}]*\}/g;
/// A sentence in a sentence in a sentence is the most there is.
const DEPTH = 4;

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/// Patterns for the sentences with holes; those that say most themselves come first.
const patterns = Object.keys(sentences)
  .filter((english) => english.match(HOLE))
  .map((english) => ({
    english,
    holes: english.match(HOLE),
    said: english.replace(HOLE, '').length,
    pattern: new RegExp(`^${english.split(HOLE).map(escaped).join('(.*)')}$`, 's'),
  }))
  .sort((a, b) => b.said - a.said);

function translated(text, depth) {
  if (Object.hasOwn(sentences, text)) return sentences[text];
  if (!depth) return text;
  for (const { english, holes, pattern } of patterns) {
    const found = pattern.exec(text);
    if (!found) continue;
    return sentences[english].replace(HOLE, (hole) => {
      const at = holes.indexOf(hole);
      return at < 0 ? hole : translated(found[at + 1], depth - 1);
    });
  }
  return text;
}

/// A sentence of the emulator; what is not known stays as it is.
export const told = (text) => (prefs.lang === 'zh' && text ? translated(text, DEPTH) : text);

/// What somebody did.
export function toldAct({ text, act }) {
  const known = prefs.lang === 'zh' && act && actsZh[act.action];
  return known ? known.replace(/\{(\w+)\}/g, (_, name) => act[name] ?? '') : text;
}
