import { describe, expect, it } from 'vitest';
import { openDoor } from '../support/door.ts';

describe('signing in', () => {
  it('redeems a link by POST, once, and sets a cookie that scripts and other sites cannot use [C3]', async () => {
    await using door = await openDoor();
    const token = await door.signInToken();
    for (const path of ['/sign-in', `/sign-in?token=${token}`]) {
      const looked = await door.ask('GET', path);
      expect(looked.status).toBe(200);
      expect(looked.headers.get('set-cookie')).toBeNull();
    }
    const signedIn = await door.ask('POST', '/sign-in', { form: { token, next: '/approvals' } });
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/approvals']);
    const cookie = signedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^gatehouse=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    const home = await door.ask('GET', '/', { headers: { cookie: cookie.split(';')[0] ?? '' } });
    expect([home.status, home.text]).toEqual([200, expect.stringContaining('<div id="root">')]);
    const again = await door.ask('POST', '/sign-in', { form: { token } });
    expect(again.status).toBe(401);
    expect(again.text).toContain('used already, or is older than ten minutes');
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it('takes the whole link where people paste it, and JSON from programs', async () => {
    await using door = await openDoor();
    const link = `${door.url}/sign-in#${await door.signInToken()}`;
    expect((await door.ask('POST', '/sign-in', { form: { token: `  ${link} ` } })).status).toBe(303);
    const json = { token: await door.signInToken('viewer') };
    expect((await door.ask('POST', '/sign-in', { json })).json).toMatchObject({
      operator: { role: 'viewer' },
      csrf: expect.any(String),
    });
    expect(await door.ask('POST', '/sign-in', { json })).toMatchObject({
      status: 401,
      json: { error: { code: 'unauthenticated' } },
    });
  });

  it('refuses a link after ten minutes and an unknown one [C3]', async () => {
    await using door = await openDoor();
    const token = await door.signInToken();
    door.world.clock.advance(10 * 60_000 + 1);
    expect((await door.ask('POST', '/sign-in', { form: { token } })).status).toBe(401);
    for (const odd of ['', ' ', 'x'.repeat(10_000), '../../etc', '\u202e'])
      expect((await door.ask('POST', '/sign-in', { form: { token: odd } })).status).toBe(401);
  });

  it('leads nowhere but to a path of ours afterwards', async () => {
    await using door = await openDoor();
    for (const next of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/%0d%0aSet-Cookie:a=b?x',
      '/sign-in',
    ]) {
      const shown = await door.ask('GET', `/sign-in?next=${encodeURIComponent(next)}`);
      expect(shown.text).toContain('name="next" value="/"');
      const signedIn = await door.ask('POST', '/sign-in', { form: { token: await door.signInToken(), next } });
      expect([next, signedIn.headers.get('location')]).toEqual([next, '/']);
    }
  });

  it('slows down guessing from one address [C3]', async () => {
    await using door = await openDoor();
    const tries = [];
    for (let n = 0; n < 11; n += 1) tries.push(await door.ask('POST', '/sign-in', { json: { token: `guess-${n}` } }));
    expect(tries.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
    door.world.clock.advance(60_000);
    expect((await door.ask('POST', '/sign-in', { json: { token: 'guess' } })).status).toBe(401);
  });

  it('lets the right link in while a stranger on the same address guesses, so that nobody is shut out', async () => {
    await using door = await openDoor();
    for (let n = 0; n < 30; n += 1) await door.ask('POST', '/sign-in', { json: { token: `guess-${n}` } });
    const signedIn = await door.ask('POST', '/sign-in', { form: { token: await door.signInToken() } });
    expect(signedIn.status).toBe(303);
    const refused = await door.ask('POST', '/sign-in', { form: { token: 'guess' } });
    expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('Too many tries')]);
  });

  it('reads no more of a body than a link and a path need', async () => {
    await using door = await openDoor();
    expect((await door.ask('POST', '/sign-in', { form: { token: 'x'.repeat(20_000) } })).status).toBe(413);
  });

  it('ends a session on sign-out and after its time, and sends pages to the sign-in', async () => {
    await using door = await openDoor();
    const [left, stays] = [await door.signIn(), await door.signIn()];
    const open = (as: typeof left) => door.ask('GET', '/approvals', { as, headers: { accept: 'text/html' } });
    const forged = await door.ask('POST', '/sign-out', { as: left, form: { csrf: stays.csrf } });
    expect(forged.status).toBe(403);
    expect((await open(left)).status).toBe(200);
    const out = await door.ask('POST', '/sign-out', { as: left, form: { csrf: left.csrf } });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([303, expect.stringContaining('Max-Age=0')]);
    expect((await open(left)).headers.get('location')).toBe('/sign-in?next=%2Fapprovals');
    expect((await door.ask('GET', '/api/proposals', { as: left })).status).toBe(401);
    door.world.clock.advance(12 * 3_600_000 + 1);
    expect((await open(stays)).status).toBe(303);
    expect((await door.ask('GET', '/api/proposals', { as: stays })).status).toBe(401);
  });

  it('binds the cookie to this host and to https where the address is https', async () => {
    const env = { GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1', GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' };
    await using door = await openDoor({ env });
    const headers = { 'x-forwarded-host': 'gate.example' };
    const signedIn = await door.ask('POST', '/sign-in', { headers, form: { token: await door.signInToken() } });
    const cookie = signedIn.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^__Host-gatehouse=/);
    expect(cookie).toContain('; Secure');
    expect(signedIn.headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it('sends people to the sign-in without the OAuth code of their return, and tells programs 401 [O8] [E]', async () => {
    await using door = await openDoor();
    const path = '/oauth/callback?code=secret-code&state=s';
    const back = await door.ask('GET', path, { headers: { accept: 'text/html' } });
    expect([back.status, back.headers.get('location')]).toEqual([303, '/sign-in']);
    expect(await door.ask('GET', path)).toMatchObject({ status: 401, json: { error: { code: 'unauthenticated' } } });
    const late = await door.ask('POST', '/approvals/some', { form: {}, headers: { accept: 'text/html' } });
    expect(late.status).toBe(401);
    expect(late.text).toContain('href="/sign-in"');
  });
});
