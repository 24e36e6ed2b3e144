import { z } from 'zod';
import type { Audience } from './profiles.ts';

/**
 * Policy as data: what a granted action meets before it runs. Strict everywhere: an unknown or mistyped key stops the
 * save with its place, because a mistyped limit that is ignored is a limit that does not hold.
 */

const apiName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/, 'must be an API name');
const decision = z.enum(['auto', 'confirm', 'deny', 'never']);
const assurance = z.enum(['client', 'session']);
/** What a no in a client's form does: ends the proposal, or leaves it to a signed-in person. Some clients say no by themselves. */
const clientDecline = z.enum(['ends', 'waits']);
/** How long somebody may take to decide, minutes: at most 30 days. */
const lifetime = z.int().min(1).max(43_200);
const count = z.int().min(0).max(1_000_000);

const condition = z
  .strictObject({
    /** Any new Amount above this, in the record's currency. */
    amountAbove: z.number().optional(),
    /** Absolute difference between old and new Amount. */
    amountChangeAbove: z.number().min(0).optional(),
    stageIn: z.array(z.string().min(1)).min(1).optional(),
    closeDateShiftDaysAbove: z.int().min(0).optional(),
    /** Any of these API names changes. */
    fieldIn: z.array(apiName).min(1).optional(),
    /** A field tagged sensitive in `objects` changes or is queried. */
    sensitive: z.literal(true).optional(),
    queryClass: z.enum(['trivial', 'non-trivial']).optional(),
    /** Look-alikes were found. */
    duplicates: z.literal(true).optional(),
    /** A value would be stored although it looks wrong: an unlisted value of an open picklist. */
    warnings: z.literal(true).optional(),
    /** This action already ran at least this often for this bot in the past hour. */
    runsThisHourAtLeast: count.optional(),
    /** A visitor sent at least this many requests for it in the past hour; holds for requests of visitors alone. */
    visitorRunsThisHourAtLeast: count.optional(),
    environment: z.enum(['production', 'sandbox', 'simulated']).optional(),
  })
  .refine((c) => Object.keys(c).length > 0, 'needs at least one condition');

const rule = z.strictObject({
  if: condition,
  then: z.enum(['auto', 'confirm', 'deny']),
  assurance: assurance.optional(),
  clientDecline: clientDecline.optional(),
});

/** What a policy says to one action. */
export const actionPolicySchema = z.strictObject({
  decision,
  /** The operator's own words after the description of the tool. They decide nothing. */
  whenToUse: z.string().trim().min(1).max(300).optional(),
  /** Least assurance of an approval; public bots always need `session`. */
  assurance: assurance.default('client'),
  clientDecline: clientDecline.optional(),
  /** How long a proposal of it waits for a person; unset: as `proposals` says, a week for requests of visitors. */
  expiresMinutes: lifetime.optional(),
  /** All rules whose conditions hold are gathered; the strictest of them and of `decision` wins. */
  rules: z.array(rule).max(50).default([]),
  /** A change of these fields alone runs by itself, unless a rule says otherwise. */
  autoFields: z.array(apiName).default([]),
  /** Further fields of the action's object that become inputs, typed from describe when saved. */
  expose: z
    .array(
      z.strictObject({
        field: apiName,
        type: z.enum(['string', 'number', 'boolean', 'date']),
        describe: z.string().min(1).max(200),
      }),
    )
    .max(20)
    .default([]),
});

const objectPolicy = z.strictObject({
  read: z.boolean().default(true),
  write: z.boolean().default(false),
  /** Only these, where given; `Id` always. */
  allowFields: z.array(apiName).optional(),
  denyFields: z.array(apiName).default([]),
  /** Asked about before they are queried or changed. */
  sensitiveFields: z.array(apiName).default([]),
  /** Shown as •••• to the model and in the audit. */
  maskFields: z.array(apiName).default([]),
});

/** Exact, and nothing that could mean more inside a Content-Security-Policy: no wildcard, no path, no semicolon. */
const frameOrigin = z
  .string()
  .regex(
    /^(?:https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http:\/\/(?:localhost|127\.0\.0\.1))(?::\d{1,5})?$/,
    'must be an origin like https://shop.example, in lower case and without a path',
  );

export const MODES = ['off', 'read-only', 'ask', 'automatic'] as const;

export const policySchema = z.strictObject({
  mode: z.enum(MODES).default('automatic'),
  /** Kill switches: these actions answer `off`. */
  off: z.array(z.string().min(1)).default([]),
  /** Argument names that clients of this bot add to every call by themselves; anything else unknown is refused. */
  ignoreKeys: z.array(z.string().min(1).max(80)).max(50).default([]),
  actions: z.record(z.string().regex(/^[A-Z][A-Za-z0-9_-]{0,63}$/), actionPolicySchema).default({}),
  /** Unlisted objects are closed. `*` holds field rules for every object. */
  objects: z.record(z.union([apiName, z.literal('*')]), objectPolicy).default({}),
  /** Which fields of this org stand for the host's account key and for references like OPP-123. */
  lookups: z
    .strictObject({
      accountKey: apiName.default('Account_Key__c'),
      opportunityReference: apiName.default('Reference__c'),
    })
    .prefault({}),
  /** What stands for the company of a lead without one; CreateLead then does not ask for it. Unset: it asks. */
  leadCompanyDefault: z.string().trim().max(255).optional(),
  soql: z
    .strictObject({
      maxRows: z.int().min(1).max(2000).default(200),
      maxChildRows: z.int().min(1).max(200).default(50),
      maxOffset: z.int().min(0).max(2000).default(2000),
      maxLength: z.int().min(100).max(100_000).default(20_000),
      /** Fields such as `Name` that may be read of a record's owner or author although User is closed. */
      allowOwnerFields: z.array(apiName).max(50).default([]),
      /** Date literals that this org has beyond the common ones. */
      dateLiterals: z.array(apiName).max(50).default([]),
      rowsPerHour: count.default(5000),
      countsPerHour: count.default(60),
    })
    .prefault({}),
  proposals: z
    .strictObject({
      /** For actions without one of their own; unset: an hour for `client`, a day for `session`. */
      expiresMinutes: lifetime.optional(),
      maxPending: z.int().min(1).max(10_000).default(50),
      /** Requests of visitors that nobody decided yet; when there are so many, no visitor can send one. */
      maxHeld: z.int().min(1).max(1000).default(1000),
      /** The model reads why a person declined; else only people do. */
      tellReason: z.boolean().default(false),
      /** Operators may approve what they asked for themselves. Unset: only on a simulated org. */
      selfApproval: z.boolean().optional(),
    })
    .prefault({}),
  /** The bot's own words. They are read by people and the model, and no rule looks at them. */
  words: z
    .strictObject({
      /** On its chat page, in place of its name here. */
      name: z.string().trim().min(1).max(60).optional(),
      greeting: z.string().trim().min(1).max(300).optional(),
      starters: z.array(z.string().trim().min(1).max(120)).max(6).default([]),
      /** Told to the model in chat and over MCP, after our own. */
      instructions: z.string().trim().min(1).max(2_000).optional(),
    })
    .prefault({}),
  /** What the host app may do beside sending records and reading changes. */
  host: z
    .strictObject({
      /** See which Salesforce record a person or case is linked to, link and unlink it. */
      links: z.boolean().default(true),
    })
    .prefault({}),
  /** The chat for end users over HTTP: closed until an operator opens it. */
  chat: z
    .strictObject({
      /** Opens `/chat/{bot}` and its routes. */
      page: z.boolean().default(false),
      /** Sites that may show the page in a frame. */
      frameOrigins: z.array(frameOrigin).max(50).default([]),
      /** Lets in visitors without a session that the host app signed. */
      anonymous: z.boolean().default(false),
      /** Messages and answers a minute of one end user. */
      perMinute: z.int().min(1).max(600).default(12),
    })
    .prefault({}),
});

export type Policy = z.output<typeof policySchema>;
/** What a policy may say in place of an input that the caller left out. */
export type InputDefault = 'leadCompanyDefault';
export type ActionPolicy = z.output<typeof actionPolicySchema>;
export type ObjectPolicy = z.output<typeof objectPolicy>;
export type PolicyCondition = z.output<typeof condition>;

/**
 * Every place that is wrong, as `actions.UpdateOpportunity.rules[0].if: ...`. With the names of the actions there are, also
 * those that name none: a rule for an action that does not exist is a rule that never holds.
 */
export function parsePolicy(
  value: unknown,
  actions?: readonly string[],
): { policy: Policy } | { problems: { name: string; problem: string }[] } {
  const dropped = droppedKeys(value, '');
  if (dropped.length > 0) return { problems: dropped.map((name) => ({ name, problem: 'unknown key' })) };
  const parsed = policySchema.safeParse(value);
  if (parsed.success) {
    const problems = actions === undefined ? [] : namingNothing(parsed.data, actions);
    return problems.length === 0 ? { policy: parsed.data } : { problems };
  }
  return {
    problems: parsed.error.issues.flatMap((issue) => {
      const at = issue.path.reduce<string>(
        (path, key) =>
          typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`,
        '',
      );
      if (issue.code !== 'unrecognized_keys') return [{ name: at || '(top)', problem: issue.message }];
      return issue.keys.map((key) => ({ name: at === '' ? key : `${at}.${key}`, problem: 'unknown key' }));
    }),
  };
}

/** Zod leaves this key out without a word, and what is left out does not hold. */
function droppedKeys(value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const place = Array.isArray(value) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`;
    return key === '__proto__' ? [place] : droppedKeys(inner, place);
  });
}

function namingNothing({ actions, off }: Policy, known: readonly string[]): { name: string; problem: string }[] {
  const places: [string, string][] = [
    ...Object.keys(actions).map((name): [string, string] => [name, `actions.${name}`]),
    ...off.map((name, at): [string, string] => [name, `off[${at}]`]),
  ];
  const problem = `names no action; there are ${known.join(', ')}`;
  return places.filter(([name]) => !known.includes(name)).map(([, place]) => ({ name: place, problem }));
}

/** Objects that every org has and a shipped policy opens. */
export const OPEN_TO_READ = [
  'Account',
  'Contact',
  'Lead',
  'Opportunity',
  'OpportunityContactRole',
  'Case',
  'Task',
  'Event',
  'Campaign',
  'Product2',
];
const OPEN_TO_WRITE = ['Account', 'Contact', 'Lead', 'Opportunity', 'OpportunityContactRole', 'Case'];

/** What an action reads and writes of the org: objects by their API names. */
export interface Touches {
  /** `*`: whatever the policy opens. */
  readonly reads?: readonly string[];
  /** A policy that closes one of these, or of `edits`, refuses every call at once. */
  readonly creates?: readonly string[];
  readonly edits?: readonly string[];
  readonly deletes?: readonly string[];
  /** The fields that it reads, as `Account.Name`. Left out: any that policy opens. */
  readonly fields?: readonly string[];
  /** The bot's mapping may name other objects than these, and leaves out what is closed. */
  readonly mapped?: boolean;
  /**
   * The fields that its inputs set, beside those that a policy exposes; as `Account.Name` where it writes several objects. Left out: any
   * that can be written.
   */
  readonly sets?: readonly string[];
}

/** The fields of one object that it sets; undefined where that is any. */
export function setsOf({ sets }: Touches, object: string): readonly string[] | undefined {
  return sets?.flatMap((name) => {
    const [of = '', field] = name.split('.');
    if (field === undefined) return [name];
    return of.toLowerCase() === object.toLowerCase() ? [field] : [];
  });
}

interface Touching {
  readonly touches: Touches;
}

/**
 * What a bot has until an operator changes it (C1, P5). What `actions` touch is open to them; whether one of them runs by
 * itself is for an operator to say: until then a person is asked.
 */
export function shippedPolicy(audience: Audience, actions: readonly Touching[] = []): Policy {
  const written = actions.flatMap(({ touches }) => [
    ...(touches.creates ?? []),
    ...(touches.edits ?? []),
    ...(touches.deletes ?? []),
  ]);
  const read = actions.flatMap(({ touches }) => touches.reads ?? []).filter((object) => object !== '*');
  const writable = new Set([...OPEN_TO_WRITE, ...written]);
  return policySchema.parse({
    // Visitors are private people too.
    ...(audience === 'public' ? { leadCompanyDefault: '[not provided]' } : {}),
    actions: {
      GetAccount: { decision: 'auto' },
      CreateLead: {
        decision: 'auto',
        rules: [
          { if: { runsThisHourAtLeast: 20 }, then: 'confirm' },
          // A crowd of one must not push everybody else's requests into the queue.
          ...(audience === 'public' ? [{ if: { visitorRunsThisHourAtLeast: 10 }, then: 'confirm' }] : []),
          { if: { duplicates: true }, then: 'confirm' },
          { if: { warnings: true }, then: 'confirm' },
        ],
      },
      UpdateOpportunity: { decision: 'confirm' },
      RunSOQL:
        audience === 'public'
          ? { decision: 'deny' }
          : { decision: 'auto', rules: [{ if: { queryClass: 'non-trivial' }, then: 'confirm' }] },
      SyncParty: { decision: 'auto' },
      SyncCase: { decision: 'auto' },
    },
    objects: Object.fromEntries(
      [...new Set([...OPEN_TO_READ, ...read, ...written])].map((object) => [
        object,
        {
          read: true,
          write: writable.has(object),
          ...(audience === 'public' && object === 'Account'
            ? { allowFields: ['Name', 'Website', 'Industry', 'Phone'] }
            : {}),
        },
      ]),
    ),
  });
}
