import { z } from 'zod';
import packageFile from '../../../package.json' with { type: 'json' };
import { OPERATOR_PERMISSIONS, type OperatorPermission, whoHolds } from '../../../permissions/catalog.ts';
import { latestRecovery } from '../../access/operators.ts';
import { momentAnswer } from '../../domain/answers.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';
import { browserOf } from './by-operator.ts';

const WHO_HOLDS = Object.fromEntries(
  OPERATOR_PERMISSIONS.map((permission) => [permission, whoHolds(permission)]),
) as Record<OperatorPermission, string>;

/** Who is signed in at this browser, and what the frame of every page shows. */
export function sessionRoute(deps: HttpDeps) {
  return defineRoute({
    method: 'GET',
    path: '/api/session',
    summary: 'The signed-in operator, what they may, and the token that changes must carry (x-csrf-token)',
    who: ['operator'],
    isNarrowed: true,
    answer: z.strictObject({
      operator: z.strictObject({
        name: z.string(),
        role: z.string(),
        bots: z.array(z.string()).optional().describe('Those that the role is for; missing: every one'),
      }),
      permissions: z.array(z.enum(OPERATOR_PERMISSIONS)),
      whoHolds: z
        .record(z.enum(OPERATOR_PERMISSIONS), z.string())
        .describe('Whom to ask, in words: "an admin or an approver"'),
      csrf: z.string(),
      expiresAt: momentAnswer,
      now: momentAnswer.describe('The clock of the server, by which everything expires'),
      isSimulated: z.boolean(),
      version: z.string(),
      recovered: z
        .strictObject({ operator: z.string(), at: momentAnswer })
        .optional()
        .describe('Somebody got in by the terminal without a key, in the past week'),
    }),
    async handle({ caller }) {
      const { name, role, permissions, bots, csrf, expiresAt } = browserOf(caller);
      const recovered = await latestRecovery(deps);
      return {
        json: {
          operator: { name, role, ...(bots === undefined ? {} : { bots: [...bots] }) },
          permissions: [...permissions],
          whoHolds: WHO_HOLDS,
          csrf,
          expiresAt: isoTime(expiresAt),
          now: isoTime(deps.now()),
          isSimulated: deps.isSimulated,
          version: packageFile.version,
          ...(recovered === undefined
            ? {}
            : { recovered: { operator: recovered.operator, at: isoTime(recovered.at) } }),
        },
      };
    },
  });
}
