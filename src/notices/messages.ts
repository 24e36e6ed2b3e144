import type { NoticeKind, Shape, StandingNotice } from '../ports/notices.ts';

/** What is worth a message, and its form. Pure. */

/** Per kind: when it was told last, and what stood then. */
export type Told = Readonly<Partial<Record<NoticeKind, { readonly at: number; readonly marks: Marks }>>>;
type Marks = Readonly<Record<string, string>>;

export interface Message {
  readonly kind: NoticeKind;
  readonly what: 'began' | 'changed' | 'recovered';
  readonly notices: readonly StandingNotice[];
  readonly marks: Marks;
  readonly text: string;
}

/** After one message of a kind everything more of it waits this long: a flapping breaker or a crowd is one line, not a flood. */
export const FOLD_MS = 5 * 60_000;

export function dueMessages(
  told: Told,
  standing: readonly StandingNotice[],
  kinds: readonly NoticeKind[],
  now: number,
): Message[] {
  return kinds.flatMap((kind) => {
    const notices = standing.filter((notice) => notice.kind === kind);
    const marks = Object.fromEntries(notices.map(({ id, mark }) => [id, mark]));
    const before = told[kind] ?? { at: Number.NEGATIVE_INFINITY, marks: {} };
    if (isSame(before.marks, marks) || Math.abs(now - before.at) < FOLD_MS) return [];
    const gone = Object.keys(before.marks).filter((id) => !(id in marks));
    const isNew = Object.keys(before.marks).length === 0;
    const what = notices.length === 0 ? 'recovered' : isNew ? 'began' : 'changed';
    return [{ kind, what, notices, marks, text: words(kind, notices, gone) }];
  });
}

const isSame = (a: Marks, b: Marks) =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([id, mark]) => b[id] === mark);

const OVER: Readonly<Record<NoticeKind, string>> = {
  audit_broken: 'The log holds again',
  reconnect_needed: 'Connected again',
  breaker_open: 'Salesforce answers again',
  budget_near: 'API calls are below 80 % again',
  schema_drift: 'The org fits again',
  sync_problem: 'In step again',
  webhook_failing: 'The webhook takes messages again',
  approval_waits: 'Nothing waits any more',
};

function words(kind: NoticeKind, notices: readonly StandingNotice[], gone: readonly string[]): string {
  const bots = gone.map((id) => id.slice(id.indexOf(':') + 1)).filter((bot) => bot !== '');
  const over = gone.length === 0 ? [] : [`${OVER[kind]}${bots.length === 0 ? '' : `: ${bots.join(', ')}`}.`];
  const still = notices.map(
    ({ text, until }) => `${text}${until === undefined ? '' : ` The first expires at ${clockOf(until)}.`}`,
  );
  return [...still, ...over].join(' ');
}

const clockOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export const TEST_TEXT = 'This is a test: notices of Gatehouse arrive here.';

/** In the receiver's own form; what is a sign of its markup there is escaped. */
export function bodyOf(
  shape: Shape,
  { text, link, data, type, at }: { text: string; link: string; data: object; type: string; at: number },
): string {
  if (shape === 'slack') return JSON.stringify({ text: `${forSlack(text)} <${link}|Open Gatehouse>` });
  if (shape === 'teams') return JSON.stringify(forTeams(text, link));
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: { text, link, ...data } });
}

/** https://docs.slack.dev/messaging/formatting-message-text: with these three escaped, nothing in it links or calls anybody. */
const forSlack = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** An adaptive card, as the incoming webhooks of Teams take it; its text block knows a little Markdown. */
const forTeams = (text: string, link: string) => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [{ type: 'TextBlock', wrap: true, text: text.replace(/([\\*_[\]])/g, '\\$1') }],
        actions: [{ type: 'Action.OpenUrl', title: 'Open Gatehouse', url: link }],
      },
    },
  ],
});

/** What a program gets of each: no mark, which is our own bookkeeping. */
export const dataOf = ({ kind, notices }: Pick<Message, 'kind' | 'notices'>, base: string) => ({
  kind,
  notices: notices.map(({ bot, level, text, count, until, cure }) => ({
    bot,
    level,
    text,
    count,
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    link: `${base}${cure.path}`,
  })),
});
