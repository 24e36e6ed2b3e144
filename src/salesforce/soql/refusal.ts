/**
 * Why a query may not pass: a stable code, where, what is wrong, and what a model should write instead. It is thrown but
 * is no Error: a refusal is an ordinary answer, and collecting a stack would cost more than reading the query.
 */
export class SoqlRefusal {
  readonly code: string;
  readonly position: number;
  readonly rule: string;
  readonly next: string;

  constructor(code: string, position: number, rule: string, next: string) {
    this.code = code;
    this.position = position;
    this.rule = rule;
    this.next = next;
  }
}
