/**
 * What describe knows, as the guard asks for it: names in any case, answers at once from data already fetched. A name
 * that the schema does not know is denied.
 */
export interface SoqlSchema {
  object(name: string): SoqlObject | undefined;
}

export interface SoqlObject {
  readonly name: string;
  /** `'unjudged'` when nobody listed this object's fields, so that only the policy speaks. */
  field(name: string): SoqlField | undefined | 'unjudged';
  /** `undefined` when the fields are not known. */
  fields(): readonly string[] | undefined;
  /** `field` is the lookup behind the relationship, when known. */
  parent(relationship: string): { readonly targets: readonly string[]; readonly field?: string } | undefined;
  /** `field` is the lookup on the child, when known. */
  child(relationship: string): { readonly object: string; readonly field?: string } | undefined;
}

export interface SoqlField {
  readonly name: string;
  readonly externalId?: boolean | undefined;
  readonly unique?: boolean | undefined;
  readonly type?: string | undefined;
  readonly filterable?: boolean | undefined;
}

/** What one bot may query. Fields are `Account.AnnualRevenue`, or `*.Secret__c` on every object. */
export interface SoqlPolicy {
  readonly allowObjects: readonly string[];
  readonly denyFields: readonly string[];
  /** Where an object is listed here, only these fields (and Id) are open. */
  readonly allowFields?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Open, but a query that touches one is never trivial. */
  readonly sensitiveFields?: readonly string[] | undefined;
  /** Fields such as `Name` that may be read of a record's owner or author although User and Group are closed. */
  readonly allowOwnerFields?: readonly string[] | undefined;
  readonly maxRows: number;
  readonly maxChildRows: number;
  readonly maxOffset: number;
  readonly maxLength: number;
  /** Date literals that this org's version has beyond the common ones, such as LAST_N_HOURS. */
  readonly dateLiterals?: readonly string[] | undefined;
  /** For the reader of a policy file: nothing is judged by it, since no public table says which version has which literal. */
  readonly apiVersion?: number | undefined;
}

/** An object of which only the name is known. */
export function bareObject(name: string): SoqlObject {
  return { name, field: () => 'unjudged', fields: () => undefined, parent: () => undefined, child: () => undefined };
}
