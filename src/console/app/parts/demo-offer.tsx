import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { useMay } from '../session.ts';
import { ActButton } from './act.tsx';
import { Notice } from './states.tsx';

/** On an install in which nothing was done yet: a company with a month behind it, in a console of its own. */
export function DemoOffer() {
  const why = useMay('MANAGE_BOTS');
  const [link, setLink] = useState<string>();
  return (
    <section class="card" aria-labelledby="demo-offer">
      <h2 id="demo-offer">Nothing was done here yet</h2>
      <p>
        Look at a small company with a month behind it first: calls, approvals, sync, problems. It opens in a console
        and a folder of its own, never meets what is here, and goes when this server stops.
      </p>
      {link && (
        <Notice kind="good" title="It is open.">
          <a href={link} target="_blank" rel="noreferrer">
            Go to the demo company
          </a>
          . The link signs you in once, within ten minutes.
        </Notice>
      )}
      <div class="actions">
        <ActButton why={why} run={() => said(api.POST('/api/demo', {}))} after={({ signIn }) => setLink(signIn)}>
          {link ? 'Open a new one' : 'Open the demo company'}
        </ActButton>
      </div>
      <p class="note">Its month is played first: that takes some seconds.</p>
    </section>
  );
}
