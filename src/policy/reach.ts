import { actionsOf } from '../declared/actions-of.ts';
import type { Action } from '../domain/action.ts';
import type { BotRow } from '../ports/store.ts';

/** What a bot reaches in an org by its grants and policy, and what the Salesforce user behind it must be allowed. */
export interface Reach {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** One sentence each, for whoever sets up that user. */
  readonly needs: readonly string[];
}

/** Objects by what is granted, as far as policy opens them. */
export function reachOf(bot: BotRow, actions: readonly Action[]): Reach {
  const { grants, policy } = bot;
  const open = Object.entries(policy.objects).filter(([object]) => object !== '*');
  const readable = open.filter(([, rule]) => rule.read).map(([object]) => object);
  const writable = new Set(open.filter(([, rule]) => rule.write).map(([object]) => object));
  const touched = actionsOf(actions, bot)
    .filter(({ permission }) => grants.includes(permission))
    .map(({ touches }) => touches);
  const pick = (kind: 'reads' | 'creates' | 'edits' | 'deletes') =>
    [...new Set(touched.flatMap((of) => of[kind] ?? []))].sort();
  const reads = pick('reads').includes('*')
    ? readable.sort()
    : pick('reads').filter((object) => readable.includes(object));
  const creates = pick('creates').filter((object) => writable.has(object));
  const edits = pick('edits').filter((object) => writable.has(object));
  const deletes = pick('deletes').filter((object) => writable.has(object));
  return {
    reads,
    writes: [...new Set([...creates, ...edits, ...deletes])].sort(),
    needs: [
      'The system permission API Enabled.',
      ...(reads.length > 0 ? [`Read on ${reads.join(', ')}, and on the fields the bot should see.`] : []),
      ...(creates.length > 0 ? [`Create on ${creates.join(', ')}.`] : []),
      ...(edits.length > 0 ? [`Edit on ${edits.join(', ')}.`] : []),
      ...(deletes.length > 0 ? [`Delete on ${deletes.join(', ')}.`] : []),
      'Access to the connected app: an admin installs the External Client App in the org, or pre-authorizes this user.',
    ],
  };
}
