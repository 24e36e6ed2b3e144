import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { Changes } from '../parts/changes.tsx';
import { Company } from '../parts/company.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { FindRecord } from '../parts/find-record.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded, Notice } from '../parts/states.tsx';
import { crumbsOf, type Kind, kindWord, LinkState, MaskNote, syncPath } from '../parts/sync.tsx';
import { OutLink, Text, Value, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { LogTable } from './log-table.tsx';

const readLink = (bot: string, kind: Kind, localId: string) =>
  said(api.GET('/api/bots/{bot}/sync/links/{kind}/{localId}', { params: { path: { bot, kind, localId } } }));
type Both = Awaited<ReturnType<typeof readLink>>;
interface Named {
  readonly bot: string;
  readonly kind: Kind;
  readonly localId: string;
}

/** One record on both sides, how its link stands, and its log. */
export function SyncLink({ bot, kind, localId }: Named) {
  const query = useQuery({
    queryKey: ['sync', bot, 'link', kind, localId],
    queryFn: () => readLink(bot, kind, localId),
  });
  const log = useQuery({
    queryKey: ['sync', bot, 'link log', kind, localId],
    queryFn: () =>
      said(api.GET('/api/bots/{bot}/sync/logs', { params: { path: { bot }, query: { kind, localId, limit: 20 } } })),
  });
  return (
    <Page
      title={`${kindWord(kind)} ${localId}`}
      heading={
        <>
          {kindWord(kind)} <Text>{localId}</Text>
        </>
      }
      crumbs={crumbsOf(bot, [{ href: '/links', label: 'People and cases' }])}
    >
      <Loaded query={query}>
        {(both) => (
          <>
            <Standing named={{ bot, kind, localId }} both={both} />
            <Sides both={both} />
          </>
        )}
      </Loaded>
      <section class="card" aria-labelledby="log">
        <h2 id="log">Its log</h2>
        <Loaded query={log}>
          {({ logs }) =>
            logs.length === 0 ? <Empty>Nothing was synced yet.</Empty> : <LogTable bot={bot} logs={logs} />
          }
        </Loaded>
        <div class="actions">
          <Link class="button quiet" href={syncPath(bot, `/log?kind=${kind}&localId=${encodeURIComponent(localId)}`)}>
            All of it
          </Link>
        </div>
      </section>
    </Page>
  );
}

function Standing({ named, both: { object, link, host, crm } }: { readonly named: Named; readonly both: Both }) {
  const { bot, kind, localId } = named;
  return (
    <section class="card" aria-labelledby="link">
      <header>
        <h2 id="link">Link</h2>
        <span>
          {link ? <LinkState state={link.state} /> : <Badge>Not in Salesforce yet</Badge>}{' '}
          {link?.isWaiting && <Badge>waits</Badge>}
        </span>
      </header>
      {link?.problem && (
        <Notice kind="warn" title={<Words>{link.problem.message}</Words>}>
          <p>
            <Words>{link.problem.next}</Words>
          </p>
          {link.problem.salesforce && (
            <p class="note">
              Salesforce said: <Text>{link.problem.salesforce.quote}</Text> <code>{link.problem.salesforce.code}</code>
            </p>
          )}
        </Notice>
      )}
      {link?.waitsFor?.map(({ object: parents, name, ids, message }) => {
        const [parent = parents] = parents.split(' or ');
        return (
          <Notice key={`${parents} ${name}`} kind="warn" title={<Words>{message}</Words>}>
            <p>It is in step without it. What you choose holds for everybody with this company.</p>
            <Company bot={bot} company={{ object: parent, name }} candidates={ids.map((id) => ({ id, name }))} />
          </Notice>
        );
      })}
      <Facts>
        <Fact name="Here">
          {host ? (
            host.isDeleted ? (
              'deleted by the host app'
            ) : (
              <>
                changed <Moment at={host.changedAt} />
              </>
            )
          ) : (
            <span class="empty">the host app has not sent it</span>
          )}
        </Fact>
        <Fact name="In Salesforce">
          {crm ? (
            <>
              <OutLink url={crm.url}>{`${object} ${crm.id}`}</OutLink>, changed <Moment at={crm.modifiedAt} />
            </>
          ) : (
            <span class="empty">no {object} yet</span>
          )}
        </Fact>
        <Fact name="Next try">{link?.nextTryAt && <Moment at={link.nextTryAt} />}</Fact>
      </Facts>
      <Buttons bot={bot} kind={kind} localId={localId} both={{ object, link }} />
    </section>
  );
}

function Buttons({
  bot,
  kind,
  localId,
  both: { object, link },
}: Named & { readonly both: Pick<Both, 'object' | 'link'> }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [isChoosing, setChoosing] = useState(false);
  const path = { params: { path: { bot } } };
  const unlink = () => said(api.POST('/api/bots/{bot}/sync/unlink', { ...path, body: { kind, localId } }));
  const isLinked = link?.recordId != null && link.state !== 'unlinked';
  return (
    <div class="actions">
      <ActButton
        why={why}
        kind={link?.problem ? 'primary' : ''}
        run={() => said(api.POST('/api/bots/{bot}/sync/now', { ...path, body: { kind, localId } }))}
        done={({ operation }) =>
          operation === 'none'
            ? 'In step: there was nothing to write.'
            : `In step: ${object} ${operation === 'create' ? 'created' : 'updated'}.`
        }
        changes={['sync']}
      >
        {link?.problem ? 'Retry' : 'Sync now'}
      </ActButton>
      <Button why={why} onClick={() => setChoosing(true)}>
        {isLinked ? 'Link another…' : 'Link…'}
      </Button>
      {isLinked && (
        <AskButton
          why={why}
          title="Unlink them?"
          yes="Unlink"
          body={<p>Both records stay as they are, and are not kept in step any more.</p>}
          run={unlink}
          done="Unlinked. Both records stay."
          changes={['sync']}
        >
          Unlink…
        </AskButton>
      )}
      {link?.problem && link.recordId === null && link.state !== 'unlinked' && (
        <AskButton
          why={why}
          title="Leave it out?"
          yes="Leave it out"
          body={
            <p>It stays as it is here, is linked to nothing, and is no problem any more. It can be linked later.</p>
          }
          run={unlink}
          done="Left out."
          changes={['sync']}
        >
          Leave out…
        </AskButton>
      )}
      {isChoosing && (
        <Dialog title={`Which ${object} is it?`} onClose={() => setChoosing(false)}>
          <FindRecord bot={bot} object={object} candidates={link?.problem?.candidates}>
            {({ id, linkedTo }) => (
              <ActButton
                run={() =>
                  said(
                    api.POST('/api/bots/{bot}/sync/links', {
                      ...path,
                      body: { kind, localId, recordId: id, ...(linkedTo ? { insteadOf: linkedTo } : {}) },
                    }),
                  )
                }
                done={
                  linkedTo
                    ? `Linked; ${linkedTo} has no record now.`
                    : 'Linked. Both sides are compared with the next pass.'
                }
                changes={['sync']}
                after={() => setChoosing(false)}
              >
                {linkedTo ? `Take it from ${linkedTo}` : 'Link'}
              </ActButton>
            )}
          </FindRecord>
        </Dialog>
      )}
    </div>
  );
}

const WAYS = { both: '↔', to_crm: '→', from_crm: '←' } as const;
const WAY_WORDS = { both: 'both ways', to_crm: 'to Salesforce', from_crm: 'from Salesforce' } as const;

function Sides({ both: { lines, problem, crm, object } }: { readonly both: Both }) {
  return (
    <section class="card" aria-labelledby="sides">
      <h2 id="sides">Both sides</h2>
      {problem ? (
        <Notice kind="warn" title={<Words>{problem.message}</Words>}>
          <Words>{problem.next}</Words>
        </Notice>
      ) : (
        <>
          {!crm && <p class="note">This is what a sync would compare; no {object} holds it yet.</p>}
          <MaskNote />
          <Changes label="Both sides" columns={['Field', 'Here', 'Salesforce']}>
            {lines.map((line) => (
              <tr key={line.remote.join()}>
                <th scope="row">
                  {line.local.join(' + ') || 'always the same'}{' '}
                  <span role="img" aria-label={WAY_WORDS[line.direction]}>
                    {WAYS[line.direction]}
                  </span>{' '}
                  <code>{line.remote.join(' + ')}</code>
                  {crm && !line.isSame && <Badge kind="warn">differs</Badge>}
                </th>
                <td data-label="Here">
                  <Values of={line.host} />
                </td>
                <td data-label="Salesforce">
                  <Values of={line.crm} />
                </td>
              </tr>
            ))}
          </Changes>
        </>
      )}
    </section>
  );
}

function Values({ of }: { readonly of: Readonly<Record<string, unknown>> }) {
  const entries = Object.entries(of);
  if (entries.length === 0) return <span class="empty">nothing</span>;
  // Two fields of one value are empty together.
  if (entries.every(([, value]) => value === null)) return <Value of={null} />;
  return (
    <span>
      {entries.map(([name, value], at) => (
        <span key={name}>
          {at > 0 && ' '}
          <Value of={value} />
        </span>
      ))}
    </span>
  );
}
