/** Records of Salesforce, and what describe says of them. */

export type FieldValue = string | number | boolean | null;

export type Fields = Readonly<Record<string, FieldValue>>;

/** A record as read: nulls included, `attributes` gone, parents nested under their relationship name. */
export interface SObject {
  readonly Id: string;
  readonly [field: string]: unknown;
}

/** The part of a describe that we use. */
export interface ObjectDescribe {
  readonly name: string;
  readonly label: string;
  readonly keyPrefix: string | null;
  readonly fields: readonly FieldDescribe[];
  readonly childRelationships: readonly {
    readonly relationshipName: string | null;
    readonly childSObject: string;
    readonly field: string;
  }[];
}

export interface FieldDescribe {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly length: number;
  readonly nillable: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly defaultedOnCreate: boolean;
  readonly filterable: boolean;
  readonly unique: boolean;
  readonly externalId: boolean;
  readonly idLookup: boolean;
  readonly custom: boolean;
  readonly restrictedPicklist: boolean;
  /** Of a unique text: values that differ in case alone are one and the same to the org. */
  readonly foldsCase?: true;
  /** Decimal places of a number; absent where the org did not say. */
  readonly scale?: number;
  /** Digits of a number in all, places included; of a whole number `digits`. Absent where the org did not say. */
  readonly precision?: number;
  readonly digits?: number;
  /** What follows is absent, which is no, in most fields. Reads show a mask, `********5678` (classic encryption). */
  readonly isMasked?: boolean;
  /** Text is kept as HTML. */
  readonly isRichText?: boolean;
  readonly isCalculated?: boolean;
  readonly isAutoNumber?: boolean;
  /** Permission sets give and take it. */
  readonly isPermissionable?: boolean;
  readonly picklistValues: readonly { readonly value: string; readonly label: string; readonly active: boolean }[];
  readonly referenceTo: readonly string[];
  readonly relationshipName: string | null;
  readonly compoundFieldName: string | null;
  /** Of a formula field: what it is calculated from. */
  readonly formula?: string;
}
