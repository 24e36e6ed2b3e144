import { useMutation } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { queries } from '../api.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { asksWho, SignInAgain } from './sign-in-again.tsx';
import { Problem } from './states.tsx';
import { tell } from './tell.tsx';

/** Buttons that change something: once pressed is once done, what came of it is told, what was refused stays to be read. */

export interface Act<T> {
  /** What to do. */
  readonly run: () => Promise<T>;
  /** Said when it is done; undefined says nothing. */
  readonly done?: string | ((answer: T) => string | undefined);
  /** First words of the query keys that are old afterwards. */
  readonly changes?: readonly string[];
  readonly after?: (answer: T) => void;
}

export function useAct<T>({ run, done, changes = [], after }: Act<T>) {
  // Two presses may come before the first of them is drawn.
  const isUnderWay = useRef(false);
  const mutation = useMutation({
    async mutationFn() {
      try {
        return await run();
      } finally {
        isUnderWay.current = false;
      }
    },
    async onSuccess(answer: T) {
      await Promise.all(changes.map((word) => queries.invalidateQueries({ queryKey: [word] })));
      const words = typeof done === 'function' ? done(answer) : done;
      if (words !== undefined) tell(words);
      after?.(answer);
    },
  });
  return {
    isBusy: mutation.isPending,
    error: mutation.error,
    go() {
      if (isUnderWay.current || mutation.isPending) return;
      isUnderWay.current = true;
      mutation.mutate();
    },
  };
}

interface ButtonProps<T> extends Act<T> {
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'danger' | 'quiet' | '';
  /** Why it cannot be pressed; shown, not hidden. */
  readonly why?: string | undefined;
}

/** What was refused; where it was because the sign-in is too old, the way to go on. */
export function Failed({ error, again }: { readonly error: unknown; readonly again: () => void }) {
  return asksWho(error) ? <SignInAgain again={again} /> : <Problem error={error} />;
}

/** A press that needs no second look. */
export function ActButton<T>({ children, kind = '', why, ...act }: ButtonProps<T>) {
  const { isBusy, error, go } = useAct(act);
  return (
    <>
      <Button why={why} kind={kind} isBusy={isBusy} onClick={go}>
        {children}
      </Button>
      {error && <Failed error={error} again={go} />}
    </>
  );
}

/** A press whose effect is named before it happens. */
export function AskButton<T>({
  children,
  kind = 'danger',
  why,
  title,
  body,
  yes,
  no = 'Keep it',
  ...act
}: ButtonProps<T> & {
  readonly title: string;
  readonly body: ComponentChildren;
  readonly yes: string;
  readonly no?: string;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button why={why} kind={kind} onClick={() => setOpen(true)}>
        {children}
      </Button>
      {isOpen && (
        <Dialog title={title} onClose={() => setOpen(false)}>
          {body}
          <div class="actions">
            <ActButton
              {...act}
              kind={kind}
              after={(answer) => {
                setOpen(false);
                act.after?.(answer);
              }}
            >
              {yes}
            </ActButton>
            <button type="button" onClick={() => setOpen(false)}>
              {no}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
