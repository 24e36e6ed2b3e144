import { setTimeout as sleep } from 'node:timers/promises';
import { createChatWorld, type Said } from '../support/chat.ts';
import { startModelServer } from '../support/model-server.ts';
import type { World } from '../support/world.ts';
import type { Scenario, Write } from './scenario.ts';

/** How one scenario went. Everything but tokens and calls should be as the scenario says. */
export interface Score {
  readonly name: string;
  readonly problems: readonly string[];
  readonly isSuccess: boolean;
  readonly extraWrites: number;
  readonly missingWrites: number;
  /** Asked, of the times it had to. */
  readonly asked: number;
  readonly mustAsk: number;
  readonly needlessCards: number;
  readonly calls: number;
  readonly tokens: number;
}

/** A real endpoint, or what the house uses without one: the demo model. */
export interface Endpoint {
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly model?: string;
}

export async function play(scenario: Scenario, endpoint: Endpoint): Promise<Score> {
  const { script, grants, audience, session, policy } = scenario;
  await using server = script === undefined ? undefined : await startModelServer(script);
  const baseUrl = server?.baseUrl ?? endpoint.baseUrl;
  await using talk = await createChatWorld({
    ...(grants === undefined ? {} : { grants }),
    ...(audience === undefined ? {} : { audience }),
    ...(policy === undefined ? {} : { policy }),
    ...(session === undefined ? {} : { session }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    env: {
      ...(endpoint.apiKey === undefined ? {} : { OPENAI_API_KEY: endpoint.apiKey }),
      ...(endpoint.model === undefined ? {} : { OPENAI_MODEL: endpoint.model }),
    },
  });
  await scenario.seed?.(talk.world);
  const before = await snapshot(talk.world);
  const problems: string[] = [];
  const said: Said[] = [];
  let cards = 0;
  let asked = 0;

  for (const turn of scenario.turns) {
    if ('say' in turn) {
      const written = await snapshot(talk.world);
      const heard = await talk.say(turn.say);
      said.push(heard);
      cards += heard.cards.length;
      if (turn.asks !== undefined) {
        const wrote = differences(written, await snapshot(talk.world)).length > 0;
        if (turn.asks.test(heard.text) && !wrote && heard.cards.length === 0) asked += 1;
        else
          problems.push(
            `did not ask ${turn.asks} after ${JSON.stringify(turn.say)}, but said ${JSON.stringify(heard.text.slice(-160))}`,
          );
      }
      if (turn.hears?.test(heard.text) === false)
        problems.push(
          `did not say ${turn.hears} after ${JSON.stringify(turn.say)}, but ${JSON.stringify(heard.text.slice(-160))}`,
        );
      continue;
    }
    const [open] = (await talk.read()).proposals;
    if (open === undefined) {
      problems.push('showed no card');
      continue;
    }
    const choice = typeof turn.card === 'number' ? open.choices?.[turn.card - 1]?.id : undefined;
    const heard = await talk
      .answer(open, {
        answer: turn.card === 'reject' ? 'reject' : 'approve',
        ...(choice === undefined ? {} : { choice }),
      })
      .catch((error: unknown) => {
        problems.push(`the card refused: ${String(error)}`);
        return undefined;
      });
    if (heard === undefined) continue;
    said.push(heard);
    cards += heard.cards.length;
  }

  const { extra, missing } = await outcome(talk.world, before, scenario.writes ?? []);
  for (const write of extra) problems.push(`wrote what nobody wanted: ${JSON.stringify(write)}`);
  for (const write of missing) problems.push(`did not write ${JSON.stringify(write)}`);
  const called = said.flatMap(({ steps }) => steps);
  for (const name of scenario.forbidden ?? []) if (called.includes(name)) problems.push(`called ${name}`);
  const needless = Math.max(0, cards - (scenario.cards ?? 0));
  if (needless > 0) problems.push(`${needless} needless card(s)`);
  return {
    name: scenario.name,
    problems,
    isSuccess: problems.length === 0,
    extraWrites: extra.length,
    missingWrites: missing.length,
    asked,
    mustAsk: scenario.turns.filter((turn) => 'asks' in turn && turn.asks !== undefined).length,
    needlessCards: needless,
    calls: called.length,
    tokens: said.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

const OBJECTS = ['Account', 'Contact', 'Lead', 'Opportunity', 'Case', 'Task'];
/** Salesforce changes these by itself. */
const BY_ITSELF =
  /^(LastModified|SystemModstamp|LastActivity|LastViewed|LastReferenced|LastStageChange|Is(Closed|Won)$|Probability$|ForecastCategory|ExpectedRevenue$|Fiscal|HasOpen|HasOverdue|Push|PhotoUrl|attributes)/;

type Row = Readonly<Record<string, unknown>>;
type Snapshot = ReadonlyMap<string, { readonly object: string; readonly row: Row }>;

interface Made {
  readonly object: string;
  readonly name: unknown;
  readonly isNew: boolean;
  readonly set: Row;
}

async function snapshot(world: World): Promise<Snapshot> {
  const all = new Map<string, { object: string; row: Row }>();
  for (const object of OBJECTS) for (const row of await world.records(object)) all.set(String(row.Id), { object, row });
  return all;
}

function differences(before: Snapshot, after: Snapshot): Made[] {
  const made: Made[] = [];
  for (const [id, { object, row }] of after) {
    const old = before.get(id)?.row;
    const set = Object.fromEntries(
      Object.entries(row).filter(
        ([field, value]) => !BY_ITSELF.test(field) && (old === undefined || old[field] !== value),
      ),
    );
    if (Object.keys(set).length > 0) made.push({ object, name: row.Name, isNew: old === undefined, set });
  }
  for (const [id, { object, row }] of before)
    if (!after.has(id)) made.push({ object, name: row.Name, isNew: false, set: { deleted: true } });
  return made;
}

/** A visitor's request runs on, unheard, after its receipt: what is wanted gets its time to appear. */
async function outcome(world: World, before: Snapshot, wanted: readonly Write[]) {
  for (let tries = 0; ; tries++) {
    const found = compare(differences(before, await snapshot(world)), wanted);
    if (found.missing.length === 0 || tries === 100) return found;
    await sleep(20);
  }
}

function compare(made: readonly Made[], wanted: readonly Write[]) {
  const extra = [...made];
  const missing: Write[] = [];
  for (const write of wanted) {
    const at = extra.findIndex((one) => fits(one, write));
    if (at === -1) missing.push(write);
    else extra.splice(at, 1);
  }
  return { extra, missing };
}

function fits({ object, name, isNew, set }: Made, write: Write): boolean {
  if ('create' in write) return isNew && object === write.create && holds(set, write.with);
  const isSame = !isNew && object === write.update && name === write.named;
  return isSame && holds(set, write.set) && Object.keys(set).every((field) => field in write.set);
}

function holds(row: Row, wanted: Row): boolean {
  return Object.entries(wanted).every(([field, value]) => row[field] === value);
}
