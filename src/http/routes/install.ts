import { stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import packageFile from '../../../package.json' with { type: 'json' };
import { momentAnswer } from '../../domain/answers.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HttpDeps } from '../deps.ts';
import { isoTime } from '../iso-time.ts';

/** What this installation is made of: kinds and ages, never addresses of databases, folders or secrets. */
export function installRoute(deps: HttpDeps) {
  const { config } = deps;
  return defineRoute({
    method: 'GET',
    path: '/api/install',
    summary: 'This installation: version, kind of store, age of the secret, the model that answers in the chat',
    who: ['operator'],
    permission: 'READ_INTEGRATIONS',
    isNarrowed: true,
    answer: z.strictObject({
      version: z.string(),
      isSimulated: z.boolean(),
      url: z.string().describe('Where this was asked'),
      store: z.enum(['sqlite', 'postgresql']),
      tokens: z.enum(['sqlite', 'postgresql', 'redis']).describe('Where Salesforce tokens are kept, encrypted'),
      secret: z.strictObject({
        from: z.enum(['environment', 'file']),
        since: momentAnswer.optional().describe('When its file was last written; unknown for one from the environment'),
      }),
      model: z.strictObject({ name: z.string(), isDemo: z.boolean() }),
    }),
    async handle({ baseUrl }) {
      const { model, isDemo } = (await deps.openChat()).about;
      const isGiven = config.secret !== undefined;
      const since = isGiven ? undefined : await writtenAt(path.join(config.dataDir, 'secret'));
      const store = config.databaseUrl === undefined ? 'sqlite' : 'postgresql';
      return {
        json: {
          version: packageFile.version,
          isSimulated: deps.isSimulated,
          url: baseUrl,
          store,
          tokens: store === 'sqlite' && config.redisUrl !== undefined ? 'redis' : store,
          secret: {
            from: isGiven ? 'environment' : 'file',
            ...(since === undefined ? {} : { since: isoTime(since) }),
          },
          model: { name: model, isDemo },
        },
      };
    },
  });
}

async function writtenAt(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}
