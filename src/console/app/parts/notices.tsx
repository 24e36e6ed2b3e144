import { useQuery } from '@tanstack/preact-query';
import { CircleAlert, TriangleAlert } from 'lucide-preact';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { useMay } from '../session.ts';
import { Problem } from './states.tsx';
import { Words } from './text.tsx';
import { TimeLeft } from './time.tsx';

type Standing = Awaited<ReturnType<typeof readNotices>>['notices'][number];
const readNotices = () => said(api.GET('/api/notices'));

/** What somebody should know now, each with its cure one press away; nothing where all is well. */
export function StandingNotices() {
  const enabled = useMay('READ_LOGS') === undefined;
  const { data, error, refetch } = useQuery({ queryKey: ['notices', 'standing'], queryFn: readNotices, enabled });
  if (data === undefined) return error === null ? null : <Problem error={error} again={() => void refetch()} />;
  if (data.notices.length === 0) return null;
  return (
    <ul class="standing" aria-label="Notices">
      {data.notices.map((notice) => (
        <One key={notice.id} of={notice} />
      ))}
    </ul>
  );
}

function One({ of: { level, text, until, cure } }: { readonly of: Standing }) {
  const Icon = level === 'bad' ? CircleAlert : TriangleAlert;
  return (
    <li class={`notice ${level}`}>
      <Icon size={20} aria-hidden="true" />
      <p>
        <strong>
          <Words>{text}</Words>
        </strong>{' '}
        {until !== undefined && <TimeLeft until={until} />}
      </p>
      <Cure {...cure} />
    </li>
  );
}

/** The page of one proposal is the server's own: a link out of the app. */
function Cure({ label, path }: Standing['cure']) {
  if (path.startsWith('/approvals/'))
    return (
      <a class="button" href={path}>
        {label}
      </a>
    );
  return (
    <Link class="button" href={path}>
      {label}
    </Link>
  );
}
