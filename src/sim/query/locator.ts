export interface Locator {
  readonly id: string;
  readonly userId: string;
  readonly soql: string;
  readonly ids: readonly string[];
  readonly pageSize: number;
}
