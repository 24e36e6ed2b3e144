/**
 * Patterns of text inputs: plain characters, classes and counts. No groups, no alternatives, no open counts, and few ways to match,
 * so that no text of 4,000 characters holds up everybody else's calls.
 */

const ATOM = /(?:\[\^?(?:[^[\]\\]|\\[dws.\-\]\\/+*?()|^$])+\]|\\[dws.\-\\/+*?()[\]{}|^$]|[^[\]\\(){}|^$*+?.])/y;
const COUNT = /(?:\{(\d{1,3})(?:,(\d{1,3}))?\}|\?)/y;
const MOST_COUNT = 100;
const MOST_WAYS = 10_000;

/** What is wrong with it in words; undefined where it may be used. */
export function patternProblem(pattern: string): string | undefined {
  let at = 0;
  let ways = 1;
  while (at < pattern.length) {
    ATOM.lastIndex = at;
    if (!ATOM.test(pattern)) return `has ${JSON.stringify(pattern.charAt(at))} at position ${at}: ${TAKES}`;
    at = ATOM.lastIndex;
    COUNT.lastIndex = at;
    const count = COUNT.exec(pattern);
    if (count === null) continue;
    at = COUNT.lastIndex;
    const least = count[1] === undefined ? 0 : Number(count[1]);
    const most = count[1] === undefined ? 1 : Number(count[2] ?? count[1]);
    if (most > MOST_COUNT || most < least) return `counts to ${most}; a count goes up to ${MOST_COUNT}: ${TAKES}`;
    ways *= most - least + 1;
  }
  if (ways > MOST_WAYS) return 'can match one text in too many ways: make counts exact, such as {8}';
  try {
    anchored(pattern);
    return undefined;
  } catch {
    return `is no regular expression: ${TAKES}`;
  }
}

/** The whole value must match. */
export const anchored = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u');

const TAKES = 'it takes characters, classes like [A-Z0-9] and counts like {8} or {2,5}, and no groups, | , * or +';
