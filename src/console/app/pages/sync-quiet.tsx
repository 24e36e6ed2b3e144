import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton } from '../parts/act.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Notice } from '../parts/states.tsx';
import type { readSummary } from '../parts/sync.tsx';
import { WallTime } from '../parts/time.tsx';
import { ZoneField } from '../parts/zone.tsx';
import { useMay } from '../session.ts';

type Hours = Awaited<ReturnType<typeof readSummary>>['quietHours'];

/** Said while they last. */
export function QuietNow({ of }: { readonly of: Hours }) {
  if (of?.endsAt === undefined) return null;
  return (
    <Notice
      kind="warn"
      title={
        <>
          Quiet hours until <WallTime at={of.endsAt} zone={of.zone} />.
        </>
      }
    >
      The sync does nothing by itself: what changes waits, on both sides, and nothing is lost. What you press here goes
      at once.
    </Notice>
  );
}

/** When they are, and the way to change them. */
export function QuietHours({ bot, of }: { readonly bot: string; readonly of: Hours }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const path = { params: { path: { bot } } };
  return (
    <>
      {of ? `${of.from} to ${of.until}, ${of.zone}` : <span class="empty">none: the sync works at any time</span>}{' '}
      <Button kind="quiet" why={why} onClick={() => setOpen(true)}>
        {of ? 'Change quiet hours…' : 'Set quiet hours…'}
      </Button>
      {isOpen && (
        <Dialog title="Quiet hours" onClose={close}>
          <Form
            button="Save"
            run={(fields) => {
              const text = (name: string) => String(fields.get(name) ?? '');
              const body = { from: text('from'), until: text('until'), zone: text('zone') };
              return said(api.PUT('/api/bots/{bot}/sync/quiet-hours', { ...path, body }));
            }}
            done="Saved. They hold from now on."
            changes={['sync']}
            after={close}
            beside={
              <>
                {of && (
                  <ActButton
                    run={() => said(api.DELETE('/api/bots/{bot}/sync/quiet-hours', path))}
                    done="Ended. What waited for their end goes now."
                    changes={['sync']}
                    after={close}
                  >
                    No quiet hours
                  </ActButton>
                )}
                <button type="button" onClick={close}>
                  Not now
                </button>
              </>
            }
          >
            <p class="note">
              In these hours the sync of this bot sends nothing to Salesforce by itself, and reads nothing: no pass, no
              poll, no repeating batch. What a person presses goes on, and what comes in meanwhile is kept for later.
            </p>
            <Field label="From">
              <input type="time" name="from" required defaultValue={of?.from ?? '22:00'} />
            </Field>
            <Field label="Until" help="Also over midnight.">
              <input type="time" name="until" required defaultValue={of?.until ?? '06:00'} />
            </Field>
            <ZoneField {...(of ? { value: of.zone } : {})} />
          </Form>
        </Dialog>
      )}
    </>
  );
}
