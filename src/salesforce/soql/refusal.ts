/** Why a query may not pass: a stable code, where, what is wrong, and what a model should write instead. */
export class SoqlRefusal extends Error {
  readonly code: string;
  readonly position: number;
  readonly next: string;

  constructor(code: string, position: number, rule: string, next: string) {
    super(rule);
    this.name = 'SoqlRefusal';
    this.code = code;
    this.position = position;
    this.next = next;
  }
}
