import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { howStarted, pasteable } from '../../src/cli/self-command.ts';

it('prints commands as whoever started it can paste them [U10]', () => {
  expect([
    howStarted('/repo/dist/src/main.js', { npm_lifecycle_event: 'gatehouse', npm_package_name: 'gatehouse' }, '/repo'),
    howStarted('/repo/dist/src/main.js', { npm_lifecycle_event: 'start', npm_package_name: 'gatehouse' }, '/repo'),
    howStarted('/x/node_modules/.bin/gatehouse', { npm_lifecycle_event: 'npx', npm_package_name: 'shop' }, '/x'),
    howStarted('/usr/local/bin/gatehouse', {}, '/x'),
    howStarted('/repo/dist/src/main.js', {}, '/repo'),
    howStarted('/repo/dist/src/main.js', {}, '/elsewhere'),
  ]).toEqual([
    'npm run -s gatehouse --',
    'npm run -s gatehouse --',
    'npx gatehouse',
    'gatehouse',
    'node dist/src/main.js',
    'node /repo/dist/src/main.js',
  ]);
  const started = 'npm run -s gatehouse --';
  const inWords = pasteable(COMMANDS, started);
  expect(inWords('Run gatehouse policy get shop, or: gatehouse approve ID')).toBe(
    `Run ${started} policy get shop, or: ${started} approve ID`,
  );
  const prose = [
    'Gatehouse is open',
    'the gatehouse keeper',
    '"gatehouse serve" runs',
    '/data/gatehouse serve',
    'gatehouse-stdio',
  ];
  for (const text of prose) expect(inWords(text)).toBe(text);
});
