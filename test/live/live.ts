import { randomBytes } from 'node:crypto';
import { clean } from './clean.ts';
import type { Fact, Verdict } from './fact.ts';
import { FACTS } from './facts.ts';
import { playFlows } from './flows.ts';
import { form, type LiveOrg, openLiveOrg, PREFIX, readSettings } from './org.ts';

/** `npm run live`: the main flows and every fact, asked of a real Developer org. See docs/live.md. */

type Env = Readonly<Record<string, string | undefined>>;

/** The exit code: 0 where every flow works and no fact is otherwise. */
export async function live(env: Env, say: (line: string) => void, stop: AbortSignal): Promise<number> {
  const settings = readSettings(env);
  const run = `${PREFIX} ${randomBytes(3).toString('hex')}`;
  const org = await openLiveOrg(settings, run);
  // Of this run alone, whatever is told: a token or a secret is never printed.
  const secrets = [org.token, settings.clientSecret, settings.password].filter(
    (one) => one !== undefined && one !== '',
  );
  const tell = (line: string) =>
    say(secrets.reduce<string>((text, secret) => text.replaceAll(secret ?? '', '[secret]'), line));
  tell(`Org ${org.orgId}, as ${org.username}. Everything made here is called ${run}.`);
  const before = await clean(org);
  if (before > 0) tell(`An earlier run had left ${before} behind: gone.`);
  let bad = 0;
  try {
    tell('\nFlows');
    await playFlows(org, stop, ({ flow, works, told }) => {
      if (!works) bad += 1;
      tell(`  ${(works ? 'works' : 'FAILED').padEnd(12)} ${flow.padEnd(44)} ${told}`);
    });
    tell('\nFacts');
    for (const fact of FACTS) {
      if (stop.aborted) break;
      const { is, told } = await askOf(fact, org);
      if (is === 'otherwise') bad += 1;
      tell(`  ${is.padEnd(12)} ${fact.id.padEnd(28)} ${fact.assumed}`);
      tell(
        `  ${''.padEnd(12)} ${''.padEnd(28)} ${told}${is === 'otherwise' ? ` (${fact.reliesOn.length === 0 ? 'nothing is built on it' : `built on it: ${fact.reliesOn.join(', ')}`})` : ''}`,
      );
    }
  } finally {
    tell(`\n${await clean(org)} records of this run are deleted.`);
    await org.open('POST', '/services/oauth2/revoke', form({ token: org.token }));
  }
  if (stop.aborted) tell('Stopped before the end.');
  return bad > 0 || stop.aborted ? 1 : 0;
}

/** A check that breaks has not been asked. */
export async function askOf(fact: Fact, org: LiveOrg): Promise<Verdict> {
  if (fact.ask === undefined) return { is: 'not asked', told: fact.how };
  try {
    return await fact.ask(org);
  } catch (error) {
    return { is: 'not asked', told: `the check broke: ${error instanceof Error ? error.message : String(error)}` };
  }
}
