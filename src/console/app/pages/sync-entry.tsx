import { useQuery } from '@tanstack/preact-query';
import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
import { BeforeAfter, Changes as Fields } from '../parts/changes.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Notice } from '../parts/states.tsx';
import { crumbsOf, deedWords, kindWord, MaskNote, Outcome, RecordLink } from '../parts/sync.tsx';
import { Text, Value, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

export const readEntry = (bot: string, id: string) =>
  said(api.GET('/api/bots/{bot}/sync/logs/{id}', { params: { path: { bot, id } } }));
type Entry = Awaited<ReturnType<typeof readEntry>>;

/** One entry of the sync log: who won, per field. */
export function SyncEntry({ bot, id }: { readonly bot: string; readonly id: string }) {
  const query = useQuery({
    queryKey: ['sync', bot, 'entry', id],
    queryFn: () => readEntry(bot, id),
    refetchInterval: false,
  });
  const entry = query.data;
  const title = entry
    ? `${kindWord(entry.kind)} ${entry.localId}, ${deedWords(entry.operation, entry.direction)}`
    : 'Entry';
  return (
    <Page
      title={title}
      heading={entry ? <Text>{title}</Text> : 'Entry of the sync log'}
      crumbs={crumbsOf(bot, [{ href: `/log${location.search}`, label: 'Log' }])}
    >
      <Loaded query={query}>
        {(of) => (
          <>
            <Told bot={bot} of={of} />
            <Changes bot={bot} of={of} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Told({ bot, of }: { readonly bot: string; readonly of: Entry }) {
  return (
    <section class="card" aria-label="What happened">
      {of.error && (
        <Notice kind="bad" title={<Words>{of.error.message}</Words>}>
          <p>
            <Words>{of.error.next}</Words>
          </p>
          {of.error.salesforce && (
            <p class="note">
              Salesforce said: <Text>{of.error.salesforce.quote}</Text> <code>{of.error.salesforce.code}</code>
            </p>
          )}
        </Notice>
      )}
      <Facts>
        <Fact name="Outcome">
          <Outcome status={of.status} />
        </Fact>
        <Fact name="When">
          <Moment at={of.at} />
        </Fact>
        <Fact name="Record">
          <RecordLink bot={bot} kind={of.kind} localId={of.localId} />
        </Fact>
        <Fact name="In Salesforce">
          {of.object} {of.recordId && <code>{of.recordId}</code>}
        </Fact>
        <Fact name="Set off by">
          <Words>{of.reason}</Words>
        </Fact>
        <Fact name="Calls to Salesforce">{String(of.calls)}</Fact>
        <Fact name="Batch">{of.batch && <code>{of.batch}</code>}</Fact>
        <Fact name="Id">
          <code>{of.id}</code>
        </Fact>
      </Facts>
    </section>
  );
}

const SIDES = { host: 'the host app', salesforce: 'Salesforce' } as const;

function Changes({ bot, of: { id, changes, localId } }: { readonly bot: string; readonly of: Entry }) {
  const why = useMay('MANAGE_MAPPINGS');
  return (
    <section class="card" aria-labelledby="changes">
      <h2 id="changes">Changes</h2>
      <MaskNote />
      {changes.length === 0 ? (
        <Empty>No value changed.</Empty>
      ) : (
        <Fields label="Changes" columns={['Field', 'Before', 'After', 'Who won']}>
          {changes.map(({ field, local, before, after, winner, lost, note }) => (
            <tr key={field}>
              <th scope="row">
                {local.join(' + ') || field} <code>{field}</code>
                {note && (
                  <small>
                    <Words>{note}</Words>
                  </small>
                )}
              </th>
              <BeforeAfter before={before} after={after} />
              <td data-label="Who won">
                {winner === undefined ? (
                  <span class="empty">no conflict</span>
                ) : (
                  <div class="stack">
                    <p>
                      <Badge kind="warn">conflict</Badge> {SIDES[winner]} won
                    </p>
                    <p>
                      <small>Lost:</small> <Value of={lost} />
                    </p>
                    <AskButton
                      why={why}
                      kind=""
                      no="Leave it"
                      title={`Put ${local.join(' + ') || field} back?`}
                      yes="Yes, put it back"
                      body={
                        <>
                          <p>
                            <Text>{localId}</Text> gets <Value of={lost} /> again, here and in Salesforce, in place of{' '}
                            <Value of={after} />.
                          </p>
                          <p class="note">It counts as a new edit; what is replaced stays in the log.</p>
                        </>
                      }
                      run={() =>
                        said(
                          api.POST('/api/bots/{bot}/sync/logs/{id}/restore', {
                            params: { path: { bot, id } },
                            body: { field },
                          }),
                        )
                      }
                      done="Put back. The next pass brings it to Salesforce."
                      changes={['sync', 'sync log']}
                    >
                      Restore…
                    </AskButton>
                  </div>
                )}
              </td>
            </tr>
          ))}
        </Fields>
      )}
    </section>
  );
}
