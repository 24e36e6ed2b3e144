import { Field } from './form.tsx';
import { ownZone } from './time.tsx';

/** Whose clocks: the reader's own to begin with. */
export function ZoneField({ value = ownZone() }: { readonly value?: string }) {
  return (
    <>
      <Field label="Time zone" help="A name such as Europe/Berlin: summer time is followed.">
        <input
          type="text"
          name="zone"
          required
          maxLength={64}
          list="zones"
          defaultValue={value}
          autocomplete="off"
          spellcheck={false}
        />
      </Field>
      <datalist id="zones">
        {Intl.supportedValuesOf('timeZone').map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
