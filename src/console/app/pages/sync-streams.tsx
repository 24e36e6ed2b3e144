import { Link } from 'wouter-preact';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { type Status, useStatus } from './sync-problems.tsx';

type Stream = Status['streams'][number];

const STATES = {
  live: ['good', 'heard'],
  waiting: ['', 'not heard yet'],
  silent: ['', 'silent for a large run'],
  paused: ['warn', 'paused'],
  refused: ['bad', 'refused'],
} as const;

/** What Salesforce tells of its own accord, object by object, and what somebody does where it does not. */
export function Streams({ bot }: { readonly bot: string }) {
  const query = useStatus(bot);
  return (
    <section class="card" aria-labelledby="streams">
      <h2 id="streams">Change events</h2>
      <p class="note">
        Salesforce tells each change as it happens, without an API call. What is not heard comes by polling, minutes
        later.
      </p>
      <Loaded query={query}>
        {({ streams, pollMs }) => (
          <>
            {streams.length === 0 ? (
              <Empty>Nothing is listened to yet: once the bot is connected and syncs, its objects stand here.</Empty>
            ) : (
              <Table label="Change events" columns={['Object', 'State', 'Last event', 'Last gap', 'Today']}>
                {streams.map((one) => (
                  <Row key={one.channel} of={one} />
                ))}
              </Table>
            )}
            {streams.some(({ message }) => message !== undefined) && (
              <ul class="problems" aria-label="Why, and what to do">
                {streams.map((one) => (
                  <Why key={one.channel} of={one} />
                ))}
              </ul>
            )}
            <p class="note">
              Beside it Salesforce is asked {pollMs === 0 ? 'at once' : `every ${pollMs / 60_000} minutes`} what
              changed. Select objects in Setup, Change Data Capture, or by{' '}
              <Link href={`/bots/${encodeURIComponent(bot)}/org?view=package`}>the package</Link> with change events.
            </p>
          </>
        )}
      </Loaded>
    </section>
  );
}

function Row({ of: { object, state, lastEventAt, lastGapAt, deliveredToday } }: { readonly of: Stream }) {
  const [kind, words] = STATES[state];
  return (
    <tr>
      <th scope="row">
        <Text>{object}</Text>
      </th>
      <td data-label="State">
        <Badge kind={kind}>{words}</Badge>
      </td>
      <td data-label="Last event">{lastEventAt ? <Moment at={lastEventAt} /> : <span class="empty">none yet</span>}</td>
      <td data-label="Last gap">{lastGapAt ? <Moment at={lastGapAt} /> : <span class="empty">none</span>}</td>
      <td data-label="Today">{count(deliveredToday)}</td>
    </tr>
  );
}

function Why({ of: { object, message, next, quote } }: { readonly of: Stream }) {
  if (message === undefined) return null;
  return (
    <li>
      <p>
        <strong>
          <Text>{object}</Text>
        </strong>
        : <Text>{message}</Text>
      </p>
      {quote && (
        <p class="note">
          Salesforce said: <Text>{quote}</Text>
        </p>
      )}
      {next && (
        <p class="note">
          <Text>{next}</Text>
        </p>
      )}
    </li>
  );
}
