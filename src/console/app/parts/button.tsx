import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { tell } from './tell.tsx';

/** Why nothing can be saved. */
export const UNCHANGED = 'Nothing was changed yet.';

/**
 * A button that may be off. It says why beside it, once for a place: a keyboard passes over what is disabled, and a phone shows no
 * title. Whoever presses it all the same is told; nothing is done.
 */
export function Button({
  why,
  type = 'button',
  kind = '',
  isBusy = false,
  label,
  onClick,
  children,
}: {
  /** Why it cannot be pressed; undefined where it can. */
  readonly why?: string | undefined;
  readonly type?: 'button' | 'submit';
  readonly kind?: 'primary' | 'danger' | 'quiet' | '';
  readonly isBusy?: boolean;
  /** Its name for those who hear it, where its words alone say too little. */
  readonly label?: string;
  readonly onClick?: JSX.MouseEventHandler<HTMLButtonElement>;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  const own = useRef<HTMLButtonElement>(null);
  const said = useSaid(own, why);
  const isOff = why !== undefined;
  return (
    <>
      <button
        ref={own}
        type={type}
        class={kind}
        aria-label={label}
        aria-busy={isBusy}
        aria-disabled={isOff}
        aria-describedby={isOff ? (said ?? id) : undefined}
        onClick={(event) => {
          if (!isOff) return onClick?.(event);
          // Enter in a field of its form ends here, too.
          event.preventDefault();
          tell(why);
        }}
      >
        {children}
      </button>
      {isOff && said === undefined && (
        <small id={id} class="why">
          {why}
        </small>
      )}
    </>
  );
}

/** Fields that are closed together, and why: said as of a button that is off. */
export function Fieldset({
  why,
  kind = '',
  children,
}: {
  readonly why: string | undefined;
  readonly kind?: 'stack' | 'choices' | 'unused' | '';
  readonly children: ComponentChildren;
}) {
  const id = useId();
  const own = useRef<HTMLFieldSetElement>(null);
  const said = useSaid(own, why);
  return (
    <fieldset ref={own} class={kind} disabled={why !== undefined} aria-describedby={why && (said ?? id)}>
      {children}
      {why !== undefined && said === undefined && (
        <small id={id} class="why">
          {why}
        </small>
      )}
    </fieldset>
  );
}

/** The id of what says these words already: a note of the page, or what stands above in the place around; undefined where nothing does. */
function useSaid(own: RefObject<HTMLElement>, why: string | undefined): string | undefined {
  const spare = useId();
  const [said, setSaid] = useState<string>();
  // At each drawing: what said it may be gone.
  useLayoutEffect(() => {
    const element = own.current;
    if (element === null || why === undefined) return setSaid(undefined);
    const near = element.closest('.card, dialog, form, .head, main')?.querySelectorAll('.why, .field > small') ?? [];
    const notes = element.closest('dialog, main')?.querySelectorAll('.note') ?? [];
    const found = [...notes, ...near].find(
      (one) =>
        one.textContent?.includes(why) === true &&
        // Not its own words.
        one !== element.nextElementSibling &&
        one.parentElement !== element &&
        // Of two that would say it, the one above does.
        (!one.matches('.why') || (one.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) > 0),
    );
    if (found !== undefined && found.id === '') found.id = `why-${spare}`;
    setSaid(found?.id);
  });
  return said;
}
