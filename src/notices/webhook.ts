import { randomBytes } from 'node:crypto';
import type { Audit } from '../audit/audit.ts';
import { backoffMs } from '../domain/backoff.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { holdsFor, type LeaseWatch } from '../domain/lease-watch.ts';
import type { Hooks } from '../outbound/hooks.ts';
import { sendMessage, wrongAddress } from '../outbound/message.ts';
import type { Cipher } from '../ports/cipher.ts';
import type { Notices, NoticeWebhook, StandingNotice } from '../ports/notices.ts';
import type { Store } from '../ports/store.ts';
import { bodyOf, dataOf, dueMessages, type Message, TEST_TEXT, type Told } from './messages.ts';

/**
 * The one address that notices go to. It holds a secret, so it lies encrypted and is shown as host and last four characters.
 * A message is sent again, with the same `webhook-id`, until it was taken; after a day of failures the webhook is off.
 */

export interface WebhookDeps {
  readonly store: Pick<Store, 'values' | 'atomically'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly cipher: Cipher;
  readonly hooks: Hooks;
  readonly standing: () => Promise<readonly StandingNotice[]>;
  readonly publicUrl: () => string;
  readonly newId: () => string;
  readonly now: () => number;
  readonly watch: LeaseWatch;
}

interface Kept extends NoticeWebhook {
  /** Another setting of it: what was under way for this one changes nothing any more. */
  readonly id: string;
  /** Address and signing secret, encrypted. */
  readonly address: string;
  readonly secret: string;
  readonly told: Told;
  readonly attempts: number;
  readonly nextAt: number;
}

const [KIND, KEY] = ['notice_webhook', 'webhook'];
const TURN = 'notice_turn';
const TURN_MS = 60_000;
/** Failing for so long it is switched off: nobody reads there. */
export const OFF_AFTER_MS = 24 * 3_600_000;
/** With an hour between them at most. */
const OFF_AFTER_TRIES = 24;
const UNREADABLE = 'Its address cannot be read with the secret of this installation: set it again.';

export function createNoticeWebhook(deps: WebhookDeps): Omit<Notices, 'list'> {
  const { store, hooks, cipher, now } = deps;

  const kept = async (values = store.values): Promise<Kept | undefined> => {
    const text = await values.get(KIND, KEY, now());
    return text === undefined ? undefined : JSON.parse(text); // ours
  };
  const keep = (webhook: Kept, values = store.values) => values.set(KIND, KEY, JSON.stringify(webhook), null);

  /** What a delivery learned, unless somebody set the webhook anew meanwhile. */
  const note = (id: string, patch: Partial<Kept>) =>
    store.atomically(async ({ values }) => {
      const present = await kept(values);
      if (present?.id === id) await keep({ ...present, ...patch }, values);
    });

  const record = (by: { principal: string; channel: string }, event: string, detail: object) =>
    deps.audit.record({ ...by, action: 'notices webhook', event, detail: { ...detail } });

  const send = async (webhook: Kept, id: string, message: Omit<Parameters<typeof bodyOf>[1], 'at'>) => {
    let address: { url: string; secret: string };
    try {
      address = { url: cipher.decrypt(webhook.address), secret: cipher.decrypt(webhook.secret) };
    } catch {
      return UNREADABLE;
    }
    return sendMessage(hooks, '', { ...address, id, body: bodyOf(webhook.shape, { ...message, at: now() }) }, now());
  };

  const sendNotice = (webhook: Kept, message: Message) => {
    const base = deps.publicUrl();
    const { kind, what, text, marks, notices } = message;
    const [only, ...others] = notices;
    const path = only === undefined ? '/' : others.length === 0 ? only.cure.path : '/';
    const before = webhook.told[kind]?.at ?? 0;
    return send(webhook, `notice_${digestOf([webhook.id, kind, before, marks]).slice(0, 32)}`, {
      ...{ type: `notice.${what}`, text, link: `${base}${path}` },
      data: dataOf(message, base),
    });
  };

  const failed = ({ id, attempts, failingSince }: Kept, problem: string) => {
    const failedFor = failingSince === null ? 0 : now() - failingSince;
    // A clock that jumped makes a day of a minute, or a year of it: as many tries as a day has must have failed, too.
    const isOver = problem === 'gone' || (attempts >= OFF_AFTER_TRIES && (failedFor >= OFF_AFTER_MS || failedFor < 0));
    return note(id, {
      attempts: attempts + 1,
      nextAt: now() + backoffMs(attempts + 1),
      failingSince: failingSince ?? now(),
      problem: problem === 'gone' ? 'The receiver answered 410: it wants no more.' : problem,
      ...(isOver ? { state: 'off' as const } : {}),
    });
  };

  return {
    async webhook() {
      const present = await kept();
      return present && shown(present);
    },

    async setWebhook({ url, shape, kinds }, by) {
      const present = await kept();
      if (url === undefined && present === undefined)
        throw new GatehouseError('invalid_input', 'There is no address yet.', {
          next: 'Give the address that notices go to.',
          fields: [{ name: 'url', problem: 'missing' }],
        });
      const given = url === undefined ? undefined : await checked(hooks, url);
      const secret = given === undefined ? undefined : `whsec_${randomBytes(32).toString('base64')}`;
      const begun = { state: 'on', attempts: 0, nextAt: 0, failingSince: null, problem: null } as const;
      const set = { shape, kinds, setBy: by.principal, setAt: now() };
      const address =
        given === undefined || secret === undefined
          ? undefined
          : {
              address: cipher.encrypt(given.href),
              secret: cipher.encrypt(secret),
              host: given.host,
              lastFour: given.href.slice(-4),
              told: {},
              lastSentAt: null,
            };
      // Without an address of its own there is one, as was seen above.
      await keep({ ...present, ...address, ...begun, ...set, id: deps.newId() } as Kept);
      await record(by, 'notices_webhook_set', { host: address?.host ?? present?.host, shape, kinds });
      return secret === undefined ? {} : { secret };
    },

    async removeWebhook(by) {
      const present = await kept();
      await store.values.remove(KIND, KEY);
      if (present !== undefined) await record(by, 'notices_webhook_removed', { host: present.host });
      return present !== undefined;
    },

    async test() {
      const present = await kept();
      if (present === undefined)
        throw new GatehouseError('not_found', 'No webhook of notices is set.', { next: 'Set its address first.' });
      const problem = await send(present, `notice_test_${deps.newId()}`, {
        ...{ type: 'notice.test', text: TEST_TEXT, link: `${deps.publicUrl()}/settings/notices`, data: {} },
      });
      return problem === 'gone' ? 'The receiver answered 410: it wants no more.' : problem;
    },

    async tell() {
      const first = await kept();
      if (first === undefined || first.state === 'off') return 0;
      const pause = { until: first.nextAt, now: now(), longestMs: backoffMs(Math.max(1, first.attempts)) };
      if (holdsFor(deps.watch, 'back-off of notices', pause) > 0) return 0;
      const mine = deps.newId();
      const holder = await store.values.setIfAbsent(TURN, KEY, mine, now() + TURN_MS, now());
      if (holder !== mine) {
        // Who died with it may have had another clock. Sent twice, a message has one id.
        if (deps.watch.hasStood('turn of notices', holder, TURN_MS)) await store.values.remove(TURN, KEY);
        return 0;
      }
      let sent = 0;
      try {
        // Of our own webhook nothing is told: what could hear it is what fails.
        const standing = (await deps.standing()).filter(({ id }) => id !== 'webhook_failing:');
        for (const message of dueMessages(first.told, standing, first.kinds, now())) {
          const webhook = await kept();
          if (webhook?.id !== first.id) break;
          const problem = await sendNotice(webhook, message);
          if (problem !== undefined) {
            await failed(webhook, problem);
            break;
          }
          sent += 1;
          await note(webhook.id, {
            told: { ...webhook.told, [message.kind]: { at: now(), marks: message.marks } },
            ...{ attempts: 0, nextAt: 0, failingSince: null, problem: null, lastSentAt: now() },
          });
        }
      } finally {
        await store.values.remove(TURN, KEY);
      }
      return sent;
    },
  };
}

const shown = ({ id: _, address: _a, secret: _s, told: _t, attempts: _n, nextAt: _at, ...rest }: Kept): NoticeWebhook =>
  rest;

async function checked(hooks: Hooks, text: string): Promise<URL> {
  const refused = (problem: string, next: string) =>
    new GatehouseError('invalid_input', `Notices do not go there. ${problem}`, {
      next,
      fields: [{ name: 'url', problem }],
    });
  if (!URL.canParse(text)) throw refused('It is no web address.', 'Copy it from where the incoming webhook was made.');
  const url = new URL(text);
  const wrong = wrongAddress(url);
  if (wrong !== undefined) throw refused(wrong.problem, wrong.next);
  const problem = await hooks.refuse('', url);
  if (problem !== undefined)
    throw refused(
      problem,
      'Name a public address; or have who runs Gatehouse set GATEHOUSE_ALLOW_PRIVATE_HOOKS=1, if it is meant to reach its own network.',
    );
  return url;
}
