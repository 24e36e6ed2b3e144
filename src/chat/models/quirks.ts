import type { EndpointRefusal } from './model-failures.ts';

/** What one endpoint takes and refuses. It is learnt from its refusals and remembered while the process lives. Pure. */
export interface Quirks {
  /** The key that bounds the length of an answer: newer models know the one name, most other servers the other, some none. */
  readonly budget: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** `stream_options` is taken. */
  readonly countsTokens: boolean;
  readonly streams: boolean;
  /** Keys of its own go back with a message. */
  readonly takesExtra: boolean;
  /** It wants what the model thought back, in words. */
  readonly wantsThoughts: boolean;
  /** It reads ids of calls of nine letters and digits only. */
  readonly shortIds: boolean;
  /** Refused names of the budget. */
  readonly refusedBudgets: readonly string[];
}

export const FIRST_QUIRKS: Omit<Quirks, 'budget'> = {
  countsTokens: true,
  streams: true,
  takesExtra: true,
  wantsThoughts: false,
  shortIds: false,
  refusedBudgets: [],
};

const UNKNOWN =
  /unsupported|not (be )?(supported|permitted|allowed|recognized|accepted)|unrecognized|unknown|unexpected|extra|invalid|must|instead/i;

/** Better quirks for the same request, or undefined where this refusal teaches nothing. */
export function learn(quirks: Quirks, { status, said, body }: EndpointRefusal): Quirks | undefined {
  if (status !== 400 && status !== 422) return undefined;
  const text = `${said.code} ${said.text === '' ? body.slice(0, 4_000) : said.text}`;
  const names = (key: string) => said.param === key || said.param.endsWith(`.${key}`) || text.includes(key);
  if (/context_length|context (length|window)|too long/i.test(text)) return undefined;
  if (quirks.countsTokens && (names('stream_options') || names('include_usage')))
    return { ...quirks, countsTokens: false };
  if (quirks.budget !== undefined && names(quirks.budget)) return otherBudget(quirks, quirks.budget, text);
  if (/tool_?call_?id|tool call id|call id/i.test(text) && !quirks.shortIds) return { ...quirks, shortIds: true };
  if (/reasoning|thinking/i.test(text)) {
    if (!quirks.wantsThoughts && /missing|must|required|passed back|expected/i.test(text))
      return { ...quirks, wantsThoughts: true };
    if (quirks.wantsThoughts) return { ...quirks, wantsThoughts: false };
  }
  if (
    quirks.streams &&
    (said.param === 'stream' || /\bstream(ing)?\b.{0,60}(not|un)[ -]?support|verified to stream/i.test(text))
  )
    return { ...quirks, streams: false };
  if (
    quirks.takesExtra &&
    /messages|extra_content|provider_specific|additional propert/i.test(`${said.param} ${text}`) &&
    UNKNOWN.test(text) &&
    /key|field|propert|propert|input|param/i.test(text)
  )
    return { ...quirks, takesExtra: false };
  // Some refuse over this one key and name none.
  if (quirks.countsTokens && said.param === '') return { ...quirks, countsTokens: false };
  return undefined;
}

/** The other name once; where that was refused, too, or the number itself is the trouble, none. */
function otherBudget(quirks: Quirks, refused: 'max_tokens' | 'max_completion_tokens', text: string): Quirks {
  const refusedBudgets = [...quirks.refusedBudgets, refused];
  const other = refused === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
  const isName = UNKNOWN.test(text) && !/at most|too (large|high|big)|less than|between|range/i.test(text);
  const budget = isName && !refusedBudgets.includes(other) ? other : undefined;
  return { ...quirks, budget, refusedBudgets };
}
