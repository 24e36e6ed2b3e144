/**
 * Where in the console the cure of a refusal is. Errors and notes name a command or a route, for they are read at every door;
 * whoever sits at a page has neither. Pure; runs on both sides. `test/contract/console-words.test.ts` holds it to every text.
 */

/** A name, an id or a file: what ends a sentence is no part of it. */
const WORD = String.raw`([\w@-]+(?:\.[\w@-]+)*)`;

/** A command or route as the texts write it, and the place. `$1` is the first name in it, most often the bot. */
const PLACES: readonly (readonly [said: string, place: string])[] = [
  [
    `gatehouse policy get ${WORD}(?: policy.json)?, then (?:gatehouse )?policy set(?: ${WORD} policy.json)?`,
    'Bots → $1 → Policy',
  ],
  [`gatehouse policy set ${WORD} FILE`, 'Bots → $1 → Policy'],
  [`gatehouse policy mode ${WORD} automatic`, 'Bots → $1 → Mode'],
  [`gatehouse policy on ${WORD} ${WORD}`, 'Permissions → $2 of $1 → Switch on again'],
  [`gatehouse grant ${WORD} ${WORD}`, 'Permissions → $1'],
  ['gatehouse bot list', 'Bots'],
  ['gatehouse bot create NAME', 'Bots → New bot'],
  [`gatehouse bot key ${WORD}(?: --host)?`, 'Bots → $1 → Keys'],
  ['gatehouse operator list', 'Settings → Operators'],
  [`gatehouse operator create NAME --role ${WORD}`, 'Settings → Operators'],
  [`gatehouse connect(?: ${WORD} --flow web| again| ${WORD})?`, 'Bots → its page → Reconnect'],
  [String.raw`gatehouse link ${WORD} ${WORD} (\S+) ${WORD}`, 'Sync → $1 → People and cases → $3'],
  ['gatehouse link', 'Sync → People and cases → Link'],
  ['gatehouse audit verify', 'Log → a row → Verify the chain'],
  ['gatehouse audit export', 'Log'],
  [`gatehouse org check ${WORD}`, 'Bots → $1 → Its org'],
  ['gatehouse org prepare BOT --deploy', 'Bots → its page → Its org'],
  [`POST /api/bots/${WORD}/org/deployments`, 'Bots → $1 → Its org'],
  [`gatehouse action list ${WORD}`, 'Bots → $1 → Actions without code'],
  [
    String.raw`POST /api/bots/${WORD}/sync/parents \{.*?\} with .*? true(?=\.)`,
    'Create it, choose a record, or leave it out: Sync → $1',
  ],
  [`POST /api/bots/${WORD}/sync/batches/${WORD}/cancel`, 'Sync → $1 → Batches'],
  [
    `Send the values to POST /api/proposals/${WORD}/edit, show the answer, and approve with its "seen"`,
    'Change the values again, look at what they do, and approve',
  ],
  [
    `gatehouse subscription set ${WORD} ${WORD}, or PUT /api/bots/${WORD}/sync/subscriptions/${WORD}`,
    'Sync → $1 → Events',
  ],
  ['GET /api/apps', 'Settings → Connected apps'],
  [`PUT /api/bots/${WORD}/sync/webhook(?:, or DELETE)?`, 'Sync → $1 → Events'],
  [`GET /api/proposals/${WORD}`, 'Approvals'],
  ['GET /api/audit', 'Log'],
  ['POST /api/bots/BOT/sessions', 'the REST API'],
  [`PUT /api/${WORD}/(?:${WORD}|\\{id\\})`, 'the REST API'],
];

const COMPILED = PLACES.map(([said, place]) => ({
  // Beside a place of the console the command is the other way, and goes: "…, Connect, or gatehouse connect demo".
  other: new RegExp(String.raw`(?: \(or (?:run )?${said}\)|,? or (?:with: |run )?${said}(?=[.)]))`, 'g'),
  only: new RegExp(String.raw`( with)?(: )?\b(Run )?${said}(?![\w/-])`, 'g'),
  place,
}));

/** The same words with the console's places in them; a text without a command or route comes back as it is. */
export function consoleWords(text: string): string {
  if (!/gatehouse |[A-Z] \/api\//.test(text)) return text;
  return COMPILED.reduce(
    (words, { other, only, place }) =>
      words
        .replaceAll(other, '')
        .replaceAll(
          only,
          (_, _with, colon = '', run, ...names) => `${colon}${run ? 'Open ' : ''}${filled(place, names)}`,
        ),
    text,
  );
}

const filled = (place: string, names: readonly unknown[]): string =>
  place.replaceAll(/\$(\d)/g, (_, nth: string) => String(names[Number(nth) - 1] ?? ''));
