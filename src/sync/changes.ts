import type { Change, FieldValue } from '../action.ts';
import { findField } from '../mapping/compile.ts';
import type { Forecast } from './forecast.ts';
import type { LogChange } from './ports.ts';
import type { Target } from './target.ts';

const LONGEST_SHOWN = 500;

/** What would be written and taken over, as people and policy read it. Closed fields are in no plan, so they are not here. */
export function toChanges(
  { describe }: Target,
  {
    pushed,
    pulled,
    makes = [],
  }: { pushed: readonly LogChange[]; pulled: readonly LogChange[]; makes?: Forecast['makes'] },
): readonly Change[] {
  return [
    ...makes.map(({ object, name }) => ({ field: object, label: `New ${object}`, before: null, after: shown(name) })),
    ...[...pushed, ...pulled].map(({ field, before, after }) => ({
      field,
      label: labelOf(field),
      before: shown(before),
      after: shown(after),
    })),
  ];

  function labelOf(field: string): string {
    return field
      .split('+')
      .map((name) => findField(describe, name)?.label ?? name)
      .join(' + ');
  }
}

const shown = (value: FieldValue): FieldValue =>
  typeof value === 'string' && value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
