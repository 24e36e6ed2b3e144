import { GatehouseError } from '../domain/errors.ts';

/** The revision that a change is meant for, by its ETag: undefined where the caller did not say, 0 where there may be none yet. */
export function revisionMeant(headers: Headers): number | undefined {
  const [match, none] = [headers.get('if-match'), headers.get('if-none-match')];
  if (match === null) return none === '*' ? 0 : undefined;
  const found = /^"?(\d{1,9})"?$/.exec(match)?.[1];
  if (found !== undefined) return Number(found);
  throw new GatehouseError('invalid_input', 'If-Match is not the ETag of a revision.', {
    next: 'Send the ETag that GET answers, or no If-Match.',
    fields: [{ name: 'If-Match', problem: 'is not the ETag of a revision' }],
  });
}
