import type { ElicitRequestFormParams } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Change } from '../domain/action.ts';
import type { ProposalView } from '../domain/proposal.ts';
import { cleanData, quoted } from '../domain/safe-text.ts';

/** The question a client shows its person, and what an answer to it means. Pure. */

export interface Form {
  readonly message: string;
  readonly requestedSchema: ElicitRequestFormParams['requestedSchema'];
}

export type Answer =
  | { readonly kind: 'approve'; readonly choice?: string }
  | { readonly kind: 'decline' }
  /** Never shown, closed, too late, empty or wrong: nobody has decided. */
  | { readonly kind: 'none'; readonly why: 'no-form' | 'closed' | 'late' | 'unreadable' };

/** What no client shows whole is not asked in a form: nobody approves what they cannot read. */
const MOST_MESSAGE = 6_000;
const DECLINE = 'decline';

/** Undefined when a form cannot ask it: too long, or the policy wants a signed-in person. */
export function toForm(proposal: ProposalView, bot: string, now: number): Form | undefined {
  if (proposal.assurance !== 'client') return undefined;
  const message = toMessage(proposal, bot, now);
  if (message.length > MOST_MESSAGE) return undefined;
  const typed = toType(proposal);
  return {
    message,
    requestedSchema: {
      type: 'object',
      properties: {
        // Required, without a default: a client that fills defaults by itself decides nothing.
        decision: {
          type: 'string',
          title: 'Your decision',
          description: 'Nothing is written unless you approve.',
          enum: decisions(proposal),
        },
        ...(typed === undefined
          ? {}
          : {
              confirm: {
                type: 'string',
                title: typed.title,
                description: `To approve, type: ${typed.expected}`,
                maxLength: 500,
              },
            }),
      },
      required: typed === undefined ? ['decision'] : ['decision', 'confirm'],
    },
  };
}

export function readAnswer(
  proposal: ProposalView,
  response: { readonly action: string; readonly content?: unknown },
): Answer {
  if (response.action === 'decline') return { kind: 'decline' };
  if (response.action !== 'accept') return { kind: 'none', why: 'closed' };
  const typed = toType(proposal);
  const filled = z
    .strictObject({ decision: z.enum(decisions(proposal)), confirm: z.string().optional() })
    .safeParse(response.content);
  if (!filled.success) return { kind: 'none', why: 'unreadable' };
  const { decision, confirm = '' } = filled.data;
  if (decision === DECLINE) return { kind: 'decline' };
  if (typed !== undefined && !typed.matches(confirm)) return { kind: 'none', why: 'unreadable' };
  return proposal.choices === undefined ? { kind: 'approve' } : { kind: 'approve', choice: decision };
}

/** With choices the person picks one of them in place of a plain yes. */
function decisions({ choices }: ProposalView): [string, ...string[]] {
  const [first = 'approve', ...others] = choices?.map(({ id }) => id) ?? [];
  return [first, ...others, DECLINE];
}

interface Typed {
  readonly title: string;
  readonly expected: string;
  readonly matches: (text: string) => boolean;
}

/**
 * A click is too cheap for money and for the end of a deal: there the person types the new amount, or the record's name.
 * Salesforce's own closed stages start with "Closed"; for others an operator sets the assurance `session`.
 */
function toType({ changes, target }: ProposalView): Typed | undefined {
  if (target === undefined) return undefined;
  const after = (field: string) => changes.find((change) => change.field === field)?.after;
  const amount = after('Amount');
  if (typeof amount === 'number')
    return {
      title: 'The new amount',
      expected: String(amount),
      matches: (text) => {
        const digits = text.replace(/[\s,'_]/g, '');
        return /^\d+(\.\d+)?$/.test(digits) && Number(digits) === amount;
      },
    };
  const isClosing = /^closed/i.test(String(after('StageName') ?? ''));
  if (!isClosing && amount !== null) return undefined;
  const name = oneLine(target.name) || target.id;
  const folded = (text: string) => oneLine(text).normalize('NFKC').toLowerCase().replace(/^"|"$/g, '');
  return { title: 'The name of the record', expected: name, matches: (text) => folded(text) === folded(name) };
}

function toMessage(proposal: ProposalView, bot: string, now: number): string {
  const { target, query, choices } = proposal;
  const lines = [
    `${proposal.action}, asked for by the bot ${bot}, waits for your decision.`,
    oneLine(proposal.summary),
    ...(target === undefined ? [] : [`Record: ${target.object} ${quoted(target.name)} (${target.id})`]),
    ...(query === undefined
      ? []
      : [
          `Query: ${oneLine(query.send)}`,
          `Objects: ${query.objects.join(', ')}${query.rowCap === null ? '' : `. Rows: at most ${query.rowCap}`}`,
        ]),
    ...listed('Changes', proposal.changes.map(toLine)),
    ...listed('You are asked because', proposal.reasons.map(oneLine)),
    ...listed('Take care', (proposal.warnings ?? []).map(oneLine)),
    ...listed('Choose', choices?.map(({ id, label }) => `${id}: ${oneLine(label)}`) ?? []),
    '',
    `Time left: ${timeLeft(Date.parse(proposal.expiresAt) - now)}.`,
  ];
  return lines.join('\n');
}

function listed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `- ${line}`)];
}

/** The value that would be written is shown whole; what it replaces may be cut. */
function toLine({ field, label, before, after }: Change): string {
  return `${oneLine(label)} (${field}): ${shown(before, 80)} -> ${shown(after, Number.POSITIVE_INFINITY)}`;
}

function shown(value: Change['before'], most: number): string {
  if (value === null) return '(empty)';
  return typeof value === 'string' ? quoted(value, most) : String(value);
}

/** Text that others wrote must not look like a line of ours. */
function oneLine(text: string): string {
  return cleanData(text, Number.POSITIVE_INFINITY).replace(/\s+/g, ' ').trim();
}

function timeLeft(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  return minutes === 0 ? 'less than a minute' : minutes === 1 ? '1 minute' : `${minutes} minutes`;
}
