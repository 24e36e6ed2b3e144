import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRights, type HeldObject, type NeededObject } from '../../src/domain/rights.ts';

const FIELDS = ['Name', 'Email', 'Phone', 'Amount', 'Stage'];

const need = (object: string): fc.Arbitrary<NeededObject> =>
  fc.record({
    object: fc.constant(object),
    create: fc.boolean(),
    edit: fc.boolean(),
    delete: fc.boolean(),
    because: fc.constant(['CreateLead']),
    fields: fc
      .subarray(FIELDS)
      .chain((names) =>
        fc.tuple(
          ...names.map((name) =>
            fc.record({ name: fc.constant(name), isEdited: fc.boolean(), isOptional: fc.boolean() }),
          ),
        ),
      ),
  });
const needs = fc
  .subarray(['Account', 'Contact', 'Lead'])
  .chain((objects) => fc.tuple(...objects.map((object) => need(object))));

/** Exactly what is needed, in another case. */
const exactly = (one: NeededObject): HeldObject => ({
  object: one.object.toUpperCase(),
  create: one.create,
  edit: one.edit,
  delete: one.delete,
  viewAll: false,
  modifyAll: false,
  fields: one.fields.map(({ name, isEdited }) => ({
    name: name.toLowerCase(),
    isEditable: isEdited,
    isPermissionable: true,
  })),
});

const held = fc
  .subarray(['Account', 'Contact', 'Lead', 'Case'])
  .chain((objects) => fc.tuple(...objects.map((object) => need(object).map(exactly))));
const nothing = { tooLittle: [], tooMuch: [], system: [], isSystemUnknown: false };

describe('what a user may do beside what a bot needs', () => {
  it('says nothing where both are the same, whatever case and order the names come in [B5]', () => {
    fc.assert(
      fc.property(needs, (wanted) => {
        const objects = wanted.map(exactly).reverse();
        expect(compareRights(wanted, { objects, system: ['ApiEnabled'] })).toEqual(nothing);
      }),
    );
  });

  it('names exactly the right that was taken away, and exactly the one that was added [B5]', () => {
    const one = needs.filter((all) => all.length > 0);
    fc.assert(
      fc.property(one, fc.constantFrom('create', 'edit', 'delete'), (wanted, way) => {
        const [first, ...rest] = wanted;
        if (first === undefined) return;
        const flipped = { ...exactly(first), [way]: !first[way] };
        const { tooLittle, tooMuch } = compareRights(wanted, {
          objects: [flipped, ...rest.map(exactly)],
          system: ['ApiEnabled'],
        });
        const told = first[way] ? tooLittle : tooMuch;
        expect(tooLittle.length + tooMuch.length).toBe(1);
        expect(told).toMatchObject([{ rights: [way], readFields: [], editFields: [] }]);
      }),
    );
  });

  it('leaves nothing to say once what it said was done: given what is too little, taken what is too much [B5]', () => {
    fc.assert(
      fc.property(needs, held, (wanted, objects) => {
        const { tooLittle, tooMuch } = compareRights(wanted, { objects, system: [] });
        const cured = new Map(objects.map((object) => [object.object, object]));
        for (const { object, rights, readFields, editFields } of tooLittle) {
          const key = object.toUpperCase();
          const before = cured.get(key) ?? {
            ...{ object: key, create: false, edit: false, delete: false, viewAll: false, modifyAll: false },
            fields: (wanted.find((one) => one.object === object)?.fields ?? []).map(({ name, isEdited }) => ({
              ...{ name, isEditable: isEdited, isPermissionable: true },
            })),
          };
          const isEdited = (name: string) =>
            wanted.find((one) => one.object === object)?.fields.find((field) => field.name === name)?.isEdited === true;
          const fields = [
            ...(before.fields ?? []).map((field) => ({
              ...field,
              isEditable:
                field.isEditable || editFields.some((name) => name.toLowerCase() === field.name.toLowerCase()),
            })),
            ...readFields.map((name) => ({ name, isEditable: isEdited(name), isPermissionable: true })),
          ];
          cured.set(key, { ...before, ...Object.fromEntries(rights.map((right) => [right, true])), fields });
        }
        for (const { object, rights, readFields, editFields } of tooMuch) {
          const before = cured.get(object);
          if (before === undefined) continue;
          const fields = (before.fields ?? [])
            .filter(({ name }) => !readFields.includes(name))
            .map((field) => ({ ...field, isEditable: field.isEditable && !editFields.includes(field.name) }));
          cured.set(object, { ...before, ...Object.fromEntries(rights.map((right) => [right, false])), fields });
        }
        const after = compareRights(wanted, { objects: [...cured.values()], system: [] });
        expect([after.tooLittle, after.tooMuch]).toEqual([[], []]);
      }),
    );
  });

  it('names system permissions that no bot needs, and says where it could not look [B5]', () => {
    expect(compareRights([], { objects: [], system: ['ApiEnabled', 'ModifyAllData'] }).system).toEqual([
      'ModifyAllData',
    ]);
    expect(compareRights([], { objects: [], system: undefined }).isSystemUnknown).toBe(true);
  });
});
