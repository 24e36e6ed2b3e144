import { codeOf, type Fact, judged, notAsked } from '../fact.ts';
import type { Answer, LiveOrg } from '../org.ts';

const HANDSHAKE = {
  ...{ channel: '/meta/handshake', version: '1.0', minimumVersion: '1.0' },
  ...{ supportedConnectionTypes: ['long-polling'], ext: { replay: true } },
};

interface Said {
  readonly channel?: string;
  readonly clientId?: string;
  readonly successful?: boolean;
  readonly error?: string;
  readonly advice?: { readonly interval?: number };
}

/** One client of CometD: its cookies go back byte for byte. */
function clientOf(org: LiveOrg, authorization = `Bearer ${org.token}`) {
  const cookies = new Map<string, string>();
  let count = 0;
  const path = `/cometd/${org.settings.version.replace('v', '')}`;
  async function say(message: object): Promise<{ readonly answer: Answer; readonly said: Said | undefined }> {
    count += 1;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await org.open('POST', path, {
      json: [{ id: String(count), ...message }],
      headers: { authorization, ...(cookie === '' ? {} : { cookie }) },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const { channel } = message as Said;
    const list: readonly Said[] = Array.isArray(answer.json) ? answer.json : [];
    return { answer, said: list.find((one) => one.channel === channel) };
  }
  return { say };
}

const isIn = (said: Said | undefined): said is Said & { clientId: string } =>
  said?.successful === true && said.clientId !== undefined;

const scheme = (word: 'Bearer' | 'OAuth') => async (org: LiveOrg) => {
  const client = clientOf(org, `${word} ${org.token}`);
  const { answer, said } = await client.say(HANDSHAKE);
  if (isIn(said)) await client.say({ channel: '/meta/disconnect', clientId: said.clientId });
  return judged(isIn(said), isIn(said) ? 'taken' : (said?.error ?? codeOf(answer)));
};

export const events: readonly Fact[] = [
  {
    id: 'cometd-bearer',
    assumed: 'CometD takes `Authorization: Bearer`.',
    source: 'events §3, §19: one report says it was refused',
    reliesOn: ['src/salesforce/events/event-stream.ts'],
    how: 'shakes hands with it',
    ask: scheme('Bearer'),
  },
  {
    id: 'cometd-oauth',
    assumed: 'CometD takes `Authorization: OAuth`, to which we fall back.',
    source: 'events §3, §19',
    reliesOn: ['src/salesforce/events/event-stream.ts'],
    how: 'shakes hands with it',
    ask: scheme('OAuth'),
  },
  {
    id: 'cometd-is-free',
    assumed: 'Requests of CometD use up no API calls.',
    source: 'events §3 [G]',
    reliesOn: ['src/salesforce/request.ts', 'docs/events.md'],
    how: 'counts 20 handshakes by DailyApiRequests; asked in an org that nobody else uses',
    async ask(org) {
      const left = async () => Number((await org.api('GET', '/limits')).json?.DailyApiRequests?.Remaining);
      // The figure may stand still for a moment.
      await left();
      const before = await left();
      for (let at = 0; at < 20; at++) {
        const client = clientOf(org);
        const { said } = await client.say(HANDSHAKE);
        if (!isIn(said)) return notAsked(`no handshake: ${said?.error ?? 'no answer'}`);
        await client.say({ channel: '/meta/disconnect', clientId: said.clientId });
      }
      const used = before - (await left());
      if (!Number.isFinite(used)) return notAsked('the org does not say DailyApiRequests');
      return judged(used < 10, `40 requests, ${used} calls used`);
    },
  },
  {
    id: 'cometd-interval',
    assumed: 'Between connects the advised interval is at most 60 s; we obey it.',
    source: 'docs/simulated-org.md: assumed to be 0',
    reliesOn: ['src/salesforce/events/bayeux.ts'],
    how: 'subscribes to nothing that happens, connects once, and reads the advice',
    async ask(org) {
      const client = clientOf(org);
      const { said: hello } = await client.say(HANDSHAKE);
      if (!isIn(hello)) return notAsked(`no handshake: ${hello?.error ?? 'no answer'}`);
      const { clientId } = hello;
      const { said } = await client.say({ channel: '/meta/connect', clientId, connectionType: 'long-polling' });
      await client.say({ channel: '/meta/disconnect', clientId });
      const interval = said?.advice?.interval ?? 0;
      return judged(
        said?.successful === true && interval >= 0 && interval <= 60_000,
        `successful: ${said?.successful}, interval ${interval}`,
      );
    },
  },
  {
    id: 'handshake-after-renewal',
    assumed: 'After a token was renewed a new handshake is taken at once, beside the old client.',
    source: 'events §19: whether a handshake inherits the right is not known',
    reliesOn: ['src/salesforce/events/event-stream.ts'],
    how: 'shakes hands, signs in again, revokes nothing, shakes hands with the new token',
    async ask(org) {
      const { openLiveOrg } = await import('../org.ts');
      const first = clientOf(org);
      const { said: old } = await first.say(HANDSHAKE);
      if (!isIn(old)) return notAsked(`no handshake: ${old?.error ?? 'no answer'}`);
      const again = await openLiveOrg(org.settings, org.run);
      const second = clientOf(again);
      const { said } = await second.say(HANDSHAKE);
      await first.say({ channel: '/meta/disconnect', clientId: old.clientId });
      if (isIn(said)) await second.say({ channel: '/meta/disconnect', clientId: said.clientId });
      const told = isIn(said)
        ? said.clientId === old.clientId
          ? 'the same client'
          : 'a new client'
        : (said?.error ?? 'no');
      return judged(told === 'a new client', told);
    },
  },
  {
    id: 'gap-without-change',
    assumed: 'A gap whose records kept their SystemModstamp is found by the nightly look alone.',
    source: 'events §7 [G]',
    reliesOn: ['docs/events.md'],
    how: 'Salesforce makes such gaps from jobs in its own database: nobody outside can cause one',
  },
  {
    id: 'flow-callout-once',
    assumed: 'A Flow does not repeat a failed callout on its asynchronous path.',
    source: 'events §9, §19 [G]',
    reliesOn: ['src/sync/inbound', 'docs/events.md'],
    how: 'needs a Flow, a named credential and an address that Salesforce reaches: by hand, docs/events.md',
  },
  {
    id: 'flow-token-formula',
    assumed: "The header of an external credential takes {!'Bearer ' & $Credential.NAME.Token}.",
    source: 'events §9 [G]',
    reliesOn: ['docs/events.md'],
    how: 'is clicked in Setup: by hand, docs/events.md',
  },
  {
    id: 'flow-runs-as',
    assumed: 'Whoever the Flow runs as needs the principal access of the external credential.',
    source: 'events §9, §19 [G]',
    reliesOn: ['docs/events.md'],
    how: 'is clicked in Setup, with two users: by hand, docs/events.md',
  },
  {
    id: 'outbound-nulls',
    assumed: 'Outbound messages leave out fields that are null.',
    source: 'wire §10 [K]',
    reliesOn: ['src/sync/inbound'],
    how: 'needs a workflow rule and an address that Salesforce reaches; we never read values from them',
  },
  {
    id: 'inactive-and-limited',
    assumed:
      'Users and orgs that are off, and too many sign-ins, are `inactive_user`, `inactive_org`, `rate_limit_exceeded`.',
    source: 'wire §1 [K]',
    reliesOn: ['src/salesforce/auth/sign-in-failures.ts'],
    how: 'would switch off the user or the org that is being asked, or shut it out for an hour',
  },
];
