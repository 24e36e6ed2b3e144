import { describe, expect, it } from 'vitest';
import { toEnvelope } from '../../src/confirm/view.ts';
import { outcomeWords } from '../../src/domain/outcome-words.ts';
import { newProposal, type Proposal } from '../../src/domain/proposal.ts';

const words = (state: Proposal['state'], more: Partial<Proposal> = {}) => {
  const asked = { args: {}, digest: '', dedupeKey: null, preview: null, reasons: [], createdAt: 0, expiresAt: 1 };
  const proposal = newProposal(
    { name: 'demo', policyRevision: 1 },
    { principal: 'local' },
    {
      ...{ id: 'p1', orgId: null, action: 'CreateLead', assurance: 'client', clientDecline: 'ends', state },
      ...asked,
    },
  );
  return outcomeWords(toEnvelope({ ...proposal, ...more }, 'http://localhost/p1'));
};

describe('how a call ended', () => {
  it('never says that nothing was written where that is not known', () => {
    expect(JSON.stringify(words('unknown'))).not.toContain('othing was written');
    for (const state of ['rejected', 'expired', 'superseded', 'conflict'] as const)
      for (const line of Object.values(words(state))) expect(line).toMatch(/nothing was written/i);
  });

  it('tells a person what was replaced from what nobody decided', () => {
    expect(words('superseded').person).toBe('Replaced by a newer proposal. Nothing was written.');
    expect(words('expired').person).toBe('Not decided in time. Nothing was written.');
  });

  it('says of a no in the client who may still say yes', () => {
    const { model, person } = words('pending', { clientDecline: 'declined' });
    expect([model, person]).toEqual([
      expect.stringContaining('a signed-in person may still decide it'),
      expect.stringContaining('a signed-in person may still decide it'),
    ]);
  });
});
