/** A process of its own: opens the org's file and creates leads until it is told to stop, or killed. */
import { createSim } from '../../src/sim/sim.ts';

const [file = '', name = '', count = '0'] = process.argv.slice(2);
const sim = await createSim({ file });

async function call(path: string, init: RequestInit): Promise<Record<string, string>> {
  const response = await sim.fetch(new Request(`http://sim.invalid${path}`, { method: 'POST', ...init }));
  // Both answers asked for here are flat objects of texts.
  return (await response.json()) as Record<string, string>;
}

const { access_token } = await call('/services/oauth2/token', {
  body: new URLSearchParams({
    grant_type: 'password',
    client_id: 'sim',
    client_secret: 'sim',
    username: 'admin@sim.example',
    password: 'sim',
  }),
});
for (let n = 0; n < Number(count); n++) {
  const { id } = await call('/services/data/v66.0/sobjects/Lead', {
    headers: { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ LastName: `${name}-${n}`, Company: name }),
  });
  process.stdout.write(`${id}\n`);
}
await sim.close();
