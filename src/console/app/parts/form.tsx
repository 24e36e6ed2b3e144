import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Refused } from '../api.ts';
import { type Act, Failed, useAct } from './act.tsx';
import { Button } from './button.tsx';

/**
 * A form of the browser's own checks first and the server's second: the first field that the server names takes the focus, and
 * nothing that was typed is lost.
 */
export function Form<T>({
  children,
  button,
  beside,
  why,
  run,
  ...act
}: Omit<Act<T>, 'run'> & {
  readonly run: (fields: FormData) => Promise<T>;
  readonly button: string;
  /** Why it cannot be sent; shown, not hidden. */
  readonly why?: string | undefined;
  /** Further buttons or links. */
  readonly beside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const form = useRef<HTMLFormElement>(null);
  const { isBusy, error, go } = useAct({
    ...act,
    async run() {
      if (form.current === null) throw new Error('The form is gone.');
      try {
        return await run(new FormData(form.current));
      } catch (thrown) {
        focusFirst(form.current, thrown);
        throw thrown;
      }
    },
  });
  return (
    <form
      class="stack"
      ref={form}
      aria-busy={isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      {children}
      {error && <Failed error={error} again={go} />}
      <div class="actions">
        <Button type="submit" kind="primary" why={why}>
          {button}
        </Button>
        {beside}
      </div>
    </form>
  );
}

/** Where `objects.Lead.denyFields[1]` is no field of its own, the one that holds it. */
export function focusFirst(form: HTMLFormElement, error: unknown): void {
  const names = error instanceof Refused ? (error.told.fields ?? []).map(({ name }) => name) : [];
  const first = names.flatMap(around).map((name) => form.elements.namedItem(name));
  const field = first.find((one) => one instanceof HTMLElement);
  if (!(field instanceof HTMLElement)) return;
  field.closest('details')?.setAttribute('open', '');
  field.focus();
}

function around(name: string): string[] {
  const shorter = name.replace(/(?:\.[^.[]+|\[\d+\])$/, '');
  return shorter === name ? [name] : [name, ...around(shorter)];
}

export function Field({
  label,
  help,
  children,
}: {
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is a child
    <label class="field">
      {label}
      {children}
      {help && <small>{help}</small>}
    </label>
  );
}

/** A secret that is shown this once, to be copied. */
export function Once({
  title,
  secret,
  note,
}: {
  readonly title: string;
  readonly secret: string;
  readonly note: string;
}) {
  return (
    <div class="notice good" role="status">
      <strong>{title}</strong>
      <div class="stack">
        <code class="wrap">{secret}</code>
        <div class="actions">
          <button type="button" onClick={() => void navigator.clipboard?.writeText(secret)}>
            Copy
          </button>
        </div>
        <p>{note}</p>
      </div>
    </div>
  );
}
