import type { App } from '../../app/app.ts';

/** Asks as an operator's browser or script would. */
export async function askAsOperator(app: App, method: string, path: string, body?: object): Promise<Response> {
  const { serveRoutes } = await import('../../http/server.ts');
  const { routes } = await app.sync();
  // Values of people are shown to admins alone.
  const key = await app.access.createOperator(`demo-${crypto.randomUUID()}`, 'admin');
  const headers = { host: 'localhost', authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const asked = new Request(`http://localhost${path}`, {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return serveRoutes(app, routes).fetch(asked, { remoteAddress: '127.0.0.1' });
}
