import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Refused } from '../api.ts';
import { type Act, useAct } from './act.tsx';
import { Problem } from './states.tsx';

/**
 * A form of the browser's own checks first and the server's second: the first field that the server names takes the focus, and
 * nothing that was typed is lost.
 */
export function Form<T>({
  children,
  button,
  beside,
  run,
  ...act
}: Omit<Act<T>, 'run'> & {
  readonly run: (fields: FormData) => Promise<T>;
  readonly button: string;
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
      {error && <Problem error={error} />}
      <div class="actions">
        <button type="submit" class="primary">
          {button}
        </button>
        {beside}
      </div>
    </form>
  );
}

function focusFirst(form: HTMLFormElement, error: unknown): void {
  const names = error instanceof Refused ? (error.told.fields ?? []).map(({ name }) => name) : [];
  const first = names.map((name) => form.elements.namedItem(name)).find((field) => field instanceof HTMLElement);
  if (first instanceof HTMLElement) first.focus();
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
