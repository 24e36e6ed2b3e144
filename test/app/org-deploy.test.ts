import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { approve } from '../salesforce/org-world.ts';
import { type DeployHouse, describeDeployHouses } from '../support/deploy-house.ts';

const TOKEN = /00D[A-Za-z0-9]{12}!/;

async function found({ app }: DeployHouse, soql: string) {
  return (await (await app.connections.open('desk', { signal: AbortSignal.timeout(10_000) })).query(soql)).records;
}
const sets = (house: DeployHouse) => found(house, "SELECT Id, Name FROM PermissionSet WHERE Name LIKE 'Gatehouse%'");
const look = (house: DeployHouse, id: string) => house.ada.ask('GET', `${house.at}/${id}`);
const yes = (house: DeployHouse, { id, digest }: { id: string; digest: string }, more = {}) =>
  house.ada.ask('POST', `${house.at}/${id}/deploy`, { digest, ...more });

describeDeployHouses((openDeployHouse) => {
  it('a package is tried, shown, deployed after a yes, given to the user, and the sign-in is revoked [B5] [O4]', async () => {
    await using house = await openDeployHouse();
    const { id, digest, back } = await house.begin();
    expect(back).toMatchObject({ status: 303, location: `/bots/desk/org?view=package&deployment=${id}` });
    const shown = await look(house, id);
    expect(shown.json).toMatchObject({ state: 'checked', username: 'admin@sim.example', isSignInOver: false });
    expect(shown.json.check).toMatchObject({ isNew: true, isGood: true, failures: [], loses: [] });
    expect(shown.json.check.gains).toContain('Lead: read, create');
    expect(shown.json.check.parts).toContainEqual(
      expect.objectContaining({ type: 'PermissionSet', change: 'created' }),
    );
    expect(await sets(house)).toEqual([]);

    const done = await yes(house, { id, digest }, { assign: true });
    expect(done.json).toMatchObject({ state: 'deployed', assigned: 'assigned', isSignInOver: true });
    expect(await sets(house)).toHaveLength(1);
    expect(await found(house, 'SELECT Id FROM PermissionSetAssignment')).not.toHaveLength(0);
    expect([await house.asked(), await house.revoked()]).toEqual([2, 1]);
    expect(await house.audit()).toEqual([
      ...[
        'deploy_begun',
        'admin_sign_in_begun',
        'admin_signed_in',
        'deploy_checked',
        'deploy_approved',
        'deployed',
        'sign_in_revoked',
      ],
    ]);
    for (const { text } of [shown, done, await house.ada.ask('GET', '/api/audit?limit=100')])
      expect(text).not.toMatch(TOKEN);
    expect(await yes(house, { id, digest })).toMatchObject({ json: { state: 'deployed' } });
    expect(await house.asked()).toBe(2);
  });

  it('shows what a set of ours would gain and lose when the bot changed [B5]', async () => {
    await using house = await openDeployHouse();
    await yes(house, await house.begin());
    await house.app.store.bots.revoke('desk', 'CREATE_LEAD');
    await house.app.store.bots.grant('desk', 'READ_ACCOUNT');
    const { id } = await house.begin();
    const { check } = (await look(house, id)).json;
    expect(check).toMatchObject({ isNew: false, loses: expect.arrayContaining(['Lead: read, create']) });
    expect(check.gains).toContain('Case: read');
  });

  it('asks Salesforce for the scope of the API alone, and who they are, and keeps nothing in the vault of the bot [O4] [O8]', async () => {
    await using house = await openDeployHouse();
    const { json } = await house.ada.ask('POST', house.at, {});
    const { json: way } = await house.ada.ask('POST', `${house.at}/${json.id}/sign-in`);
    const asked = new URL(way.url).searchParams;
    expect([asked.get('scope'), asked.get('prompt')]).toEqual(['api', 'login']);
    await house.ada.ask('GET', `/oauth/callback?${await approve(way.url)}`);
    const files = (await readdir(house.folder)).filter((name) => name.endsWith('.db') || name.includes('.db-'));
    for (const name of files)
      expect((await readFile(path.join(house.folder, name))).toString('latin1')).not.toMatch(TOKEN);
  });

  it('takes no sign-in to another org, and revokes it [B5] [O8]', async () => {
    await using house = await openDeployHouse();
    await house.control('POST', 'faults', {
      ...{ type: 'token', times: 1 },
      ...{
        status: 200,
        body: {
          access_token: '00Dabcdefghijkl!AQ',
          instance_url: house.org.url,
          id: `${house.org.url}/id/00D000000000001EAA/005000000000001AAA`,
        },
      },
    });
    const { id, back } = await house.begin();
    expect(back).toMatchObject({ status: 409 });
    expect(back.text).toContain('another org');
    expect((await look(house, id)).json).toMatchObject({ state: 'failed', isSignInOver: true });
    const calls = (await house.control('GET', 'calls')).oauth as { path: string }[];
    expect(calls.some(({ path: to }) => to.endsWith('/oauth2/revoke'))).toBe(true);
    expect(await house.asked()).toBe(0);
  });

  it('says clearly that a user who is no administrator may not deploy [B5]', async () => {
    await using house = await openDeployHouse();
    const { id } = await house.begin(house.ada, 'limited@sim.example');
    const { json } = await look(house, id);
    expect(json).toMatchObject({ state: 'failed', isSignInOver: true, username: 'limited@sim.example' });
    expect(json.problem.message).toContain('limited@sim.example may not');
    expect(json.problem.next).toContain('Modify Metadata');
    expect(await sets(house)).toEqual([]);
  });

  it('belongs to one operator, one browser and one zip [B5] [O8]', async () => {
    await using house = await openDeployHouse();
    const bob = await house.person('bob');
    const mine = await house.begin();
    for (const [method, step, body] of [
      ['POST', '/check', undefined],
      ['POST', '/deploy', { digest: mine.digest }],
      ['DELETE', '', undefined],
    ] as const)
      expect(await bob.ask(method, `${house.at}/${mine.id}${step}`, body)).toMatchObject({ status: 403 });
    expect(await yes(house, { id: mine.id, digest: 'x'.repeat(64) })).toMatchObject({ status: 409 });
    expect((await look(house, mine.id)).json.state).toBe('checked');

    const { json } = await house.ada.ask('POST', house.at, {});
    const { json: way } = await house.ada.ask('POST', `${house.at}/${json.id}/sign-in`);
    const back = await approve(way.url);
    expect(await bob.ask('GET', `/oauth/callback?${back}`)).toMatchObject({ status: 403 });
    // The same person in another browser is another browser.
    const { json: anew } = await house.ada.ask('POST', `${house.at}/${json.id}/sign-in`);
    const { cookie, session } = await house.app.access.redeem((await house.app.access.signInToken('ada')).token);
    const there = await fetch(`${house.door.url}/oauth/callback?${await approve(anew.url)}`, {
      headers: { cookie: `gatehouse=${cookie}`, 'x-csrf-token': session.csrf, accept: 'application/json' },
      redirect: 'manual',
    });
    expect(there.status).toBe(403);
    // Good once, whoever brought it.
    expect((await house.ada.ask('GET', `/oauth/callback?${back}`)).status).toBe(400);
    expect((await look(house, json.id)).json.state).toBe('waiting');
  });

  it('is another package once the bot needs something else: that yes deploys nothing [B5]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.app.store.bots.grant('desk', 'READ_ACCOUNT');
    expect(await yes(house, begun)).toMatchObject({ status: 409 });
    expect((await look(house, begun.id)).json).toMatchObject({ state: 'failed', isSignInOver: true });
    expect([await house.asked(), await house.revoked()]).toEqual([1, 1]);
  });

  it('is over after half an hour: revoked by whoever looks next, in another process too [B5] [O4]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    house.clock.ahead = 31 * 60_000;
    await (await (await house.again()).orgDeploy()).tidy();
    expect(await house.revoked()).toBe(1);
    // The key of the browser is as old.
    expect(await (await house.app.orgDeploy()).look(begun.id)).toMatchObject({ state: 'expired', isSignInOver: true });
    const by = { principal: 'operator:ada', channel: 'rest' } as const;
    await (await house.app.orgDeploy()).deploy(begun.id, by, { digest: begun.digest, assign: false });
    expect(await house.asked()).toBe(1);
  });

  it('stops at a permission set of its name that somebody else made [B5]', async () => {
    await using house = await openDeployHouse();
    const { json } = await house.ada.ask('GET', '/api/bots/desk/org/package');
    await yes(house, await house.begin());
    const [set] = await sets(house);
    await house.control('POST', 'records/PermissionSet', { Id: set?.Id, Description: 'By hand' });
    const { id } = await house.begin();
    const shown = (await look(house, id)).json;
    expect(shown).toMatchObject({ state: 'failed', isSignInOver: true });
    expect(shown.problem.message).toContain(json.permissionSet);
    expect(await house.asked()).toBe(2);
  });

  it.each([
    ['the answer was lost after it was done', 'drop', 'after', 'deployed', 2],
    ['a 500 came in its place', 'status', 'after', 'deployed', 2],
  ] as const)('is never deployed twice: %s [B5] [R3]', async (_, type, when, state, times) => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.control('POST', 'faults', {
      ...{ type, when, times: 1, match: { method: 'POST', path: '/metadata/deployRequest' } },
      ...(type === 'status' ? { status: 500 } : {}),
    });
    const answer = await yes(house, begun);
    expect(answer.json.state).toBe(state);
    expect(await house.asked()).toBe(times);
    expect(await sets(house)).toHaveLength(1);
  });

  it('that never arrived stays unknown, is not sent again, and ends with the half hour [B5] [R3]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.control('POST', 'faults', {
      ...{ type: 'drop', when: 'before', times: 1 },
      match: { method: 'POST', path: '/metadata/deployRequest' },
    });
    expect((await yes(house, begun)).json.state).toBe('deploying');
    expect((await yes(house, begun)).json.state).toBe('deploying');
    expect(await house.ada.ask('POST', house.at, {})).toMatchObject({ status: 409 });
    expect(await house.ada.ask('DELETE', `${house.at}/${begun.id}`)).toMatchObject({ status: 409 });
    house.clock.ahead = 31 * 60_000;
    await (await house.app.orgDeploy()).tidy();
    const shown = await (await house.app.orgDeploy()).look(begun.id);
    expect(shown).toMatchObject({ state: 'unknown', isSignInOver: true });
    expect(shown.problem?.next).toContain('Deployment Status');
    expect(await sets(house)).toEqual([]);
    expect(await house.asked()).toBe(2);
  });

  it.each(['deploy.approved', 'deploy.sent'])(
    'a process that dies at %s leaves it to the next one, which sends nothing [B5] [X1]',
    async (at) => {
      await using house = await openDeployHouse();
      const begun = await house.begin();
      const dying = await house.again({
        crash: (point) => {
          if (point === at) throw new Error('died');
        },
      });
      const by = { principal: 'operator:ada', channel: 'rest' } as const;
      await expect(
        (await dying.orgDeploy()).deploy(begun.id, by, { digest: begun.digest, assign: false }),
      ).rejects.toThrow('died');
      const { state } = (await look(house, begun.id)).json;
      expect(state).toBe(at === 'deploy.sent' ? 'deployed' : 'deploying');
      expect(await house.asked()).toBe(at === 'deploy.sent' ? 2 : 1);
    },
  );

  it('that takes its time is asked about by id, after a restart too, and ended when it is done [B5]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.control('POST', 'settings', { deployMs: 60_000 });
    expect((await yes(house, begun)).json).toMatchObject({ state: 'deploying', deployId: expect.any(String) });
    await (await (await house.again()).orgDeploy()).tidy();
    expect(await house.revoked()).toBe(0);
    await house.control('POST', 'clock', { advanceMs: 61_000 });
    await (await (await house.again()).orgDeploy()).tidy();
    expect((await look(house, begun.id)).json).toMatchObject({ state: 'deployed', isSignInOver: true });
    expect(await house.asked()).toBe(2);
  });

  it.each([
    ['Failed', 'Nothing was changed'],
    ['SucceededPartial', 'part of it is in the org'],
    ['Canceled', 'Nothing was changed'],
  ])('that Salesforce ends as %s says so [B5]', async (status, words) => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.control('POST', 'settings', { deployMs: 60_000 });
    await yes(house, begun);
    const componentFailures = [{ componentType: 'PermissionSet', fullName: 'X', problem: 'No <b>way</b>\u202e' }];
    await house.control('POST', 'faults', {
      ...{ type: 'status', status: 200, match: { method: 'GET', path: '/metadata/deployRequest/' } },
      body: {
        deployResult: { id: 'x', status, createdDate: '2026-05-01T00:00:00.000Z', details: { componentFailures } },
      },
    });
    const { json } = await look(house, begun.id);
    expect(json).toMatchObject({ state: 'failed', isSignInOver: true, result: { status, isGood: false } });
    expect(json.result.failures).toEqual([{ type: 'PermissionSet', name: 'X', problem: 'No <b>way</b>' }]);
    expect(json.problem.next).toContain(words);
  });

  it('ends with the connection of the bot, and its sign-in with it [B5] [O6]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    await house.ada.ask('DELETE', '/api/bots/desk/integration');
    expect(await (await house.app.orgDeploy()).look(begun.id)).toMatchObject({
      state: 'cancelled',
      isSignInOver: true,
    });
    expect(await house.revoked()).toBe(2);
  });

  it('keeps a sign-in that Salesforce did not revoke sealed, and revokes it later; after the half hour it says that it did not [B5] [O4]', async () => {
    await using house = await openDeployHouse();
    const begun = await house.begin();
    const away = { type: 'status', status: 503, match: { path: '/oauth2/revoke' } };
    await house.control('POST', 'faults', away);
    expect((await house.ada.ask('DELETE', `${house.at}/${begun.id}`)).json).toMatchObject({
      ...{ state: 'cancelled', isSignInOver: false },
    });
    await house.control('POST', 'faults', { clear: true });
    await (await house.app.orgDeploy()).tidy();
    expect(await house.revoked()).toBe(1);
    expect(await house.audit()).toContain('deploy_cancelled');
    const other = await house.begin();
    await house.control('POST', 'faults', away);
    house.clock.ahead = 31 * 60_000;
    await (await house.app.orgDeploy()).tidy();
    expect(await (await house.app.orgDeploy()).look(other.id)).toMatchObject({ isSignInOver: true });
    expect(await house.audit()).toContain('sign_in_not_revoked');
  });

  it('is nobody’s but an administrator’s of Gatehouse, and no key of a bot reaches it [B5] [C4]', async () => {
    await using house = await openDeployHouse();
    for (const [key, status] of [
      [await house.app.access.createOperator('vi', 'viewer'), 403],
      [await house.app.access.createOperator('ap', 'approver'), 403],
      [await house.app.access.issueKey('agent', 'desk'), 403],
      [await house.app.access.issueKey('host', 'desk'), 403],
    ] as const) {
      const answer = await fetch(`${house.door.url}${house.at}`, {
        ...{ method: 'POST', body: '{}' },
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
      expect([401, status]).toContain(answer.status);
    }
    expect(await house.asked()).toBe(0);
  });
});
