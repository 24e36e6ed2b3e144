import type { Audit } from '../audit/audit.ts';
import { brokenAt } from '../audit/verdict.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import { standingNotices } from '../notices/standing.ts';
import { createNoticeWebhook } from '../notices/webhook.ts';
import { createHooks } from '../outbound/hooks.ts';
import type { Notices } from '../ports/notices.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';
import { createCipher } from '../store/secrets/cipher.ts';
import type { AppSync } from './app-sync.ts';

/** The notices of this installation: loaded by whoever looks, or has a webhook to tell. */

export interface AppNoticesDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly connections: Pick<Connections, 'status'>;
  readonly sync: () => Promise<Pick<AppSync, 'problems'>>;
  readonly secret: string;
  readonly allowPrivateHooks: boolean;
  readonly isSimulated: boolean;
  readonly publicUrl: () => string;
  readonly newId: () => string;
  readonly now: () => number;
  readonly watch: LeaseWatch;
}

export function createAppNotices(deps: AppNoticesDeps): Notices {
  const { store, now } = deps;
  const reach = deps.allowPrivateHooks ? 'private' : deps.isSimulated ? 'loopback' : 'public';
  const list = async () =>
    standingNotices(
      {
        store,
        now,
        statusOf: (bot) => deps.connections.status(bot),
        problemsOf: async (bot) => (await deps.sync()).problems(bot),
        brokenAt: () => brokenAt(store.values, now()),
      },
      await webhook.webhook(),
    );
  const webhook = createNoticeWebhook({
    ...{
      store,
      now,
      watch: deps.watch,
      newId: deps.newId,
      audit: deps.audit,
      publicUrl: deps.publicUrl,
      standing: list,
    },
    cipher: createCipher(deps.secret, 'notices webhook'),
    hooks: createHooks({ mayReach: async () => reach, ownUrl: deps.publicUrl() }),
  });
  return { ...webhook, list };
}
