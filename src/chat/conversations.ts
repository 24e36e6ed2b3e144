import { GatehouseError } from '../domain/errors.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import { readAs } from '../domain/read-as.ts';
import type { ConversationRow, ConversationStore } from '../ports/conversations.ts';
import type { Card, Conversation, Entry, Loaded, Person, Turn } from './conversation.ts';

export interface Conversations {
  create(
    made: Pick<ConversationRow, 'bot' | 'owner' | 'session' | 'context' | 'orgId' | 'userId'>,
  ): Promise<Conversation>;
  /** Takes the turn; `conflict` while another one runs. */
  begin(id: string, person: Person): Promise<Turn>;
  load(id: string, person: Person): Promise<Loaded>;
}

export interface ConversationDeps {
  readonly store: { readonly conversations: ConversationStore };
  readonly now: () => number;
  readonly newId: () => string;
  /** `host/pid/random` of this process. */
  readonly runner: string;
  readonly isRunnerAlive: (runner: string) => boolean;
  readonly watch: LeaseWatch;
  /** A turn that lasts longer has lost its conversation, ms. */
  readonly leaseMs: number;
}

export function createConversations(deps: ConversationDeps): Conversations {
  const { now, newId } = deps;
  const { conversations } = deps.store;

  /** A dead process's turn is over at once; a living one's when its time is. */
  const isBusy = ({ id, turn, turnUntil }: ConversationRow) =>
    turn !== null &&
    !deps.watch.hasStood(`turn of ${id}`, `${turn} ${turnUntil}`, deps.leaseMs) &&
    deps.isRunnerAlive(turn);

  /** Whom the host vouches for now must be whom it vouched for then: who moved to another account left its talks behind. */
  const owned = async (id: string, { owner, session }: Person): Promise<ConversationRow> => {
    const row = await conversations.get(id);
    if (row === undefined || row.owner !== owner || row.session !== (session?.indexValue ?? null)) throw unknown();
    return row;
  };

  const load: Conversations['load'] = async (id, person) => {
    const row = await owned(id, person);
    const entries = (await conversations.messages(id)).map(({ at, message }) => ({
      at,
      entry: JSON.parse(message) as Entry, // written by `add` alone
    }));
    const session = row.session === null ? undefined : { indexValue: row.session };
    return { conversation: toConversation(row), row, session, entries, cards: toCards(row), isBusy: isBusy(row) };
  };

  return {
    load,

    async create(made) {
      const at = now();
      const row = { ...made, id: newId(), cards: '[]', turn: null, turnUntil: 0, createdAt: at, updatedAt: at };
      await conversations.create(row);
      return toConversation(row);
    },

    async begin(id, person) {
      const before = await owned(id, person);
      const turn = `${deps.runner}/${newId()}`;
      if (isBusy(before) || !(await conversations.takeTurn(id, before.turn, turn, now() + deps.leaseMs))) throw busy();
      const loaded = await load(id, person);
      const entries = loaded.entries.map(({ entry }) => entry);
      let { cards } = loaded;
      return {
        conversation: loaded.conversation,
        session: loaded.session,
        from: person.from,
        context: before.context ?? undefined,
        reader: readAs(before),
        entries,
        get cards() {
          return cards;
        },
        lastAt: loaded.entries.at(-1)?.at ?? before.createdAt,
        async add(more, open) {
          const kept = await conversations.append(
            id,
            turn,
            now(),
            more.map((entry) => JSON.stringify(entry)),
            open === undefined ? undefined : JSON.stringify(open),
          );
          if (!kept) throw busy();
          entries.push(...more);
          cards = open ?? cards;
        },
        end: () => conversations.endTurn(id, turn),
      };
    },
  };
}

function toConversation({ id, bot, owner, createdAt, updatedAt }: ConversationRow): Conversation {
  return { id, bot, owner, createdAt, updatedAt };
}

function toCards(row: ConversationRow): readonly Card[] {
  return JSON.parse(row.cards) as Card[]; // written by `add` alone
}

/** The same whether there is none or it is another's. */
function unknown(): GatehouseError {
  return new GatehouseError('not_found', 'There is no such conversation.', {
    next: 'Start a new one.',
    fields: [{ name: 'conversation', problem: 'unknown' }],
  });
}

function busy(): GatehouseError {
  return new GatehouseError('conflict', 'The bot is still busy with your last message.', {
    next: 'Wait until it has answered, then send yours again.',
    retryable: true,
    retryAfterMs: 2_000,
  });
}
