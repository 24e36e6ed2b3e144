import type { FieldDescribe, FieldValue, ObjectDescribe } from '../../domain/action.ts';
import { inTurns } from '../../domain/breath.ts';
import type { FieldProblem } from '../../domain/errors.ts';
import { EXTERNAL_ID, externalIdOf } from '../../domain/external-id.ts';
import { hostField } from '../../domain/host-fields.ts';
import type { Mapping, Rule } from '../../domain/mapping.ts';
import { nearest } from '../../domain/nearest.ts';
import { closedFor } from '../../domain/stored-value/answers.ts';
import { isRead } from '../../domain/stored-value/read.ts';
import { isCut, toStored } from '../../domain/stored-value/stored-value.ts';
import { findField, parentOf } from './compile.ts';
import { defaultMapping, isShippedRule } from './defaults.ts';

export interface MappingCheck {
  /** Stop the save. Each is named by its place: `rules.3.remote`. */
  readonly problems: readonly FieldProblem[];
  /** Worth knowing; the save goes on. */
  readonly warnings: readonly FieldProblem[];
}

/**
 * Everything wrong with a mapping at once, told when it is saved and not when a record meets it. A rule at a time: each may lead
 * to a list of its own of thousands of choices.
 */
export async function checkMapping(mapping: Mapping, describe: ObjectDescribe): Promise<MappingCheck> {
  const problems: FieldProblem[] = [];
  const warnings: FieldProblem[] = [];
  const seen = { remote: new Map<string, number>(), pulled: new Map<string, number>() };
  await inTurns([...mapping.rules.entries()], RULES_A_TURN, ([index, rule]) => {
    const say = (part: string, problem: string) => problems.push({ name: `rules.${index}.${part}`, problem });
    const warn = (part: string, problem: string) => warnings.push({ name: `rules.${index}.${part}`, problem });
    for (const name of rule.remote)
      claim(seen.remote, name.toLowerCase(), index, (first) =>
        say('remote', `${name} is already mapped by rules.${first}; one rule per Salesforce field`),
      );
    if (rule.direction !== 'to_crm')
      for (const name of rule.local)
        claim(seen.pulled, name, index, (first) =>
          say('local', `${name} is already filled by rules.${first}; make one of them "to_crm"`),
        );
    checkShape(rule, say);
    const isShipped = isShippedRule(mapping, rule);
    // What a fresh bot was given and this org lacks is left out of the work, and of no concern when anything else is saved.
    const absent: Say = (part, problem) =>
      isShipped ? warn(part, `${problem}: the rule is left out until it has`) : say(part, problem);
    if (rule.remote[0]?.includes('.')) checkParent(rule, describe, { say, warn, absent });
    else for (const name of rule.remote) checkField(rule, name, describe, { say, warn, absent });
    checkHostField(mapping, rule, describe, say, warn);
  });
  if (mapping.lookup) checkLookup(mapping, describe, problems);
  checkRequired(mapping, describe, warnings);
  checkFound(mapping, describe, problems);
  return { problems, warnings };
}

/** What is to be told of new records: which of them can be told apart from ours, and by what. */
function checkFound({ onRemoteCreate, foundIf }: Mapping, describe: ObjectDescribe, problems: FieldProblem[]): void {
  if (onRemoteCreate === 'tell' && externalIdOf(describe) === undefined)
    problems.push({
      name: 'onRemoteCreate',
      problem: `${describe.name} has no field ${EXTERNAL_ID} (external id, unique) that the connected user sees: records that we make could not be told from those of others`,
    });
  for (const [name, field] of [
    ['recordTypeIds', 'RecordTypeId'],
    ['ownerIds', 'OwnerId'],
  ] as const)
    if (foundIf?.[name] && !findField(describe, field))
      problems.push({ name: `foundIf.${name}`, problem: `${describe.name} has no ${field}` });
}

const RULES_A_TURN = 1;

type Say = (part: string, problem: string) => void;

function claim(taken: Map<string, number>, name: string, index: number, twice: (first: number) => void): void {
  const first = taken.get(name);
  if (first === undefined) taken.set(name, index);
  else twice(first);
}

function checkShape(rule: Rule, say: Say): void {
  const uses = rule.transforms.map((transform) => transform.use);
  const isTemplate = uses.includes('template');
  if (new Set(uses).size < uses.length) say('transforms', 'each transform once per rule');
  if ((rule.remote.length === 2) !== uses.includes('split_name')) {
    say('transforms', 'two Salesforce fields (first and last name) go with "split_name", and only with it');
  }
  if (rule.local.length > 2 && !isTemplate) say('local', 'more than two host fields need a "template"');
  if (rule.local.length === 2 && !isTemplate && !uses.includes('join_name')) {
    say('transforms', 'two host fields (first and last name) need "join_name"');
  }
  if (uses.includes('join_name') && rule.local.length !== 2) say('local', '"join_name" takes two host fields');
  if (isTemplate && rule.direction !== 'to_crm') say('direction', 'a template cannot be read back: make it "to_crm"');
  const isConstant = rule.local.length === 0 && !isTemplate;
  if (isConstant && !uses.includes('default')) say('local', 'name a host field, or give a "default" value');
  if (isConstant && rule.direction !== 'to_crm') say('direction', 'a constant can only go "to_crm"');
}

function checkParent(
  rule: Rule,
  describe: ObjectDescribe,
  { say, warn, absent }: Readonly<Record<'say' | 'warn' | 'absent', Say>>,
): void {
  const parent = parentOf(rule, describe);
  if (!parent) {
    const what = rule.parentObject === undefined ? '' : ` that can be a ${rule.parentObject}`;
    absent('remote', `${describe.name} has no parent called ${rule.remote[0]?.split('.')[0]}${what}`);
    return;
  }
  if (rule.direction !== 'from_crm' && !parent.write) {
    say(
      'parent',
      `writing ${rule.remote[0]} means choosing a ${parent.objects.join(' or ')}: set "parent" to "find" or "find_or_create", or read it only ("from_crm")`,
    );
  }
  if (COMPOUND.test(parent.field))
    say(
      'remote',
      `${rule.remote[0]} is a compound address: map its parts instead, such as ${rule.remote[0]?.replace(/Address$/, 'City')}`,
    );
  const field = findField(describe, parent.idField);
  if (rule.direction !== 'from_crm' && field && !field.updateable)
    say('remote', `${field.name} is not writable for this user`);
  if (parent.write && parent.objects.length > 1)
    warn(
      'parent',
      `${parent.relationship} may be a ${parent.objects.join(' or ')}: all of them are looked at by ${parent.field}, as far as it is there and open; name one with "parentObject"`,
    );
  if (parent.write === 'find_or_create' && parent.objects.length > 1)
    say('parentObject', `say which object is made where none is found: ${parent.objects.join(' or ')}`);
}

function checkField(
  rule: Rule,
  name: string,
  describe: ObjectDescribe,
  { say, warn, absent }: Readonly<Record<'say' | 'warn' | 'absent', Say>>,
): void {
  const field = findField(describe, name);
  if (!field) {
    const near = nearestField(name, describe);
    absent('remote', `${describe.name} has no field ${name}${near ? `; did you mean ${near}?` : ''}`);
    return;
  }
  if (UNWRITABLE.has(field.type)) {
    const parts = describe.fields.filter((part) => part.compoundFieldName === field.name && part.name !== field.name);
    const shown = parts.slice(0, 6).map((part) => part.name);
    say(
      'remote',
      `${field.name} is a compound ${field.type}: map its parts instead${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`,
    );
  }
  checkAnswer(rule, field, say, warn);
  for (const value of constants(rule)) checkValue(field, value, say);
  if (isTextual(rule) && NUMERIC.has(field.type))
    say('remote', `${field.name} holds a ${field.type}: text from this rule does not fit`);
  const hasDate = rule.transforms.some((transform) => transform.use === 'date');
  if (hasDate && !['date', 'datetime', 'string', 'textarea'].includes(field.type))
    say('transforms', `${field.name} is a ${field.type}, not a date`);
  if ((field.type === 'date' || field.type === 'datetime') && !hasDate && rule.direction !== 'from_crm') {
    warn(
      'transforms',
      `${field.name} is a ${field.type}: add the "date" transform so that other spellings of a date fit too`,
    );
  }
  if (
    field.restrictedPicklist &&
    rule.direction !== 'from_crm' &&
    !rule.transforms.some((one) => one.use === 'values')
  ) {
    warn(
      'transforms',
      `${field.name} takes only its listed values: add a "values" map, or unlisted values will be refused by Salesforce`,
    );
  }
}

/** A field that takes no writing, or answers otherwise than it was written. */
function checkAnswer({ direction }: Rule, field: FieldDescribe, say: Say, warn: Say): void {
  const [create, update] = [closedFor(field, 'create'), closedFor(field, 'update')];
  if (direction !== 'from_crm') {
    if (field.isCalculated || field.isAutoNumber)
      say('direction', `${field.name} ${update ?? create ?? 'is calculated by Salesforce'}: make it "from_crm"`);
    else if (create !== undefined && update !== undefined)
      say('direction', `${field.name} is not writable for this user: make it "from_crm"`);
    else if (create !== undefined || update !== undefined)
      warn('direction', `${field.name} ${update ?? create}; other changes of it are left out and named`);
  }
  if (field.isMasked && direction === 'from_crm')
    say('direction', `${field.name} is encrypted, and what is read of it is a mask: it can only be written ("to_crm")`);
  if (field.isMasked && direction === 'both')
    warn(
      'direction',
      `${field.name} is encrypted, and what is read of it is a mask: it is written and never taken over`,
    );
  if (field.isRichText && direction === 'both')
    warn('remote', `${field.name} is rich text: what is formatted in Salesforce arrives here as HTML`);
}

/** What a host field is known to hold must fit the Salesforce field that takes it. */
function checkHostField({ kind }: Mapping, rule: Rule, describe: ObjectDescribe, say: Say, warn: Say): void {
  const [local, ...more] = rule.local;
  const [remote, ...others] = rule.remote;
  const field = remote === undefined ? undefined : findField(describe, remote);
  const known = local === undefined ? undefined : hostField(kind, local);
  const isTranslated = rule.transforms.some(({ use }) => use === 'values' || use === 'template');
  if (!field || !known || more.length + others.length > 0 || isTranslated || rule.direction === 'from_crm') return;
  const isFit =
    known.type === 'number'
      ? !['boolean', 'date', 'datetime', 'reference'].includes(field.type)
      : known.type === 'date'
        ? !NUMERIC.has(field.type) || field.type.startsWith('date')
        : !NUMERIC.has(field.type);
  if (!isFit)
    say(
      'remote',
      `${field.name} holds a ${field.type}, and ${local} is ${known.type === 'email' ? 'an email' : `a ${known.type}`}`,
    );
  const isUsual = defaultMapping(kind).rules.some((usual) => usual.local[0] === local && usual.remote[0] === remote);
  if (known.most !== undefined && field.length > 0 && known.most > field.length && !isUsual)
    warn(
      'remote',
      `${local} may hold ${known.most} characters and ${field.name} takes ${field.length}: the end is cut off there, the host keeps all of it`,
    );
}

/** Of a parent no describe is at hand: the compound addresses of standard objects. */
const COMPOUND = /^(Billing|Shipping|Mailing|Other|Person(Mailing|Other))?Address$/;
const UNWRITABLE = new Set(['address', 'location']);
const NUMERIC = new Set(['int', 'double', 'currency', 'percent', 'boolean', 'date', 'datetime', 'reference']);

function isTextual(rule: Rule): boolean {
  return rule.transforms.some(
    ({ use }) => use === 'template' || use === 'join_name' || use === 'split_name' || use === 'lower',
  );
}

function constants(rule: Rule): readonly FieldValue[] {
  return rule.transforms.flatMap((transform) => {
    if (transform.use === 'values') return transform.pairs.map(([, remote]) => remote);
    const isLast = rule.transforms.at(-1) === transform;
    return transform.use === 'default' && isLast && transform.value !== undefined ? [transform.value] : [];
  });
}

function checkValue(field: FieldDescribe, value: FieldValue, say: Say): void {
  if (value === null) return;
  if (isCut(field, value))
    say('transforms', `"${String(value).slice(0, 40)}" is longer than ${field.name} allows (${field.length})`);
  const stored = toStored(field, value, { mayCut: true });
  if (!isRead(stored) && !field.restrictedPicklist && NUMERIC.has(field.type))
    say('transforms', `${field.name}: "${String(value).slice(0, 40)}" ${stored.problem}`);
  if (!isRead(stored) && field.restrictedPicklist)
    say('transforms', `${field.name}: "${String(value).slice(0, 40)}" ${stored.problem}`);
}

function checkLookup({ lookup }: Mapping, describe: ObjectDescribe, problems: FieldProblem[]): void {
  const field = lookup && findField(describe, lookup.remote);
  if (field?.filterable) return;
  problems.push({
    name: 'lookup.remote',
    problem: `${describe.name} cannot be looked up by ${lookup?.remote}: no such field, or not filterable`,
  });
}

/** What Salesforce demands on create and no rule fills. */
function checkRequired(mapping: Mapping, describe: ObjectDescribe, warnings: FieldProblem[]): void {
  const written = new Set(mapping.rules.filter((rule) => rule.direction !== 'from_crm').flatMap((rule) => rule.remote));
  for (const field of describe.fields) {
    const isRequired = field.createable && !field.nillable && !field.defaultedOnCreate;
    if (isRequired && !written.has(field.name)) {
      warnings.push({
        name: `rules`,
        problem: `${describe.name} cannot be created without ${field.name}, and no rule writes it`,
      });
    }
  }
}

function nearestField(name: string, { fields }: ObjectDescribe): string | undefined {
  const [near] = nearest(
    name,
    fields.flatMap(({ name, label }) => [name, label]),
  );
  return fields.find((field) => field.name === near || field.label === near)?.name;
}
