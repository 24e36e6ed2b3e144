import { api, said } from '../api.ts';

/** A mapping while it is edited, and what is said of it. */

export const readMapping = (bot: string, kind: 'party' | 'case') =>
  said(api.GET('/api/bots/{bot}/mappings/{kind}', { params: { path: { bot, kind } } }));
export type Mapping = Awaited<ReturnType<typeof readMapping>>['mapping'];
export type Rule = Mapping['rules'][number];

export const readObject = (bot: string, object: string) =>
  said(api.GET('/api/bots/{bot}/objects/{object}', { params: { path: { bot, object } } }));

export const keyOf = (rule: Rule): string => rule.remote.join('+');

/** Fields of the object itself stand under its name, those of a parent under the parent's. */
export function groupOf({ remote: [first = ''] }: Rule, object: string): string {
  return first.includes('.') ? (first.split('.')[0] ?? object) : object;
}

/** A rule's transforms as a person would say them. */
export function transformWords({ transforms, parent }: Rule): string {
  const words = transforms.map((one) => {
    switch (one.use) {
      case 'split_name':
        return 'name in two';
      case 'join_name':
        return 'joined to a name';
      case 'values':
        return `${one.pairs.length} values`;
      case 'date':
        return one.form === 'datetime' ? 'date and time' : 'date';
      case 'default':
        return one.from
          ? `else ${one.from}${one.plusDays ? ` + ${one.plusDays} days` : ''}`
          : `else ${String(one.value)}`;
      case 'template':
        return `text “${one.text}”`;
      default:
        return one.use;
    }
  });
  const found = { find: 'found by this', find_or_create: 'found by this, or created' };
  return [...words, ...(parent ? [found[parent]] : [])].join(', ');
}
