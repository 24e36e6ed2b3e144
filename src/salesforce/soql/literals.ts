/** Values as SOQL writes them. The one escaper: whatever becomes part of a query's text goes through here. */

export function textLiteral(value: string): string {
  return `'${value.replace(/[\\'"\n\r\t\b\f]/g, escaped)}'`;
}

/** SOQL reads no exponents. */
export function numberLiteral(value: number): string {
  return /e/.test(String(value))
    ? value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 20 })
    : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f' };

function escaped(character: string): string {
  return ESCAPES[character] ?? `\\${character}`;
}
