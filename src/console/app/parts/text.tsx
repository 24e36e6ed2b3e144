import { consoleWords } from '../../../domain/console-words.ts';
import { hiddenCharacter } from '../../../domain/safe-text.ts';

/** What strangers wrote, and values of records: whole, isolated, with what cannot be seen made visible; never as markup. */

/** Past this a text is cut, and says so: a megabyte must not stop the page from opening. */
const MOST_SHOWN = 40_000;
/** Longer texts get a box of their own that scrolls. */
const LONG = 160;

/** Characters that would hide or reorder what a person reads, as `[U+202E]`. */
export function visible(text: string): string {
  const shown = text.slice(0, MOST_SHOWN);
  if (hiddenCharacter(shown) === undefined) return shown;
  return Array.from(shown, (character) => {
    const hidden = hiddenCharacter(character);
    return hidden === undefined ? character : `[${hidden}]`;
  }).join('');
}

export function Text({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>;
}

/** What the server says of itself, with the place in the console where it names a command or a route. Never a value of a record. */
export function Words({ children }: { readonly children: string }) {
  return <Text>{consoleWords(children)}</Text>;
}

/** Why something was decided so, a line each; nothing where nobody said why. */
export function Reasons({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <ul>
      {of.map((reason) => (
        <li key={reason}>
          <Words>{reason}</Words>
        </li>
      ))}
    </ul>
  );
}

const numbers = new Intl.NumberFormat('en', { useGrouping: 'min2', maximumFractionDigits: 20 });

/** A number of things: 1,834. */
export const count = (number: number) => number.toLocaleString('en');

/** One value of a record. */
export function Value({ of }: { readonly of: unknown }) {
  if (of === null || of === undefined || of === '') return <span class="empty">empty</span>;
  if (typeof of === 'boolean') return <>{of ? 'Yes' : 'No'}</>;
  if (typeof of === 'number') return <>{numbers.format(of)}</>;
  const text = typeof of === 'string' ? of : JSON.stringify(of, null, 2);
  if (text.length <= LONG && !text.includes('\n')) return <Text>{text}</Text>;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: no set of fields */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <div class="long" tabIndex={0} role="group" aria-label="Long text">
        <Text>{text}</Text>
      </div>
      {text.length > MOST_SHOWN && <p class="note">Cut here: the text has {count(text.length)} characters.</p>}
    </>
  );
}

/** Only web addresses become links: a `javascript:` one would run in our page, and the embedded simulated org has none. */
export function OutLink({ url, children }: { readonly url: string | undefined; readonly children: string }) {
  const at = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  if (at === undefined || !['https:', 'http:'].includes(at.protocol) || at.hostname === 'sim.localhost')
    return <Text>{children}</Text>;
  return (
    <a href={at.href} target="_blank" rel="noreferrer">
      <Text>{children}</Text>
    </a>
  );
}

/** `operator:anna` is anna to a person. */
export const personName = (principal: string) => principal.replace(/^operator:/, '');
