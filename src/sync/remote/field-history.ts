import { GatehouseError } from '../../domain/errors.ts';
import type { CompiledRule } from '../mapping/compile.ts';
import { isAboutFields, lookUp } from './look-up.ts';
import { toMs } from './soql-read.ts';
import type { Target } from './target.ts';
import { isSystemic } from './trouble.ts';

/**
 * When each field last changed, from the org's field history. Asked for true conflicts only, one query for a whole chunk.
 * An org that tracks no history of the object says so once, and is not asked again for an hour.
 */
export function createFieldHistory(now: () => number) {
  const absentUntil = new Map<string, number>();

  return {
    isKnownAbsent: (target: Target) => (absentUntil.get(keyOf(target)) ?? 0) > now(),

    async times(
      target: Target,
      asked: readonly { readonly linkId: string; readonly sfId: string; readonly rules: readonly CompiledRule[] }[],
      onCall: () => void,
    ): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
      const times = new Map<string, Map<string, number>>();
      if (asked.length === 0 || (absentUntil.get(keyOf(target)) ?? 0) > now()) return times;
      const { object, parentField } = historyOf(target.object);
      try {
        const [rows = []] = await lookUp(
          target.org,
          [
            {
              object,
              select: [parentField, 'Field', 'CreatedDate'],
              field: parentField,
              values: asked.map((one) => one.sfId),
            },
          ],
          onCall,
        );
        for (const { linkId, sfId, rules } of asked) {
          const mine = rows.filter((row) => row[parentField] === sfId);
          for (const rule of rules) {
            const changed = mine
              .filter((row) => isAbout(rule, String(row.Field)))
              .map((row) => toMs(String(row.CreatedDate)));
            if (changed.length === 0) continue;
            const known = times.get(linkId) ?? new Map<string, number>();
            times.set(linkId, known.set(rule.key, Math.max(...changed)));
          }
        }
      } catch (error) {
        // It only sharpens a decision: without it the record's own time counts.
        if (!(error instanceof GatehouseError) || isSystemic(error)) throw error;
        absentUntil.set(keyOf(target), now() + (isAboutFields(error) ? 3_600_000 : 60_000));
      }
      return times;
    },
  };
}

export type FieldHistory = ReturnType<typeof createFieldHistory>;

const keyOf = ({ scope, object }: Target): string => `${scope.orgId}:${object}`;

/** ContactHistory.ContactId, OpportunityFieldHistory.OpportunityId, Matter__History.ParentId */
function historyOf(object: string): { object: string; parentField: string } {
  if (object.endsWith('__c')) return { object: object.replace(/__c$/, '__History'), parentField: 'ParentId' };
  return {
    object: object === 'Opportunity' ? 'OpportunityFieldHistory' : `${object}History`,
    parentField: `${object}Id`,
  };
}

/** A parent rule changes its reference field; history calls a name by its compound too. */
function isAbout(rule: CompiledRule, field: string): boolean {
  if (rule.parent) return field === rule.parent.idField || field === rule.parent.relationship;
  return rule.remote.includes(field) || (rule.remote.includes('LastName') && field === 'Name');
}
