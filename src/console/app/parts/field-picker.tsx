import Combobox from '@github/combobox-nav';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export interface Pickable {
  readonly name: string;
  readonly label: string;
  readonly note?: string | undefined;
}

/** More would not be read; more letters find the rest. */
const MOST_SHOWN = 40;

/** One field among hundreds, by its label or API name; arrows, Enter and Escape as in every list of suggestions. */
export function FieldPicker({
  label,
  fields,
  value,
  disabled,
  onPick,
}: {
  readonly label: string;
  readonly fields: readonly Pickable[];
  readonly value: string;
  readonly disabled?: boolean;
  readonly onPick: (name: string) => void;
}) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [words, setWords] = useState<string>();
  const pick = useRef(onPick);
  pick.current = onPick;

  const box = useRef<Combobox>();
  const isOpen = words !== undefined;
  useEffect(() => {
    if (input.current === null || list.current === null) return;
    const options = list.current;
    const take = ({ target }: Event) => {
      const name = target instanceof HTMLElement ? target.dataset.name : undefined;
      if (name !== undefined) pick.current(name);
      setWords(undefined);
    };
    options.addEventListener('combobox-commit', take);
    box.current = new Combobox(input.current, options);
    return () => {
      options.removeEventListener('combobox-commit', take);
      box.current?.destroy();
    };
  }, []);
  useEffect(() => (isOpen ? box.current?.start() : box.current?.stop()), [isOpen]);

  const wanted = words?.trim().toLowerCase() ?? '';
  const fits = fields.filter((one) => `${one.name} ${one.label}`.toLowerCase().includes(wanted));
  const shown = words === undefined ? [] : fits.slice(0, MOST_SHOWN);
  return (
    <div class="picker">
      <input
        ref={input}
        type="text"
        aria-label={label}
        autocomplete="off"
        spellcheck={false}
        disabled={disabled}
        value={words ?? value}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setWords(undefined);
          if (event.key === 'ArrowDown' && words === undefined) setWords('');
        }}
        onBlur={() => setTimeout(() => setWords(undefined), 150)}
      />
      <div
        ref={list}
        id={`fields-${id}`}
        role="listbox"
        aria-label={`${label}: suggestions`}
        hidden={shown.length === 0}
      >
        {shown.map((one) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input, which names the active option
          <div
            key={one.name}
            id={`${id}-${one.name.replace('.', '-')}`}
            role="option"
            aria-selected="false"
            data-name={one.name}
          >
            {one.label} <small>{one.name}</small>
            {one.note && <small> · {one.note}</small>}
          </div>
        ))}
      </div>
    </div>
  );
}
