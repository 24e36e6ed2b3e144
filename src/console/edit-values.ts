import type { Proposal } from '../domain/proposal.ts';
import { type Html, html } from './html.ts';

/**
 * Values that an approver may correct: those that a listed field would get, never which record or which action. Inputs are
 * named like their field (`stageName` for StageName, exposed ones exactly), which is how the two are matched.
 */

export interface EditableArg {
  readonly name: string;
  readonly label: string;
  readonly value: string | number | boolean;
}

const PREFIX = 'value.';

export function editableArgs({ args, preview }: Proposal): EditableArg[] {
  return (preview?.changes ?? []).flatMap(({ field, label }) => {
    const name = [field, field.charAt(0).toLowerCase() + field.slice(1)].find((candidate) => candidate in args);
    const value = name === undefined ? undefined : args[name];
    return name !== undefined && isScalar(value) ? [{ name, label, value }] : [];
  });
}

export function editField({ name, label, value }: EditableArg): Html {
  const input = `${PREFIX}${name}`;
  const control =
    typeof value === 'boolean'
      ? html`<select name="${input}"><option value="true"${value && html` selected`}>Yes</option><option value="false"${!value && html` selected`}>No</option></select>`
      : typeof value === 'number'
        ? html`<input type="number" step="any" name="${input}" value="${value}">`
        : /^\d{4}-\d{2}-\d{2}$/.test(value)
          ? html`<input type="date" name="${input}" value="${value}">`
          : value.length > 100 || value.includes('\n')
            ? html`<textarea name="${input}">${`\n${value}`}</textarea>`
            : html`<input type="text" name="${input}" value="${value}" autocomplete="off">`;
  return html`<label class="field"><span>${label} <code>${name}</code></span>${control}</label>`;
}

/** An edited value on its way through the screen that shows what it would do. */
export function editHidden(name: string, value: unknown): Html {
  return html`<input type="hidden" name="${PREFIX}${name}" value="${String(value)}">`;
}

/** What the form changed, in the types of the original; undefined when nothing. */
export function editedValues(proposal: Proposal, form: URLSearchParams): Record<string, unknown> | undefined {
  const changed = editableArgs(proposal).flatMap(({ name, value }) => {
    const given = form.get(`${PREFIX}${name}`)?.replace(/\r\n/g, '\n');
    if (given === undefined || given === String(value).replace(/\r\n/g, '\n')) return [];
    return [[name, toType(given, value)]];
  });
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function toType(given: string, original: EditableArg['value']): unknown {
  if (typeof original === 'boolean') return given === 'true';
  // An empty or unreadable number stays text, so that the action's own schema refuses it with its name.
  if (typeof original === 'number') return given.trim() === '' || Number.isNaN(Number(given)) ? given : Number(given);
  return given;
}

function isScalar(value: unknown): value is EditableArg['value'] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
