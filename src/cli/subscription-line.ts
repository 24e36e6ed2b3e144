/** One subscription as a person reads it. */
export function subscriptionLine({
  object,
  fields,
  when,
  channel,
  recordIdField,
}: {
  readonly object: string;
  readonly fields: readonly string[];
  readonly channel?: string;
  readonly recordIdField?: string;
  readonly when?: { readonly field: string; readonly becomes: readonly (string | boolean)[] };
}): string {
  return `${object}  ${fields.join(', ')}${when ? `, when ${when.field} becomes ${when.becomes.join(' or ')}` : ''}${channel ? `, on ${channel}` : ''}${recordIdField ? `, about the record in ${recordIdField}` : ''}`;
}
