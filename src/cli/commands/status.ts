import { type LookupNote, lookupNotes } from '../../policy/lookups.ts';
import { botNamed } from '../../policy/permit.ts';
import { uncheckedOf } from '../../policy/save.ts';
import type { HeldRequests } from '../../ports/gate.ts';
import type { ConnectionStatus } from '../../ports/salesforce.ts';
import type { SyncStatus } from '../../sync/jobs/status.ts';
import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  args: ['<bot>'],

  async run({ args: [name], openApp, terminal }) {
    const app = await openApp();
    const bot = await botNamed(app.store, name);
    const connection = await app.connections.status(bot.name);
    const lookups = connection.state === 'connected' ? await lookupNotes(app.connections, bot) : [];
    const pending = await app.store.proposals.countPending(bot.name);
    const requests = await app.approvals.heldRequests(bot.name);
    const unchecked = await uncheckedOf({ store: app.store, now: Date.now }, bot.name);
    const problems = [...requestProblems(bot.name, requests, connection.state), ...policyProblems(bot.name, unchecked)];
    const sync = await (await app.sync()).status(bot.name);
    terminal.print(
      {
        bot: bot.name,
        audience: bot.audience,
        mode: bot.policy.mode,
        grants: bot.grants,
        simulated: app.isSimulated,
        connection,
        ...(lookups.length === 0 ? {} : { lookups }),
        pending: pending + requests.waiting,
        requests,
        problems,
        sync,
      },
      [
        columns([
          ['bot', `${terminal.style('bold', bot.name)} (${bot.audience})`],
          ['mode', bot.policy.mode],
          ['grants', bot.grants.join(', ') || 'none'],
          ['waiting', told(pending + requests.waiting, bot.name)],
          ...(requests.notLookedUp === 0 ? [] : [['not looked up', `${requests.notLookedUp} of visitors`] as const]),
        ]),
        ...problems.map(
          ({ message, next }) =>
            `\n${columns([
              ['problem', message],
              ['cure', next],
            ])}`,
        ),
        '',
        describeConnection(connection),
        ...describeLookups(lookups),
        ...(sync === undefined ? [] : ['', describeSync(sync)]),
      ].join('\n'),
    );
  },
});

export function describeLookups(notes: readonly LookupNote[]): string[] {
  return notes.flatMap(({ problem, next }) => [
    '',
    columns([
      ['to set', problem],
      ['cure', next],
    ]),
  ]);
}

const told = (waiting: number, bot: string) =>
  waiting === 0 ? 'nothing' : `${waiting} for a person: gatehouse proposals --bot ${bot}`;

/** Visitors were thanked for these: they are a problem as long as nobody has answered. */
function requestProblems(bot: string, { notLookedUp, undecided }: HeldRequests, state: ConnectionStatus['state']) {
  const [first = 'ID'] = undecided.examples;
  const late = {
    code: 'undecided',
    message: `${undecided.count} request(s) of visitors were decided by nobody in time. Each visitor was thanked.`,
    next: `Write it now: gatehouse approve ${first}; or decline it: gatehouse reject ${first}. All of them: gatehouse proposals --bot ${bot}.`,
    ...undecided,
  };
  const waiting = {
    code: state === 'connected' ? 'not_looked_up' : 'not_connected',
    message: `${notLookedUp} request(s) of visitors wait, because ${state === 'connected' ? 'the org could not be asked yet' : 'the bot is not connected'}. Each visitor was thanked.`,
    next:
      state === 'connected'
        ? 'See the last failure of the connection.'
        : `Connect it: gatehouse connect ${bot} --flow web.`,
    count: notLookedUp,
    examples: [],
  };
  return [late, waiting].filter(({ count }) => count > 0);
}

/** A name that nobody looked up may stand for a rule that never holds. */
function policyProblems(bot: string, unchecked: readonly string[]) {
  if (unchecked.length === 0) return [];
  return [
    {
      code: 'policy_unchecked',
      message: `The policy was saved although not all of its names could be looked up. ${unchecked.join(' ')}`,
      next: `Save it once more when the org answers: gatehouse policy get ${bot} policy.json, then gatehouse policy set ${bot} policy.json.`,
      count: unchecked.length,
      examples: [],
    },
  ];
}

export function describeConnection(status: ConnectionStatus): string {
  const { lastFailure, breaker, api } = status;
  const rows: (readonly [string, string | undefined])[] = [
    ['connection', STATES[status.state]],
    ['org', status.orgId],
    ['user', status.username],
    ['instance', status.instanceUrl],
    ['environment', status.environment],
    [
      'breaker',
      breaker && (breaker.nextTryAt === undefined ? breaker.state : `${breaker.state} until ${breaker.nextTryAt}`),
    ],
    ['API calls', api && `${api.used} of ${api.max} in 24 h`],
    ['last success', status.lastSuccessAt],
    ['last failure', lastFailure && `${lastFailure.at}  ${lastFailure.code}: ${lastFailure.message}`],
    ['cure', lastFailure?.next],
    ['last sync', status.lastSyncAt],
    ['last event', status.lastEventAt],
  ];
  return columns(rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]])));
}

function describeSync({ links, waiting, waitingSince, quietHours, streams, pollMs, problems }: SyncStatus): string {
  const counts = links.map(({ kind, state, count }) => `${count} ${kind} ${state.replaceAll('_', ' ')}`);
  const rows: (readonly [string, string])[] = [
    ['links', counts.join(', ') || 'none'],
    ['to sync', waiting === 0 ? 'nothing' : `${waiting}${waitingSince === undefined ? '' : ` since ${waitingSince}`}`],
    ...(quietHours === undefined ? [] : [['quiet hours', describeHours(quietHours)] as const]),
    ['polled', pollMs === 0 ? 'at once' : `every ${pollMs / 60_000} minutes`],
    ...streams.map(({ object, state, since, lastEventAt, message }): readonly [string, string] => [
      `${object} events`,
      state === 'live' ? `heard since ${since}, last ${lastEventAt ?? 'none yet'}` : (message ?? 'not heard yet'),
    ]),
  ];
  const told = problems.map(({ message, next, count, examples, quote }) =>
    columns([
      ['problem', `${message}${count > 1 ? ` (${count} records)` : ''}`],
      ...(quote === undefined ? [] : [['Salesforce', quote] as const]),
      ['records', examples.map(({ kind, localId }) => `${kind} ${localId}`).join(', ') || 'all of them'],
      ...examples.flatMap(({ localId, candidates = [] }) =>
        candidates.map(
          ({ id, name, hint }) => [`for ${localId}`, [id, name, hint].filter(Boolean).join('  ')] as const,
        ),
      ),
      ['cure', next],
    ]),
  );
  return [columns(rows), ...told].join('\n\n');
}

const describeHours = ({ from, until, zone, endsAt }: NonNullable<SyncStatus['quietHours']>): string =>
  `${from} to ${until} ${zone}${endsAt === undefined ? '' : `; now, until ${endsAt}: nothing goes but what a person asks for`}`;

const STATES = {
  connected: 'connected',
  needs_reauth: 'needs a new login: gatehouse connect BOT --flow web',
  disconnected: 'disconnected',
  never_connected: 'never connected: gatehouse connect BOT --flow web',
} as const satisfies Record<ConnectionStatus['state'], string>;
