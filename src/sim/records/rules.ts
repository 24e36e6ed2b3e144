/** What administrators add: duplicate rules on people, one validation rule on opportunities. */
import { Refusal, refuseWrite } from '../refusal.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import type { Writer } from './writer-form.ts';

type Draft = Readonly<Record<string, Value | undefined>>;

export function checkValidationRule(writer: Writer, object: ObjectType, draft: Draft): void {
  if (!writer.org.settings.validation || object.name !== 'Opportunity') return;
  if (draft.StageName === 'Closed Won' && !(Number(draft.Amount) > 0)) {
    throw refuseWrite('FIELD_CUSTOM_VALIDATION_EXCEPTION', 'A won opportunity needs an amount.', ['Amount']);
  }
}

/** `Sforce-Duplicate-Rule-Header: allowSave=true`, of a request or of one part of a composite. */
export const allowsDuplicates = (headers: Headers): boolean =>
  /allowSave\s*=\s*true/i.test(headers.get('sforce-duplicate-rule-header') ?? '');

const alertText = 'Use one of these records?';

/** The standard rules: a person with the same email already stands among Contacts, or among Leads. */
export function checkDuplicateRule(writer: Writer, object: ObjectType, draft: Draft, version: string): void {
  const mode = writer.org.settings.duplicates;
  if (mode === 'off' || (object.name !== 'Contact' && object.name !== 'Lead')) return;
  const allowSave = mode === 'alert';
  const email = draft.Email;
  if (typeof email !== 'string' || (allowSave && writer.allowsDuplicates)) return;
  const matches = sameEmail(writer, object.name, email).filter((row) => row.Id !== draft.Id);
  if (matches.length === 0) return;
  throw new Refusal(400, {
    duplicateResut: {
      allowSave,
      duplicateRule: `Standard_${object.name}_Duplicate_Rule`,
      duplicateRuleEntityType: object.name,
      errorMessage: alertText,
      matchResults: [
        {
          entityType: object.name,
          errors: [],
          matchEngine: 'ExactMatchEngine',
          matchRecords: matches.map((row) => ({
            additionalInformation: [],
            fieldDiffs: [],
            matchConfidence: 100,
            record: {
              attributes: { type: object.name, url: `/services/data/${version}/sobjects/${object.name}/${row.Id}` },
              Id: row.Id,
            },
          })),
          rule: `Standard_${object.name}_Match_Rule_v1_1`,
          size: matches.length,
          success: true,
        },
      ],
    },
    errorCode: 'DUPLICATES_DETECTED',
    message: alertText,
  });
}

function sameEmail(writer: Writer, object: string, email: string): Row[] {
  const type = writer.org.schema.object(object);
  const field = type && fieldOf(type, 'Email');
  return field
    ? writer.org
        .table(object)
        .where(field, email)
        .filter((row) => !row.IsDeleted)
    : [];
}
