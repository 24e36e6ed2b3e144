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

/** These fields, at every change or only as one of them becomes a value. */
export const subscriptionWish = z.strictObject({
  fields: z.array(fieldName).min(1).max(100),
  when: transition.optional(),
});

export type SubscriptionWish = z.output<typeof subscriptionWish>;
