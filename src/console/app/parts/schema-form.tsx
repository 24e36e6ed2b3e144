import { Field } from './form.tsx';

/** Inputs made from the JSON Schema of an action: one of each kind that our actions have; the rest as JSON. */

interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly format?: string;
}

type Schema = Readonly<Record<string, unknown>>;

const propertiesOf = (schema: Schema): [string, Property][] =>
  // Written by the server from the action's own schema.
  Object.entries((schema.properties ?? {}) as Readonly<Record<string, Property>>);

export function SchemaFields({ schema }: { readonly schema: Schema }) {
  const required = new Set((schema.required ?? []) as readonly string[]);
  return (
    <>
      {propertiesOf(schema).map(([name, property]) => (
        <Field key={name} label={required.has(name) ? `${name} (needed)` : name} help={property.description}>
          <Control name={name} property={property} isRequired={required.has(name)} />
        </Field>
      ))}
    </>
  );
}

function Control({
  name,
  property: { type, enum: choices },
  isRequired,
}: {
  readonly name: string;
  readonly property: Property;
  readonly isRequired: boolean;
}) {
  if (choices !== undefined || type === 'boolean')
    return (
      <select name={name} required={isRequired}>
        <option value="">–</option>
        {(choices ?? ['true', 'false']).map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  if (type === 'string' || type === 'number' || type === 'integer')
    return (
      <input
        type={type === 'string' ? 'text' : 'number'}
        step={type === 'integer' ? 1 : 'any'}
        name={name}
        required={isRequired}
        autocomplete="off"
        spellcheck={false}
      />
    );
  return <textarea name={name} required={isRequired} rows={2} spellcheck={false} placeholder="JSON" />;
}

/** What was filled in, in the schema's own types; what is no JSON goes as the text it is, and the server says what is wrong. */
export function readSchemaFields(schema: Schema, fields: FormData): Record<string, unknown> {
  return Object.fromEntries(
    propertiesOf(schema).flatMap(([name, { type, enum: choices }]) => {
      const text = String(fields.get(name) ?? '');
      if (text === '') return [];
      if (type === 'string' || choices !== undefined) return [[name, text]];
      try {
        return [[name, JSON.parse(text)]];
      } catch {
        return [[name, text]];
      }
    }),
  );
}
