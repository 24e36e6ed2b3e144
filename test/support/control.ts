import type { Sim } from '../../src/sim/sim.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a control route of the simulated org answers is for the test to know
export type Control = (method: string, route: string, body?: unknown) => Promise<any>;

/** The control routes of a simulated org, of one inside as of one on a port. */
export function controlOf(org: Pick<Sim, 'fetch'> | { readonly url: string }): Control {
  return async (method, route, body) => {
    const request = new Request(`${'url' in org ? org.url : 'http://sim.localhost'}/_sim/${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = 'url' in org ? await fetch(request) : await org.fetch(request, { loopback: true });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`_sim/${route}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}
