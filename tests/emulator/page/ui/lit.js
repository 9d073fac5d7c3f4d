// lit-html, in one place. It puts every value into the page as text, never as markup.

export { html, svg, render, nothing } from '../vendor/lit-html/lit-html.js';
export { repeat } from '../vendor/lit-html/directives/repeat.js';
export { live } from '../vendor/lit-html/directives/live.js';
export { ref } from '../vendor/lit-html/directives/ref.js';
export { keyed } from '../vendor/lit-html/directives/keyed.js';
