import { Link } from 'wouter-preact';
import { Notice } from '../parts/states.tsx';
import { mappingPath } from '../parts/sync.tsx';
import { Text } from '../parts/text.tsx';
import { useStatus } from './sync-problems.tsx';

/** What the org changed under a bot, with the ways to its cure; nothing where all fits. */
export function Drift({ bot }: { readonly bot: string }) {
  const { data } = useStatus(bot);
  const found = data?.problems.find(({ code }) => code === 'schema_drift');
  if (found === undefined) return null;
  const here = `/bots/${encodeURIComponent(bot)}`;
  return (
    <Notice kind="warn" title={<Text>{found.message}</Text>}>
      <p>
        <Text>{found.next}</Text>
      </p>
      <div class="actions">
        <Link class="button" href={`${here}/org`}>
          What its user may do
        </Link>
        <Link class="button" href={`${here}/policy`}>
          Policy
        </Link>
        <Link class="button" href={mappingPath(bot, 'party')}>
          Mapping of people
        </Link>
        <Link class="button" href={mappingPath(bot, 'case')}>
          Mapping of cases
        </Link>
      </div>
    </Notice>
  );
}
