import { z } from 'zod';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';

/** Forms that the answers of several rooms share. Those with an id stand once in the OpenAPI document, under that name. */

/** ISO 8601, UTC. */
export const momentAnswer = z.iso.datetime();
export const fieldValueAnswer = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const fieldsAnswer = z.record(z.string(), fieldValueAnswer);
export const kindAnswer = z.enum(['party', 'case']);
export const assuranceAnswer = z.enum(['client', 'session']);

export const fieldProblemAnswer = z
  .strictObject({ name: z.string(), problem: z.string() })
  .meta({ id: 'FieldProblem' });

export const candidateAnswer = z
  .strictObject({ id: z.string(), name: z.string(), hint: z.string().optional(), linkedTo: z.string().optional() })
  .meta({ id: 'Candidate' });

export const problemAnswer = z
  .strictObject({
    code: z.enum(Object.keys(ERROR_STATUS) as ErrorCode[]), // its own keys
    message: z.string(),
    next: z.string().describe('What to do now'),
    retryable: z.boolean(),
    retryAfterMs: z.number().optional(),
    fields: z.array(fieldProblemAnswer).optional(),
    candidates: z.array(candidateAnswer).optional(),
    salesforce: z.strictObject({ code: z.string(), fields: z.array(z.string()), quote: z.string() }).optional(),
  })
  .meta({ id: 'Problem' });

/** Of every refusal, on every route. */
export const errorAnswer = z.strictObject({ error: problemAnswer }).meta({ id: 'Error' });

export const changeAnswer = z
  .strictObject({
    field: z.string(),
    label: z.string(),
    before: fieldValueAnswer,
    after: fieldValueAnswer,
    currency: z.string().optional(),
    record: z.string().optional(),
  })
  .meta({ id: 'Change' });
