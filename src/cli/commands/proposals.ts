import { type Proposal, summaryOf } from '../../domain/proposal.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';
import { columns } from '../terminal.ts';

const MOST = 200;

export const command = defineCommand({
  options: {
    bot: { value: 'name', about: 'of this bot only' },
    all: { about: `settled ones too, newest first, at most ${MOST}` },
  },

  async run({ options: { bot, all }, openApp, terminal }) {
    const app = await openApp();
    if (bot !== undefined) await botNamed(app.store, bot);
    const found = await app.approvals.list({ bot, pending: !all, limit: MOST });
    const proposals = found.map(toListed);
    const rows = proposals.map(({ id, bot: owner, action, state, summary }) => [id, owner, action, state, summary]);
    terminal.print(
      { proposals },
      rows.length === 0
        ? `Nothing ${all ? 'was proposed yet' : 'waits for a person'}.`
        : columns([['ID', 'BOT', 'ACTION', 'STATE', 'SUMMARY'], ...rows]),
    );
  },
});

/** What an operator needs of it; leases and digests are the machine's own. */
function toListed(proposal: Proposal) {
  const { id, bot, action, state, reasons, principal, decidedBy, createdAt, expiresAt } = proposal;
  return {
    id,
    bot,
    action,
    state,
    summary: summaryOf(proposal),
    reasons,
    principal,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(decidedBy === null ? {} : { decidedBy }),
  };
}
