/** Values that Salesforce keeps or shows in another form than they were given in. */
import type { Field } from '../schema/field.ts';
import type { Value } from '../table.ts';

/** Classic encryption, for a user without "View Encrypted Data": all but the last four characters. */
export function masked(field: Field, value: Value): Value {
  if (field.type !== 'encryptedstring' || typeof value !== 'string') return value;
  return '*'.repeat(Math.max(0, value.length - 4)) + value.slice(-4);
}

const markup =
  /<\/?(?:a|b|big|blockquote|br|code|dd|del|div|dl|dt|em|font|h[1-6]|hr|i|img|li|ol|p|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?\/?>/gi;
const entity = /&(?!(?:[a-z]+|#\d+|#x[\da-f]+);)/gi;

/** A rich text area holds HTML: known tags and entities stay, all else is text and comes back escaped. */
export function toHtml(text: string): string {
  let html = '';
  let at = 0;
  for (const tag of text.matchAll(markup)) {
    html += escaped(text.slice(at, tag.index)) + tag[0];
    at = tag.index + tag[0].length;
  }
  return html + escaped(text.slice(at));
}

function escaped(text: string): string {
  return text
    .replace(entity, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/\r\n?|\n/g, '<br>');
}

/** The chosen values once each, in the order of the list; unlisted ones after them. */
export function toChoices({ picklist }: Field, text: string): string {
  const given = [
    ...new Set(
      text
        .split(';')
        .map((part) => part.trim())
        .filter(Boolean),
    ),
  ];
  const rank = (value: string) => {
    const at = picklist.findIndex((entry) => entry.value === value);
    return at === -1 ? picklist.length : at;
  };
  return given.sort((a, b) => rank(a) - rank(b)).join(';');
}

/** Half-up (away from zero) at the scale, by decimal digits: 1000.005 becomes 1000.01, as no binary product would have it. */
export function roundHalfUp(value: number, scale: number): number {
  const [digits = '0', power = '0'] = Math.abs(value).toString().split('e');
  const shifted = Math.round(Number(`${digits}e${Number(power) + scale}`));
  const [whole = '0', up = '0'] = shifted.toString().split('e');
  return Math.sign(value) * Number(`${whole}e${Number(up) - scale}`) || 0;
}
