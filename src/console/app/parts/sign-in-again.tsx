import { useMutation } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { queries, Refused, setCsrf } from '../api.ts';
import { useSession } from '../session.ts';
import { Button } from './button.tsx';

/** The server wants to know once more who sits here. */
export const asksWho = (error: unknown): boolean =>
  error instanceof Refused && error.told.fields?.some(({ name }) => name === 'session') === true;

/** On the page itself, so that what was typed stays; afterwards the refused change is sent again. No form: it may stand in one. */
export function SignInAgain({ again }: { readonly again: () => void }) {
  const { operator } = useSession();
  const [link, setLink] = useState('');
  const enter = useMutation({
    mutationFn: (given: string) => signIn(given, operator.name),
    async onSuccess(isSame) {
      // Somebody else came in: every page is theirs now.
      if (!isSame) return location.reload();
      await queries.invalidateQueries({ queryKey: ['session'] });
      again();
    },
  });
  return (
    <div class="notice warn" role="alert">
      <strong>Sign in once more to change operators.</strong>
      <div class="stack">
        <p>
          You signed in more than 15 minutes ago. Make a new link:{' '}
          <code>gatehouse operator sign-in {operator.name}</code>. What you typed stays, and is sent afterwards.
        </p>
        <label class="field">
          Sign-in link or token
          <input
            type="text"
            value={link}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={(event) => setLink(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              const { value } = event.currentTarget;
              if (value.trim() !== '' && !enter.isPending) enter.mutate(value);
            }}
          />
        </label>
        {enter.error && <p role="alert">{enter.error.message}</p>}
        <div class="actions">
          <Button
            kind="primary"
            why={link.trim() === '' ? 'Paste the link or its token first.' : undefined}
            isBusy={enter.isPending}
            onClick={() => enter.mutate(link)}
          >
            Sign in and go on
          </Button>
        </div>
      </div>
    </div>
  );
}

async function signIn(given: string, name: string): Promise<boolean> {
  const token = given.trim().replace(/^.*#(token=)?/, '');
  const response = await fetch('/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ token }),
  });
  const told = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(told?.error?.message ?? 'The server did not answer as it should.');
  setCsrf(told.csrf);
  return told.operator.name === name;
}
