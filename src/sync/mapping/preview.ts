import type { FieldValue } from '../../domain/action.ts';
import type { Direction, HostFields } from '../../domain/mapping.ts';
import type { CompiledMapping, CompiledRule, RemoteRecord } from './compile.ts';

export interface PreviewLine {
  readonly rule: string;
  readonly direction: Direction;
  /** What would be sent, by API name; empty when nothing would. */
  readonly sends: Readonly<Record<string, FieldValue>>;
  /** What the host would get from the record; empty when nothing would. */
  readonly receives: Readonly<Record<string, FieldValue>>;
  readonly note?: string;
}

/** What each rule does with one sample of either side; writes nothing and asks nobody. */
export function previewMapping(
  { rules }: CompiledMapping,
  host: HostFields | undefined,
  record: RemoteRecord | undefined,
): readonly PreviewLine[] {
  return rules.map((rule) => {
    try {
      return lineOf(rule);
    } catch (thrown) {
      const note = `left out: a value of it cannot be worked on (${String(thrown).slice(0, 160)})`;
      return { rule: rule.key, direction: rule.direction, sends: {}, receives: {}, note };
    }
  });

  function lineOf(rule: CompiledRule): PreviewLine {
    const said = host && rule.direction !== 'from_crm' ? rule.fromHost(host) : undefined;
    const received = record && rule.direction !== 'to_crm' ? rule.fromRemote(record) : undefined;
    const misfit = host && said !== undefined && said !== null ? rule.misfit(said, host) : undefined;
    const isShort = host && said !== undefined && rule.isCut(said, host);
    return {
      rule: rule.key,
      direction: rule.direction,
      sends: host && said !== undefined ? rule.toRemote(said, host) : {},
      receives: received === undefined ? {} : rule.toHost(received),
      ...(misfit === undefined ? {} : { note: misfit.replace('was not sent', 'would not be sent') }),
      ...(isShort
        ? { note: 'longer than the Salesforce field: the end is cut off there, the host keeps all of it' }
        : {}),
    };
  }
}
