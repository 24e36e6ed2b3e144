import { z } from 'zod';
import type { Fields, FieldValue } from './action.ts';
import { isUsableName } from './host-fields.ts';
import { changeChannel } from './subscription.ts';

/**
 * Which fields of a person or case go where. A mapping is data: saved per bot, versioned, checked against the org's
 * describe when saved. `compile.ts` turns it into functions; nothing in this room has a clock, IO or randomness.
 */
export interface Mapping {
  readonly kind: Kind;
  /** The Salesforce object: Contact and Opportunity by default, any other on request. */
  readonly object: string;
  readonly rules: readonly Rule[];
  /** Where a record is looked for before one is created, when no external id knows it. */
  readonly lookup: { readonly local: string; readonly remote: string } | null;
  /** Host role to Salesforce role; only a case that goes to Opportunity has contact roles. */
  readonly roles: Readonly<Record<string, string>>;
  /** Which side wins when both changed a field in the same second. */
  readonly tie: 'salesforce' | 'host';
  /** What happens here when the record is deleted in Salesforce. */
  readonly onRemoteDelete: 'keep' | 'delete';
  /** What happens in Salesforce when the host deletes its record. */
  readonly onHostDelete: 'keep' | 'delete';
  /** What happens when somebody makes a record in Salesforce that the host app does not know; absent: nothing. */
  readonly onRemoteCreate?: 'ignore' | 'tell' | undefined;
  /** Of such records those alone are told. */
  readonly foundIf?: FoundFilter | undefined;
  /** Off: a duplicate rule's answer links the match. On: the rule is overridden. An admin's choice. */
  readonly allowDuplicates: boolean;
  /** A custom channel on which the object's change events are heard; absent: the object's own. */
  readonly channel?: string | undefined;
  /** Whether many new records may go as jobs of Bulk API 2.0. Absent: `auto`, which is from 10,000 on. */
  readonly bulk?: 'auto' | 'never' | undefined;
}

/** Ids of 15 or 18 characters; a list that is absent lets all through. */
export interface FoundFilter {
  readonly recordTypeIds?: readonly string[] | undefined;
  readonly ownerIds?: readonly string[] | undefined;
}

export type Kind = 'party' | 'case';
export const KINDS: readonly Kind[] = ['party', 'case'];

export type Direction = 'both' | 'to_crm' | 'from_crm';

export interface Rule {
  /** Host field names; none for a constant. Several only with `join_name` or `template`. */
  readonly local: readonly string[];
  /** API names; two with `split_name`; `Account.Name` reads a parent. */
  readonly remote: readonly string[];
  readonly direction: Direction;
  readonly transforms: readonly Transform[];
  /** How a parent is found when it is written: by this very field, or created when there is none. Absent: read only. */
  readonly parent?: 'find' | 'find_or_create' | undefined;
  /** Which object a parent of several kinds is (an Owner may be a User or a Group); absent: all are looked at. */
  readonly parentObject?: string | undefined;
}

export type Transform =
  | { readonly use: 'split_name' | 'join_name' | 'trim' | 'lower' }
  | {
      readonly use: 'date';
      readonly form: 'date' | 'datetime';
      /** How the host writes 31.12.2026 or 12/31/2026. Absent: such dates are refused, never guessed. */
      readonly order?: 'dmy' | 'mdy' | 'ymd' | undefined;
      /** What a number counts since 1970. Absent: milliseconds, where it can be nothing else. */
      readonly unit?: 's' | 'ms' | 'us' | 'ns' | undefined;
    }
  | { readonly use: 'template'; readonly text: string }
  | {
      readonly use: 'default';
      readonly value?: FieldValue | undefined;
      /** Takes another host date instead, moved by `plusDays`. `createdAt` is always there. */
      readonly from?: string | undefined;
      readonly plusDays?: number | undefined;
    }
  | {
      readonly use: 'values';
      /** Host value, Salesforce value; the first pair that fits wins, both ways. */
      readonly pairs: readonly (readonly [FieldValue, FieldValue])[];
      /**
       * An unlisted value is refused and named, unless the Salesforce field itself lists it; or passes as it is; or is left out
       * of the sync.
       */
      readonly otherwise: 'refuse' | 'pass' | 'skip';
    };

/** Base and log name a rule by what it writes or reads. */
export const ruleKey = (rule: Rule): string => rule.remote.join('+');

const HOST_NAME = 'a host field is a letter, then letters, digits or _';
const hostName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, HOST_NAME)
  .refine(isUsableName, 'is a name that cannot be used');
const API_NAME = 'an API name such as Phone, Level__c or Account.Name';
const apiName = z.string().regex(/^[A-Za-z]\w{0,79}(\.[A-Za-z]\w{0,79})?$/, API_NAME);
const apiObject = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'an API name such as Contact or Matter__c');
const value = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()], {
  error: 'a text of at most 1,000 characters, a number, true, false or null',
});
const names = (name: z.ZodType<string, string>, what: string, most: number) =>
  z.union([name.transform((one) => [one]).pipe(z.array(z.string())), z.array(name).max(most)], {
    error: `${what}; here one or a list of at most ${most}`,
  });

const transform = z.discriminatedUnion(
  'use',
  [
    z.strictObject({ use: z.enum(['split_name', 'join_name', 'trim', 'lower']) }),
    z.strictObject({
      use: z.literal('date'),
      form: z.enum(['date', 'datetime']).default('date'),
      order: z.enum(['dmy', 'mdy', 'ymd']).optional(),
      unit: z.enum(['s', 'ms', 'us', 'ns']).optional(),
    }),
    z.strictObject({ use: z.literal('template'), text: z.string().min(1).max(500) }),
    z.strictObject({
      use: z.literal('default'),
      value: value.optional(),
      from: hostName.optional(),
      plusDays: z.number().int().min(-3650).max(3650).optional(),
    }),
    z.strictObject({
      use: z.literal('values'),
      pairs: z
        .array(z.tuple([value, value]))
        .min(1)
        .max(500),
      otherwise: z.enum(['refuse', 'pass', 'skip']).default('refuse'),
    }),
  ],
  {
    error: ({ input }) =>
      typeof input === 'object' && input !== null
        ? 'one of split_name, join_name, trim, lower, date, template, default, values'
        : 'an object such as {"use":"trim"}',
  },
);

const rule = z
  .strictObject({
    local: names(hostName, HOST_NAME, 10).default([]),
    remote: names(apiName, API_NAME, 2).refine((list) => list.length > 0, 'name at least one Salesforce field'),
    direction: z.enum(['both', 'to_crm', 'from_crm']).default('both'),
    transforms: z.array(transform).max(10).default([]),
    parent: z.enum(['find', 'find_or_create']).optional(),
    parentObject: apiObject.optional(),
  })
  .meta({ id: 'MappingRule' });

const ids = (prefixes: string) =>
  z
    .array(
      z
        .string()
        .regex(
          new RegExp(`^(?:${prefixes})[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$`),
          `an Id that begins with ${prefixes.replace('|', ' or ')}`,
        ),
    )
    .min(1)
    .max(50);

/** What an operator may send; short forms (`"local": "email"`) become the long one. */
export const mappingSchema = z.strictObject({
  kind: z.enum(['party', 'case']),
  object: apiObject,
  rules: z.array(rule).min(1).max(200),
  lookup: z.strictObject({ local: hostName, remote: apiName }).nullable().default(null),
  roles: z.record(z.string().min(1).max(40), z.string().min(1).max(255)).default({}),
  tie: z.enum(['salesforce', 'host']).default('salesforce'),
  onRemoteDelete: z.enum(['keep', 'delete']).default('keep'),
  onHostDelete: z.enum(['keep', 'delete']).default('keep'),
  onRemoteCreate: z.enum(['ignore', 'tell']).optional(),
  foundIf: z.strictObject({ recordTypeIds: ids('012').optional(), ownerIds: ids('005|00G').optional() }).optional(),
  allowDuplicates: z.boolean().default(false),
  channel: changeChannel.optional(),
  bulk: z.enum(['auto', 'never']).optional(),
});

/** A record of the host: its fields, and the day it was made (for defaults of dates). */
export interface HostFields {
  readonly fields: Fields;
  readonly createdAt: number;
}
