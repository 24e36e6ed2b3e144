/** What a stock org has nothing to say about: left out of the project `stock` by name, each with its reason. */
import path from 'node:path';
import { beforeEach, expect, type RunnerTask } from 'vitest';

const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'sync/batch.test.ts': {
    'costs 12 calls for the first 10,000 people and 10 for fresh changes of all [sync-P30] [F6]':
      'a hundred people take the same way here',
  },
  'sync/claim-runner.test.ts': {
    'goes on without a field that the org lost, and keeps the other kind going meanwhile [S4] [R4]':
      'it loses TimeZone__c, which a stock org never had',
  },
  'sync/folded-ids.test.ts': {
    'keeps two people apart whose ids differ in case alone, where the external-id field does not tell them apart [S1]':
      'it is about Gatehouse_Id__c',
    'knows a person by the mark that was written before, letter for letter, and makes no second record':
      'the mark is Gatehouse_Id__c',
  },
  'sync/hosts.test.ts': {
    'lets lists in any order, workers and hints meet on the same records, and none of them dies of another [X3] [S8]':
      'it is about locks of our own rows',
  },
  'sync/parents.test.ts': {
    'makes a company also where its external-id field may not be written [S4]': 'that field is Gatehouse_Id__c',
  },
  'sync/identity.test.ts': {
    'meets DUPLICATE_VALUE when another made the record first, reads it and goes on [sync-P1]':
      'only the unique Gatehouse_Id__c makes Salesforce refuse the second',
  },
  'sync/stands-alone.test.ts': {
    'goes on by its own mark where Email cannot be looked up, known beforehand: true [G18]':
      'the mark is the unique Gatehouse_Id__c',
    'goes on by its own mark where Email cannot be looked up, known beforehand: false [G18]':
      'the mark is the unique Gatehouse_Id__c',
  },
  'sync/status.test.ts': {
    'tells that the org lost a field of a saved mapping, and not that it lacks one few orgs have [S5] [S6]':
      'it loses Preferred_Channel__c, which a stock org never had',
  },
  'sync/stored-values.test.ts': {
    'leaves behind and names what a field cannot hold, and everything and everybody else goes on [G01] [G07] [G09] [G10] [G24]':
      'its restricted list is that of Preferred_Channel__c',
  },
};

const mine = reasons[path.relative('test', expect.getState().testPath ?? '')] ?? {};

beforeEach(({ task, skip }) => {
  // A test that was renamed must not stay in the list for ever.
  const there = new Set(namesIn(task.file.tasks));
  expect(Object.keys(mine).filter((name) => !there.has(name))).toEqual([]);
  const reason = mine[task.name];
  if (reason !== undefined) skip(reason);
});

function namesIn(tasks: readonly RunnerTask[]): string[] {
  return tasks.flatMap((task) => ('tasks' in task ? namesIn(task.tasks) : [task.name]));
}
