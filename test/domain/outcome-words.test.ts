import { describe, expect, it } from 'vitest';
import { toEnvelope } from '../../src/confirm/view.ts';
import { GatehouseError, toErrorBody } from '../../src/domain/errors.ts';
import { outcomeWords } from '../../src/domain/outcome-words.ts';
import { newProposal, type Proposal } from '../../src/domain/proposal.ts';

const words = (state: Proposal['state'], more: Partial<Proposal> = {}) => {
  const asked = { args: {}, digest: '', dedupeKey: null, preview: null, reasons: [], createdAt: 0, expiresAt: 1 };
  const proposal = newProposal(
    { name: 'demo', policyRevision: 1 },
    { principal: 'local' },
    {
      ...{
        id: 'p1',
        orgId: null,
        userId: null,
        action: 'CreateLead',
        assurance: 'client',
        clientDecline: 'ends',
        state,
      },
      ...asked,
    },
  );
  return outcomeWords(toEnvelope({ ...proposal, ...more }, 'http://localhost/p1'));
};

describe('how a call ended', () => {
  it('never says that nothing was written where that is not known', () => {
    expect(JSON.stringify(words('unknown'))).not.toContain('othing was written');
    for (const state of ['rejected', 'expired', 'superseded'] as const)
      for (const line of Object.values(words(state))) expect(line).toMatch(/nothing was written/i);
  });

  it('says of a conflict what its cause says, and never that nothing was written by itself', () => {
    const message = 'Salesforce took the change of the Opportunity and did not keep it: Amount is still "5".';
    const next = 'The other fields were changed. Do not repeat the call.';
    const error = toErrorBody(new GatehouseError('conflict', message, { next }));
    expect(words('conflict', { error })).toEqual({ model: `${message} ${next}`, person: message });
    expect(JSON.stringify(words('conflict'))).not.toContain('othing was written');
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
