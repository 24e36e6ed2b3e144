import { hiddenCharacter } from '../domain/safe-text.ts';
import { leftWords } from '../domain/time-left.ts';
import { type Html, html } from './html.ts';

/** How values of strangers are shown: whole, isolated, and with what cannot be seen made visible. */

/** Past this a text is cut, and says so: a megabyte must not stop the page from opening. */
const MOST_SHOWN = 40_000;
/** Longer texts get a box of their own that scrolls. */
const LONG = 160;

export function value(given: unknown): Html {
  if (given === null || given === undefined || given === '') return html`<span class="empty">empty</span>`;
  if (typeof given === 'boolean') return html`${given ? 'Yes' : 'No'}`;
  if (typeof given === 'number') return html`${grouped(given)}`;
  const text = visible(typeof given === 'string' ? given : JSON.stringify(given, null, 2));
  if (text.length <= LONG && !text.includes('\n')) return html`<bdi>${text}</bdi>`;
  const cut = text.length > MOST_SHOWN;
  return html`<div class="long" tabindex="0" role="group" aria-label="Long text"><bdi>${text.slice(0, MOST_SHOWN)}</bdi></div>${
    cut && html`<p class="note">Cut here: the text has ${grouped(text.length)} characters.</p>`
  }`;
}

/** Characters that would hide or reorder what an approver reads, as `[U+202E]`. */
export function visible(text: string): string {
  if (hiddenCharacter(text.slice(0, MOST_SHOWN)) === undefined) return text;
  return Array.from(text.slice(0, MOST_SHOWN + 1), (character) => {
    const hidden = hiddenCharacter(character);
    return hidden === undefined ? character : `[${hidden}]`;
  }).join('');
}

/** A number of things: 1,834. */
export function count(number: number): string {
  return number.toLocaleString('en');
}

/** A value of a record: 12000 is 12,000 and 2026 stays 2026. */
function grouped(number: number): string {
  return new Intl.NumberFormat('en', { useGrouping: 'min2', maximumFractionDigits: 20 }).format(number);
}

/** A moment; the script shows it in the reader's own time zone. */
export function moment(iso: string): Html {
  return html`<time datetime="${iso}" data-local>${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** `fallback` is what a browser without the script shows. */
export function timeLeft(untilMs: number, nowMs: number): Html {
  const until = new Date(untilMs).toISOString();
  return html`<span class="left" role="timer" data-until="${until}" data-now="${new Date(nowMs).toISOString()}">${leftWords(untilMs - nowMs)}</span>`;
}

/** Only web addresses become links: a `javascript:` one would run in our page, and the embedded simulated org has none. */
export function safeUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  return ['https:', 'http:'].includes(protocol) && hostname !== 'sim.localhost' ? url : undefined;
}

/** `operator:anna` is anna to a person. */
export function personName(principal: string): string {
  return principal.replace(/^operator:/, '');
}
