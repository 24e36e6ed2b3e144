import type { FieldProblem } from '../../domain/errors.ts';
import { type HostFields, ruleKey } from '../../domain/mapping.ts';
import type { CompiledMapping, CompiledRule } from './compile.ts';

/** Records of the host that a mapping cannot carry whole, told before the first of them is synced. */
export function checkSamples(
  { mapping, rules }: CompiledMapping,
  samples: readonly (HostFields & { readonly id: string })[],
): readonly FieldProblem[] {
  const places = new Map(mapping.rules.map((rule, index) => [ruleKey(rule), index]));
  return rules.flatMap((rule) => {
    const found = rule.direction === 'from_crm' ? [] : samples.flatMap((sample) => problemOf(rule, sample) ?? []);
    const [first] = found;
    if (!first) return [];
    const many = found.length > 1 ? ` (${found.length} of ${samples.length} records)` : '';
    return [{ name: `rules.${places.get(rule.key)}.local`, problem: `${first}${many}` }];
  });
}

function problemOf(rule: CompiledRule, sample: HostFields & { readonly id: string }): string | undefined {
  try {
    return lossOf(rule, sample);
  } catch (thrown) {
    return `${sample.id}: ${rule.key} would be left out, a value of it cannot be worked on (${String(thrown).slice(0, 160)})`;
  }
}

function lossOf(rule: CompiledRule, sample: HostFields & { readonly id: string }): string | undefined {
  const value = rule.fromHost(sample);
  if (value === undefined || value === null) return undefined;
  if (rule.isCut(value, sample))
    return `${sample.id} holds more than ${rule.key} takes: the end is cut off there, the host keeps all of it`;
  const misfit = rule.misfit(value, sample);
  return misfit && `${sample.id}: ${misfit.replace('was not sent', 'would not be sent').replace(/\.$/, '')}`;
}
