import { z } from 'zod';

/** What the host app is told of an object that is no person or case of its own. */

const fieldName = z.string().regex(/^[A-Za-z]\w{0,79}$/, 'an API name such as StageName');

/** A field becomes one of these values, as Salesforce names them. */
export const transition = z
  .strictObject({
    field: fieldName,
    becomes: z
      .array(z.union([z.string().min(1).max(255), z.boolean()]))
      .min(1)
      .max(50),
  })
  .readonly()
  .meta({ id: 'Transition' });

export type Transition = {
  readonly field: string;
  readonly becomes: readonly (string | boolean)[];
};

/** Of change events; the org's own channels are named by the object. */
export const changeChannel = z
  .string()
  .regex(/^\/data\/[A-Za-z]\w{0,79}__chn$/, 'a custom channel of change events, such as /data/Gatehouse__chn');

/**
 * These fields, at every change or only as one of them becomes a value. A platform event (`Order_Event__e`) may name a record, which is
 * then looked at.
 */
export const subscriptionWish = z.strictObject({
  fields: z.array(fieldName).min(1).max(100),
  when: transition.optional(),
  channel: z
    .string()
    .regex(
      /^\/(event|data)\/[A-Za-z]\w{0,79}__chn$/,
      'a custom channel: /event/Orders__chn for platform events, /data/Gatehouse__chn for change events',
    )
    .optional(),
  recordIdField: fieldName.optional(),
});

export type SubscriptionWish = z.output<typeof subscriptionWish>;

export const isEventObject = (object: string): boolean => /__e$/i.test(object);

/** Where a platform event comes. */
export const eventChannel = ({
  object,
  channel,
}: {
  readonly object: string;
  readonly channel?: string | null | undefined;
}): string => channel ?? `/event/${object}`;
