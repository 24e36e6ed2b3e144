import { useQuery } from '@tanstack/preact-query';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Page } from '../parts/page.tsx';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';

export const declaredPath = (bot: string, action = '') =>
  `/bots/${encodeURIComponent(bot)}/actions${action === '' ? '' : `/${encodeURIComponent(action)}`}`;

export const OPERATIONS: Readonly<Record<string, string>> = {
  get: 'looks up one record',
  query: 'finds records',
  create: 'makes a record',
  update: 'changes a record',
  publish: 'publishes an event',
  'apex-rest': 'calls an Apex class',
  flow: 'runs a flow',
};

const readDeclared = (bot: string) => said(api.GET('/api/bots/{bot}/declared-actions', { params: { path: { bot } } }));
export const useDeclared = (bot: string) =>
  useQuery({ queryKey: ['policy', bot, 'declared'], queryFn: () => readDeclared(bot) });

/** What operators declared for one bot as data: each is an action like those in code. */
export function Declared({ name: bot }: { readonly name: string }) {
  const query = useDeclared(bot);
  return (
    <Page
      title={`Actions without code of ${bot}`}
      heading="Actions without code"
      crumbs={[
        { href: '/bots', label: 'Bots' },
        { href: `/bots/${encodeURIComponent(bot)}`, label: bot },
      ]}
      lead="Declared as data, checked at the save. Each has a permission of its own and passes the same gate as every other action."
      actions={
        <Link class="button primary" href={declaredPath(bot, 'new')}>
          New action
        </Link>
      }
    >
      <Loaded query={query}>
        {({ actions }) =>
          actions.length === 0 ? (
            <Empty>
              None is declared yet. <Link href={declaredPath(bot, 'new')}>Begin with an example</Link>
            </Empty>
          ) : (
            <Table label="Actions without code" columns={['Action', 'What it does', 'Granted', 'Revision']}>
              {actions.map(({ name, operation, risk, granted, revision }) => (
                <tr key={name}>
                  <th scope="row">
                    <Link href={declaredPath(bot, name)}>
                      <Text>{name}</Text>
                    </Link>
                  </th>
                  <td data-label="What it does">
                    <span>
                      {OPERATIONS[operation] ?? operation} <small>{risk}</small>
                    </span>
                  </td>
                  <td data-label="Granted">
                    <Badge kind={granted ? 'good' : ''}>{granted ? 'granted' : 'not granted'}</Badge>
                  </td>
                  <td data-label="Revision">{revision}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </Page>
  );
}
