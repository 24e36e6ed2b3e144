/** Text that strangers wrote, made safe to show: what cannot be seen, or turns reading order round, is taken out (A7). Pure. */

// Controls but tab and line feed; soft hyphen and joiners; bidi marks and overrides; fillers; the tags block and
// variation selectors, which can carry whole hidden sentences (FE0F stays: emoji need it).
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\u034f|[\u180b-\u180d\u180f]|[\ufe00-\ufe0e]/gu;
const LONE_SURROGATE = /\p{Cs}/gu;

/** One text, cleaned and cut at `cap` characters with an ellipsis. */
export function clean(text: string, cap = Number.POSITIVE_INFINITY): string {
  // Cut roughly first, so that a huge text costs no more than its cap; the slack pays for what cleaning removes.
  const near = text.length > cap * 4 ? text.slice(0, cap * 4) : text;
  const plain = near.replace(/\r\n?/g, '\n').replace(HIDDEN, '').replace(LONE_SURROGATE, '\ufffd');
  if (plain.length <= cap) return plain;
  return `${plain.slice(0, cap - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Salesforce's own words for `salesforce.quote`: one line, at most 300 characters. */
export function quote(text: string): string {
  return clean(clean(text, 1200).replace(/\s+/g, ' ').trim(), 300);
}
