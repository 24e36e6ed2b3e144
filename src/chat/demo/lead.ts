/** Filling in a lead, question by question. Nothing is ever made up. */
export interface LeadSlots {
  readonly name?: string;
  readonly company?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly description?: string;
}

const WISH =
  /\b(enterprise plan|pricing|price list|quote|sales team|talk to sales|contact me|get in touch|call me back|interested in|hear about|(create|add|new) (a |the )?(new )?lead|lead for)\b/i;

export function isLeadWish(text: string): boolean {
  return WISH.test(text);
}

const NAME = "\\p{Lu}[\\p{L}'’-]*(?:\\s+(?:(?:van|von|de|der|den|da|di|du|la|le)\\s+)*\\p{Lu}[\\p{L}'’-]*){0,3}";
const FOUND = {
  email: /[^\s@,;:<>()[\]"]+@[\p{L}\d-]+(?:\.[\p{L}\d-]+)+/u,
  phone: /\+\d[\d ()-]{6,}\d/u,
  name: new RegExp(`(?:\\b[Ii]['’]?m|\\bI am|[Mm]y name is|[Tt]his is|[Nn]ame:|[Ll]ead for)\\s+(${NAME})`, 'u'),
  company:
    /(?:\b(?:from|at|of)|[Cc]ompany(?: is|:)|[Ww]ork for)\s+(\p{Lu}[\p{L}\d&.'’ -]*?)(?=\s*(?:[,;.!?]|$|\s(?:and|my|with|email|mail)\b|[\w.+-]+@))/u,
} as const;
const NO_COMPANY = /\b(no company|without a company|private(ly)?|for myself|don'?t have a company)\b/i;

export function fillLead(known: LeadSlots, text: string, isAnswer: boolean): LeadSlots {
  const found: Record<string, string> = {};
  let rest = text;
  for (const [slot, pattern] of Object.entries(FOUND)) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    found[slot] = (match[1] ?? match[0]).trim();
    rest = rest.replace(match[0], ' ');
  }
  if (NO_COMPANY.test(text)) found.company = '[not provided]';
  if (isAnswer && !/[?]/.test(text)) {
    // "Jane Doe, Initrode": bare answers, in the order of the question.
    const open = missingOf({ ...known, ...found }).filter((slot) => slot !== 'email');
    const bare = rest
      .split(/[,;\n]|\band\b/)
      .map((part) => part.replace(/^[\s.:!]+|[\s.:!]+$/g, ''))
      .filter((part) => /^[\p{L}\d]/u.test(part) && part.length <= 60 && !FILLER.test(part));
    for (const [at, slot] of open.entries()) if (bare[at] !== undefined) found[slot] = bare[at];
  }
  return { ...found, ...known, ...found };
}

const FILLER = /^(my|the|it'?s|email|mail|is|here|sure|yes|ok|okay|please|thanks?)\b/i;

export function missingOf({ name, company, email }: LeadSlots): ('name' | 'company' | 'email')[] {
  return [
    ...(name === undefined ? (['name'] as const) : []),
    ...(company === undefined ? (['company'] as const) : []),
    ...(email === undefined ? (['email'] as const) : []),
  ];
}

const ASKED = { name: 'your name', company: 'your company', email: 'your work email' } as const;

export function questionFor(lead: LeadSlots): string {
  const missing = missingOf(lead).map((slot) => ASKED[slot]);
  const list = missing.length === 1 ? missing[0] : `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}`;
  return missing.length === 3
    ? `I can have somebody get in touch. What is ${list}?`
    : `Thank you. I still need ${list}.`;
}

export function leadCall({ name = '', company = '', email, phone, description }: LeadSlots) {
  const [first = '', ...others] = name.split(/\s+/);
  const args = {
    lastName: others.length === 0 ? first : others.join(' '),
    ...(others.length === 0 ? {} : { firstName: first }),
    company,
    email,
    phone,
    leadSource: 'Web',
    description,
  };
  return { name: 'CreateLead', args };
}
