import { api, said } from '../api.ts';
import { at } from '../parts/policy-draft.tsx';
import { Notice } from '../parts/states.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';

/** What a policy that is not saved would have said to the calls of the last 30 days. */

export type Replayed = Awaited<ReturnType<typeof replayIt>>;
export const replayIt = (bot: string, policy: object) =>
  said(api.POST('/api/bots/{bot}/policy/replay', { ...at(bot), body: policy }));

const WAS = { runs: 'that ran', asks: 'that asked', denied: 'that were denied' } as const;
const WOULD = { runs: 'would run', asks: 'would ask', denied: 'would be denied' } as const;
const WHY = {
  rate: 'a rule counts by the hour',
  facts: 'what they met is not kept',
  fields: 'other fields would be open to them',
} as const;

export function ReplayShown({ of: { calls, same, unknown, changed, rows } }: { readonly of: Replayed }) {
  const reasons = (Object.keys(WHY) as (keyof typeof WHY)[]).filter((key) => unknown[key] > 0); // its own keys
  if (calls === 0) return <Notice kind="warn" title="There are no calls of the last 30 days to replay." />;
  return (
    <Notice
      kind={changed.length === 0 ? 'good' : 'warn'}
      title={
        changed.length === 0
          ? 'No call of the last 30 days that can be judged would have ended differently.'
          : `${changed.map(({ from, to, count: number }) => `${count(number)} ${WAS[from]} ${WOULD[to]}`).join(', ')}.`
      }
    >
      <p>
        {count(calls)} calls were looked at, newest first; {count(same)} would have ended as they did.
      </p>
      {reasons.length > 0 && (
        <p>Cannot be judged: {reasons.map((key) => `${count(unknown[key])} because ${WHY[key]}`).join('; ')}.</p>
      )}
      {rows.length > 0 && (
        <table class="diff" aria-label="Calls that would have ended differently">
          <thead>
            <tr>
              <th scope="col">Call</th>
              <th scope="col">Was</th>
              <th scope="col">Would be</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ seq, at: when, action, from, to }) => (
              <tr key={seq}>
                <th scope="row">
                  <a href={`/log/${seq}`}>
                    <Text>{action}</Text>
                  </a>{' '}
                  <small>
                    <Moment at={when} />
                  </small>
                </th>
                <td class="before" data-label="Was">
                  <span>{from}</span>
                </td>
                <td class="after" data-label="Would be">
                  <span>{to}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Notice>
  );
}
