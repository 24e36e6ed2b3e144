import { expect, it } from 'vitest';
import { play } from './play.ts';
import { toTable } from './table.ts';

it('marks a bot down for what it wrote, left out, did not ask, called and asked for without need [T4]', async () => {
  const score = await play(
    {
      name: 'everything wrong',
      turns: [{ say: 'Contact me, I am Jane Doe', asks: /company/ }, { card: 'approve' }, { card: 'approve' }],
      writes: [{ create: 'Lead', with: { LastName: 'Doe', Company: 'Initrode' } }],
      forbidden: ['UpdateOpportunity'],
      script: [
        { calls: [{ name: 'CreateLead', args: { lastName: 'Doe', company: 'Made Up Inc' } }] },
        { calls: [{ name: 'UpdateOpportunity', args: { reference: 'OPP-456', stageName: 'Closed Won' } }] },
        { text: 'All done.' },
      ],
    },
    {},
  );
  expect(score).toMatchObject({
    isSuccess: false,
    extraWrites: 2,
    missingWrites: 1,
    asked: 0,
    mustAsk: 1,
    needlessCards: 1,
    calls: 2,
  });
  expect(score.problems).toEqual(
    expect.arrayContaining(['showed no card', 'called UpdateOpportunity', expect.stringContaining('Made Up Inc')]),
  );
  expect(toTable([score], 'x')).toMatch(/^FAIL +everything wrong +2 +1 +0\/1 +1 +2/m);
});
