import type { HeldRecord } from '../domain/action.ts';
import { outcomeWords } from '../domain/outcome-words.ts';
import type { Envelope, ProposalView } from '../domain/proposal.ts';
import { columns, indent, type Terminal } from './terminal.ts';

/** An envelope in words, for the terminal. */
export function describeEnvelope(envelope: Envelope, { style }: Pick<Terminal, 'style'>): string {
  const { status, result, proposal } = envelope;
  const parts = [style(COLOURS[status], outcomeWords(envelope).person)];
  if (result !== undefined) parts.push(indent(describeValue(result)));
  if (proposal !== undefined && status !== 'done') parts.push(describeProposal(proposal));
  return parts.join('\n');
}

export function describeProposal(proposal: ProposalView): string {
  const { summary, changes, reasons, warnings = [], choices = [], query, target } = proposal;
  const parts = [summary];
  if (target !== undefined) parts.push(target.url);
  if (changes.length > 0)
    parts.push(
      '',
      indent(columns(changes.map(({ label, before, after }) => [label, `${show(before)} → ${show(after)}`]))),
    );
  if (query !== undefined) parts.push('', indent(query.send));
  if (reasons.length + warnings.length > 0) parts.push('', ...reasons, ...warnings);
  if (choices.length > 0) parts.push('', indent(columns(choices.map(({ id, label }) => [id, label]))));
  parts.push(
    '',
    columns([
      ['id', proposal.id],
      ['expires', proposal.expiresAt],
      ['page', proposal.link],
      // The page needs a server; this does not.
      ...(proposal.state === 'pending' ? [['or', `gatehouse approve ${proposal.id}`]] : []),
    ]),
  );
  return indent(parts.join('\n'));
}

/** Of a list: the first of its records, and where the others are. */
export function describeRecords(records: readonly HeldRecord[], link: string): string {
  const shown = records
    .slice(0, MOST_RECORDS)
    .map(({ operation, object, id, recordId, changes }) => [
      `${operation} ${object} ${JSON.stringify(id)}${recordId === null ? '' : ` ${recordId}`}`,
      changes.map(({ label, before, after }) => `${label}: ${show(before)} → ${show(after)}`).join('; '),
    ]);
  const more = records.length - shown.length;
  return indent(columns(more > 0 ? [...shown, [`and ${more} more`, link]] : shown));
}

const MOST_RECORDS = 20;

const COLOURS: Readonly<Record<Envelope['status'], 'green' | 'yellow' | 'red'>> = {
  done: 'green',
  waiting: 'yellow',
  declined: 'red',
  expired: 'red',
  conflict: 'red',
  unknown: 'red',
};

function describeValue(value: Readonly<Record<string, unknown>>): string {
  return columns(
    Object.entries(value).map(([name, inner]) => [
      name,
      typeof inner === 'object' && inner !== null
        ? JSON.stringify(inner, null, 2).replaceAll('\n', '\n  ')
        : show(inner),
    ]),
  );
}

function show(value: unknown): string {
  return value === null || value === undefined ? 'empty' : String(value);
}
