/**
 * Rich text is HTML: plain text that is written to such a field comes back escaped, its line ends as `<br>`. One form for both
 * sides; it is a fixed point, and text that already is HTML (a tag, an entity) is taken as such, as Salesforce takes it.
 */

/** Tags that Salesforce keeps; anything else between `<` and `>` is text. */
const TAG =
  /<\/?(?:a|b|big|blockquote|br|code|dd|del|div|dl|dt|em|font|h[1-6]|hr|i|img|li|ol|p|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?\/?>/gi;

export function toHtml(text: string): string {
  let at = 0;
  let out = '';
  for (const match of text.matchAll(TAG)) {
    out += escapeText(text.slice(at, match.index)) + normalTag(match[0]);
    at = match.index + match[0].length;
  }
  return out + escapeText(text.slice(at));
}

/** As the host writes it: plain where nothing but escapes and line ends is lost, else the HTML itself. */
export function toPlain(html: string): string {
  const canonical = toHtml(html);
  if (canonical.replaceAll('<br>', '').includes('<')) return canonical;
  const plain = canonical.replace(/<br>/g, '\n').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  return toHtml(plain) === canonical ? plain : canonical;
}

function escapeText(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&(?:#39|apos);/g, "'")
    .replace(/&nbsp;|\u00a0/g, ' ')
    .replace(/&(?!(?:amp|lt|gt);|#\d{1,7};|#x[0-9a-fA-F]{1,6};|[a-zA-Z]{2,30};)/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\r\n?|\n/g, '<br>');
}

const normalTag = (tag: string): string => (/^<br\s*\/?>$/i.test(tag) ? '<br>' : tag);
