import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { useSession } from '../session.ts';
import { Choice } from './filters.tsx';
import { Badge } from './states.tsx';
import { Text } from './text.tsx';

/** Words and ways that all pages of the sync share. */

export type Kind = 'party' | 'case';
type LinkKind = Kind | 'parent';

export const syncPath = (bot: string, rest = '') => `/bots/${encodeURIComponent(bot)}/sync${rest}`;
export const mappingPath = (bot: string, kind: Kind) => `/bots/${encodeURIComponent(bot)}/mappings/${kind}`;
export const recordPath = (bot: string, kind: LinkKind, localId: string) =>
  syncPath(bot, `/links/${kind}/${encodeURIComponent(localId)}`);

const ONE = { party: 'Person', case: 'Case', parent: 'Company' } as const;
const MANY = { party: ['person', 'people'], case: ['case', 'cases'] } as const;

export const counted = (kind: Kind, number: number) =>
  `${number.toLocaleString('en')} ${MANY[kind][number === 1 ? 0 : 1]}`;
export const kindWord = (kind: LinkKind) => ONE[kind];

/** Only people and cases have a page of their own. */
export function RecordLink({
  bot,
  kind,
  localId,
}: {
  readonly bot: string;
  readonly kind: LinkKind;
  readonly localId: string;
}) {
  const words = (
    <>
      {kindWord(kind)} <Text>{localId}</Text>
    </>
  );
  return kind === 'parent' ? words : <Link href={recordPath(bot, kind, localId)}>{words}</Link>;
}

/** Where one is among the pages of a bot's sync. */
export function crumbsOf(bot: string, further: readonly { readonly href: string; readonly label: string }[] = []) {
  return [
    { href: '/sync', label: 'Sync' },
    { href: syncPath(bot), label: bot },
    ...further.map(({ href, label }) => ({ href: syncPath(bot, href), label })),
  ];
}

const STATES = {
  new: ['', 'Not in Salesforce yet'],
  active: ['good', 'Linked'],
  ambiguous: ['warn', 'Several could be meant'],
  remote_deleted: ['warn', 'Deleted in Salesforce'],
  merged: ['warn', 'Merged in Salesforce'],
  unlinked: ['', 'Unlinked'],
  failed: ['bad', 'Failed'],
} as const;

export function LinkState({ state }: { readonly state: keyof typeof STATES }) {
  const [kind, words] = STATES[state];
  return <Badge kind={kind}>{words}</Badge>;
}

const OUTCOMES = {
  success: ['good', 'Done'],
  failed: ['bad', 'Failed'],
  pending: ['', 'Waits'],
  ambiguous: ['warn', 'Several could be meant'],
} as const;

export function Outcome({ status }: { readonly status: keyof typeof OUTCOMES }) {
  const [kind, words] = OUTCOMES[status];
  return <Badge kind={kind}>{words}</Badge>;
}

const OPERATIONS = { create: 'created', update: 'updated', delete: 'deleted', none: 'no change' } as const;

export const deedWords = (operation: keyof typeof OPERATIONS, direction: 'to_crm' | 'from_crm') =>
  `${OPERATIONS[operation]} ${direction === 'to_crm' ? 'in Salesforce' : 'here, from Salesforce'}`;

/** Values of people are shown to whoever reads values or maps fields; others see a mask. */
export function MaskNote() {
  const { permissions, whoHolds } = useSession();
  if (permissions.some((held) => held === 'READ_VALUES' || held === 'MANAGE_MAPPINGS')) return null;
  return <p class="note">Values are masked: seeing them needs READ_VALUES, which {whoHolds.READ_VALUES} has.</p>;
}

export const readSummary = (bot: string) => said(api.GET('/api/bots/{bot}/sync', { params: { path: { bot } } }));

export function useSummary(bot: string) {
  return useQuery({ queryKey: ['sync', bot, 'summary'], queryFn: () => readSummary(bot) });
}

/** Narrows a list to people or to cases. */
export function KindChoice(props: Pick<Parameters<typeof Choice>[0], 'value' | 'onChange'>) {
  return (
    <Choice
      {...props}
      label="Kind"
      options={[
        ['party', 'People'],
        ['case', 'Cases'],
      ]}
    />
  );
}
