/** The org as a colleague sees it in the browser. */
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('pages of the simulated org', () => {
  const org = sharedOrg();

  const get = async (path: string) => {
    const response = await fetch(org.url + path);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(org.url + path, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form), headers });
  const rosa = async () =>
    (await org.query(`SELECT Id, Phone, Title, Email FROM Contact WHERE LastName = 'Gonzalez'`)).body.records[0];

  it('lists objects, then records, then shows one with what it belongs to [U9]', async () => {
    expect((await get('/')).text).toMatch(/<a href="\/o\/Contact">Contacts<\/a><\/td><td class="number">12</);
    const { Id } = await rosa();
    expect((await get('/o/Contact')).text).toContain(`<a href="/${Id}">Rosa Gonzalez</a>`);
    for (const link of [Id, Id.slice(0, 15)]) {
      const { status, text, headers } = await get(`/${link}`);
      expect(status).toBe(200);
      expect(text).toMatch(/<h1>Rosa Gonzalez<\/h1>/);
      expect(text).toMatch(/<a href="\/001\w{15}">Acme Industries<\/a>/);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
    for (const gone of ['/0035i0000zzzzzz', '/o/Nothing']) expect((await get(gone)).status).toBe(404);
  });

  it('saves what the person changed and nothing else, and says what the org refuses [U9]', async () => {
    const { Id, Phone, Title } = await rosa();
    // A sync wrote the title after the form was opened.
    await org.api('PATCH', `/sobjects/Contact/${Id}`, { Title: 'Director' });
    const form = { 'was.Phone': Phone, Phone: '+31 1', 'was.Title': Title, Title, 'was.DoNotCall': 'false' };
    const saved = await post(`/${Id}`, { ...form, DoNotCall: 'true' });
    expect([saved.status, saved.headers.get('location')]).toEqual([303, `/${Id}?saved`]);
    const after = (await org.api('GET', `/sobjects/Contact/${Id}`)).body;
    expect(after).toMatchObject({ Phone: '+31 1', Title: 'Director', DoNotCall: true });
    const refused = await post(`/${Id}`, { 'was.Email': 'a@b.example', Email: 'no <address>' });
    expect(refused.status).toBe(422);
    const page = await refused.text();
    expect(page).toContain('invalid email address: no &lt;address&gt;');
    expect(page).toContain('value="no &lt;address&gt;"');
    const made = await post('/o/Lead/new', { 'was.LastName': '', LastName: 'N', 'was.Company': '', Company: 'C' });
    const lead = made.headers.get('location')?.slice(1, 19) ?? '';
    expect((await org.api('GET', `/sobjects/Lead/${lead}`)).body).toMatchObject({ Name: 'N', Company: 'C' });
    expect((await post(`/${lead}`, { delete: '1' })).headers.get('location')).toBe('/o/Lead');
    expect((await get(`/${lead}`)).status).toBe(404);
  });

  it('takes no form of another site, and shows itself under no other name [U9]', async () => {
    const { Id } = await rosa();
    for (const origin of ['https://evil.example', 'null'])
      expect((await post(`/${Id}`, { 'was.Phone': '', Phone: '9' }, { origin })).status).toBe(403);
    const status = await new Promise((resolve) => {
      const { port } = new URL(org.url);
      httpRequest({ port, host: '127.0.0.1', path: `/${Id}`, headers: { host: 'rebound.example' } }, (answer) =>
        resolve(answer.statusCode),
      ).end();
    });
    expect(status).toBe(403);
  });
});
