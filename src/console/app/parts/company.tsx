import type { ComponentProps } from 'preact';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { useMay } from '../session.ts';
import { ActButton, AskButton } from './act.tsx';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { FindRecord } from './find-record.tsx';
import { Text } from './text.tsx';

type Candidates = ComponentProps<typeof FindRecord>['candidates'];

/** A company that people wait for: one that is there, a new one, or none. */
export function Company({
  bot,
  company: { object, name },
  candidates,
}: {
  readonly bot: string;
  readonly company: { readonly object: string; readonly name: string };
  readonly candidates: Candidates;
}) {
  const why = useMay('MANAGE_MAPPINGS');
  const [isOpen, setOpen] = useState(false);
  const decide = (choice: { readonly recordId: string } | { readonly create: true } | { readonly leaveOut: true }) =>
    said(api.POST('/api/bots/{bot}/sync/parents', { params: { path: { bot } }, body: { object, name, ...choice } }));
  return (
    <div class="actions">
      <Button why={why} onClick={() => setOpen(true)}>
        Choose…
      </Button>
      <AskButton
        why={why}
        kind=""
        no="Not now"
        title={`Make the ${object}?`}
        yes={`Make the ${object}`}
        body={
          <p>
            A new {object} named <Text>{name}</Text> is made in Salesforce, and everybody who waits for it is linked to
            it.
          </p>
        }
        run={() => decide({ create: true })}
        done="Made. Who waited for it follows."
        changes={['sync']}
      >
        Create…
      </AskButton>
      <ActButton
        why={why}
        kind="quiet"
        run={() => decide({ leaveOut: true })}
        done="Left out. Nobody waits for it any more."
        changes={['sync']}
      >
        Leave out
      </ActButton>
      {isOpen && (
        <Dialog title={`Which ${object} is meant?`} onClose={() => setOpen(false)}>
          <p>
            Everybody with the company <Text>{name}</Text> is linked to it.
          </p>
          <FindRecord bot={bot} object={object} candidates={candidates}>
            {(record) => (
              <ActButton
                run={() => decide({ recordId: record.id })}
                done="Chosen. Who waited for it follows."
                changes={['sync']}
                after={() => setOpen(false)}
              >
                Choose
              </ActButton>
            )}
          </FindRecord>
        </Dialog>
      )}
    </div>
  );
}
