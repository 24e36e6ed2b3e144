/**
 * Every promise that we make, by its id, which comments and test names cite. `held` ones must be cited by a test as `[A3]` at
 * the end of its name, `later` ones are what nobody asked for yet, `owed` ones say what is missing.
 */
export const REQUIREMENTS = {
  A1: {
    state: 'held',
    promise:
      'each is typed: strict flat zod input, zod output, annotations derived from risk, stable names; the same object makes the MCP tool, REST route, chat function, console form and docs.',
  },
  A2: {
    state: 'held',
    promise:
      "picklist values are checked against the org's describe (cached per connection), never put into schemas or descriptions: a label becomes its API value, an unlisted value of a restricted picklist is refused with the nearest ones, of an unrestricted one it is a warning in the confirmation. Operators may expose further fields per bot, typed from describe.",
  },
  A3: { state: 'held', promise: 'ids: 15 or 18 characters, prefix and check characters verified, 18 kept.' },
  A4: {
    state: 'held',
    promise:
      "a write repeated (retry, double click, resumed call; same principal, conversation and arguments within 10 minutes, or the caller's own key) has one effect and answers `alreadyDone` while the record still holds it.",
  },
  A5: {
    state: 'held',
    promise:
      'a new action is one new file in `actions/`; operators without code declare one as data: its permission is a generated `CUSTOM_NAME`, its risk at least what its operation implies, and it passes the same gate.',
  },
  A6: {
    state: 'held',
    promise:
      'undo: an operator can undo a write done through the gate while the record still holds what was written; what cannot be undone is said.',
  },
  A7: {
    state: 'held',
    promise:
      'what CRM records say is data: quoted, capped, cleaned of control and zero-width characters, never obeyed.',
  },
  P1: {
    state: 'held',
    promise:
      'catalogue `SALESFORCE_ACTIONS`: CREATE_LEAD, READ_ACCOUNT, UPDATE_OPPORTUNITY, RUN_SOQL, SYNC_PARTY, SYNC_CASE; integration: CREATE_OAUTH (connect), READ_INTEGRATIONS (inspect), DELETE_INTEGRATIONS (disconnect); plus what operators need (mappings, logs, approvals, grants). Integration and operator permissions belong to humans: granting one to a bot is refused.',
  },
  P2: {
    state: 'held',
    promise:
      'default deny. Any one chat-action permission unlocks the dispatcher; an action not granted is not listed, and calling it anyway is 403 and audited.',
  },
  P3: {
    state: 'held',
    promise:
      'ready profiles: `public` (CREATE_LEAD, READ_ACCOUNT), `internal`, `sync`, `read-only`; a warning when RUN_SOQL or UPDATE_OPPORTUNITY goes to a public bot.',
  },
  P4: {
    state: 'held',
    promise:
      "operators have roles: admin, approver, viewer, and named sets of operator permissions that an installation makes itself, for every bot or for some; nobody gives more than they hold. Three kinds of key (and a person's MCP token, `ghp_`, good at `/mcp` only), hashed, shown once, revocable, never interchangeable: a bot's **agent key** (actions over MCP, REST, chat), its **host key** (parties, cases, sync, sessions, change feed: what the host app does, never the model), an **operator key**.",
  },
  P5: {
    state: 'held',
    promise:
      'object and field policy per bot: which objects and fields actions and SOQL may read or write, masks for sensitive ones. Kill switch per bot and per action; modes off, read-only, ask, automatic. Open to RunSOQL unless changed: Account, Contact, Lead, Opportunity, OpportunityContactRole, Case, Task, Event, Campaign, Product2.',
  },
  P6: {
    state: 'held',
    promise:
      "a public bot's GetAccount answers only for the account of its session (index value signed by the host, never from the conversation), with allow-listed fields and no related records; look-alikes of a new lead are told to operators, and the visitor gets the same receipt either way.",
  },
  P7: {
    state: 'held',
    promise:
      'policy replay: before a revision is saved, how the last 30 days of audited calls (up to 1,000) would have been decided under it, as counts and rows.',
  },
  P8: {
    state: 'held',
    promise:
      'what a bot never used in 30 days (grants, objects, listed fields), with a prepared narrower revision that a person saves; what cannot be judged is named.',
  },
  P9: {
    state: 'owed: people who are no operators',
    promise: 'the principal is the person where one signed in: audit, proposals, limits, own proposals only.',
  },
  C1: {
    state: 'held',
    promise:
      'policy per bot x action gives auto, confirm or deny, with thresholds as data (amount and its change, stage, date shift, query class, record count). Unknown or mistyped keys stop the save. Shipped: GetAccount auto; CreateLead auto below a rate; UpdateOpportunity confirm; RunSOQL trivial auto, other confirm; sync by its grant.',
  },
  C2: { state: 'held', promise: 'the human sees before and after per field, record name and link, reasons, expiry.' },
  C3: {
    state: 'held',
    promise:
      'the model can never approve: no confirm argument, no approve tool, agent and host keys refused on the approve routes; `approve`, `reject`, `undo` in the CLI need an operator key (prompt or `GATEHOUSE_OPERATOR_KEY`), so does, once a real org is connected, every command that changes who may do what or what leaves: `grant`, `policy …`, `bot …`, `operator …`, `action set|remove`, `org prepare`, `mapping …`, `person …`, `backup`, `restore`, `secret rotate`, `audit erase`. Making operators, keys and invites over REST takes a browser session that signed in within 15 minutes, never a key. Whoever owns the data folder, its secret and a terminal can recover access (`operator sign-in NAME --recover`), loudly. Sign-in links are single use, ten minutes, printed to a terminal only, redeemed by POST. A model with a shell under the account that owns the data folder is outside this promise, and the docs say so.',
  },
  C4: {
    state: 'held',
    promise:
      "channels: MCP elicitation (both protocol eras), our chat's buttons, the console, the CLI; a client without elicitation gets `confirmation_required` with a link and an expiry, the server runs the stored arguments once a human approves, and the read-only tool `GetProposal` tells the model how it went. Elicitation counts as assurance `client`; an anonymous click on our chat page is `client` too; public bots need `session` (a signed-in approver).",
  },
  C5: {
    state: 'held',
    promise:
      "a proposal is bound to org, bot, principal, action and exact arguments; single use; expires; re-checked at execution (policy, connection, record unchanged). An approver's own values are approved only as what they would do was shown. A decline on our pages, chat or CLI ends it, and one that a client's form reports too unless a rule says `clientDecline: 'waits'`; cancel and timeout leave it pending for the other channels. Declined, expired, conflict are distinct, normal outcomes, not errors.",
  },
  C6: {
    state: 'held',
    promise:
      'at most one execution, across processes and restarts; an unknown outcome is read back, never blindly retried.',
  },
  C7: {
    state: 'held',
    promise:
      'every decision, automatic ones too, is one row of an append-only, hash-chained audit whose head and count are signed and kept apart (so that a cut tail shows); before-values are kept encrypted and for a set time; a person can be erased without breaking the chain; `audit verify` proves it. What is kept of records, in the audit and in proposals, is told to operators with READ_VALUES, each look at what has ended a row of its own; whoever decides sees what waits.',
  },
  C8: {
    state: 'later: assurance of a signed-in person',
    promise:
      'a click of the same signed-in person on our own page counts as `session`; a form in their client stays `client`; a rule may ask for two different people, never the requester.',
  },
  O1: {
    state: 'held',
    promise:
      'web-server OAuth with PKCE and scopes `api refresh_token`: Connect (a page first: what will be read and written, which Salesforce permissions the user needs), Salesforce login, return with `?salesforce=success`, card shows Connected with org id, user, instance URL, environment.',
  },
  O2: {
    state: 'held',
    promise:
      'production or sandbox: a sandbox checkbox at connect (off by default), and the org type detected and shown afterwards; custom My Domain accepted.',
  },
  O3: {
    state: 'held',
    promise:
      'also JWT bearer, client credentials, username-password (discouraged, off unless enabled), each by `gatehouse connect` (secrets by prompt, file or environment, never as arguments).',
  },
  O4: {
    state: 'held',
    promise:
      'tokens per bot in a keyv store, AES-256-GCM at rest; `@keyv/sqlite` by default, `@keyv/postgres` or `@keyv/redis` by URL.',
  },
  O5: {
    state: 'held',
    promise:
      'refresh on 401 only, exactly once across callers and processes, rotation kept (new refresh token durable before use); `invalid_grant` means reconnect, said in words.',
  },
  O6: {
    state: 'held',
    promise:
      'disconnect revokes at Salesforce and deletes; later actions answer 403 `not_connected`, queued jobs stop.',
  },
  O7: {
    state: 'held',
    promise:
      'expired or broken upstream answers 502 with the cure; last success, last failure and its message, last sync and last event are kept per connection.',
  },
  O8: {
    state: 'held',
    promise:
      'Connect and its return need an operator session holding CREATE_OAUTH; `state` is single use, bound to that session and bot, and a new Connect voids the old one; another org than before is refused until Disconnect has archived the links. Login and instance URL only on Salesforce-owned hosts or exact hosts in `SALESFORCE_EXTRA_HOSTS` (https, or http on loopback; no wildcards); a secret goes only to the host that issued it.',
  },
  O9: {
    state: 'held',
    promise:
      "lookups when a chat session starts: find the account id by the bot's index field, describe (cached, refreshed by settings pages), fetch the record; its fields (all that policy allows) become the session's context; also for host apps at `/api/bots/{bot}/context`. The index value comes only from the host, signed.",
  },
  R1: {
    state: 'held',
    promise:
      'circuit breaker per connection: opens after 5 consecutive infrastructure failures, pauses 60 s, closes after 2 successes; shared by all processes; validation errors never count; state visible.',
  },
  R2: {
    state: 'held',
    promise:
      'API budget from `Sforce-Limit-Info` and `/limits`: background work stops at 80 %, interactive at 95 %, both configurable, always said.',
  },
  R3: {
    state: 'held',
    promise: 'timeouts, back-off with jitter on retryable reads; writes retried only when known not to have happened.',
  },
  R4: {
    state: 'held',
    promise:
      'every Salesforce error code maps to ours with a next step for model and operator (one table): DUPLICATE_VALUE, DUPLICATES_DETECTED, FIELD_CUSTOM_VALIDATION_EXCEPTION, INVALID_FIELD, REQUIRED_FIELD_MISSING, MALFORMED_QUERY, REQUEST_LIMIT_EXCEEDED, UNABLE_TO_LOCK_ROW, ENTITY_IS_DELETED and the rest of the wire file.',
  },
  Q1: {
    state: 'held',
    promise:
      'accepts documented read SOQL (relationships, sub-queries, semi-joins, aggregates, date literals, TYPEOF, FIELDS with a limit); refuses anything else before it reaches Salesforce, with code, position and rule.',
  },
  Q2: {
    state: 'held',
    promise:
      'knows every object and field that a query touches in every clause; policy applies to all of them; unknown means deny.',
  },
  Q3: {
    state: 'held',
    promise:
      'bounds rows by editing the text, then re-parses what is sent; paginates with our own cursor; budgets per bot.',
  },
  Q4: {
    state: 'held',
    promise:
      "classes queries for C1: trivial as docs/policy.md says, and `COUNT()` on one open object without sensitive fields; everything else is non-trivial. Linear time on hostile input. `LAST_N_HOURS:n` and other unknown literals: accepted if the org's version has them, else a hint.",
  },
  Q5: {
    state: 'held',
    promise:
      '`gatehouse soql check --policy FILE --json` reads JSON lines `{"q":...}` on stdin and prints per line `{"ok":true,"send":TEXT,"objects":[],"fields":[],"class":"trivial|non-trivial"}` or `{"ok":false,"code","position","rule"}`; the policy file has the form of `soql/policy.json` beside this file (where its schema lists no fields, field existence is not judged). `--no-policy` judges syntax alone.',
  },
  S1: {
    state: 'held',
    promise:
      "parties and Contacts, cases and Opportunities by default (a mapping may name another target: Lead, Case, a custom object), accounts optional; no duplicate ever: unique external id when the org has the field, else look-up by email plus a claim; several matches wait for a human; link and unlink by hand (route, CLI); `allowDuplicates` is off and an admin's choice.",
  },
  S2: {
    state: 'held',
    promise:
      "last write wins per field with a base snapshot; changes to different fields both survive; loser kept and restorable. Remote time is per field where CDC or field history exists, else the record's, and status says which; a record in conflict is written singly and conditionally; the window that remains is stated in the docs.",
  },
  S3: {
    state: 'held',
    promise:
      'triggers: a local change, a Salesforce change (outbound message, CDC, poll), Sync now, batch (100 per batch by default as the unit of progress, packed up to 1,000 a call on the wire; pause, resume; scheduled, so that it can run off-hours). A new case creates its unknown parties.',
  },
  S4: {
    state: 'held',
    promise:
      'mappings per object: direction (both, to CRM, from CRM), transforms (`split_name`, `join_name`, `default`, value map, trim, lower, date, template), custom fields, checked against describe when saved, previewed on a sample, suggested automatically with a confidence.',
  },
  S5: {
    state: 'held',
    promise:
      'log per record and field: operation, direction, status, changes before and after, reason, conflict winner, API calls; filter, retry, export.',
  },
  S6: {
    state: 'held',
    promise:
      'API economy: 100 people cost 2 calls the first time and 1 read when fresh, 10,000 cost 12 and 10; a sync with nothing to do writes nothing.',
  },
  S7: {
    state: 'held',
    promise:
      'a pulled change reaches the host app: signed webhook (Standard Webhooks) and a change feed; so does every change of an object the operator subscribes (a closed Opportunity starts provisioning).',
  },
  S8: {
    state: 'held',
    promise: 'crash at any point loses nothing and repeats nothing (properties sync-P1 to sync-P32).',
  },
  I1: {
    state: 'held',
    promise:
      "outbound messages: SOAP in, org checked, deduplicated, stored durably, then acknowledged. The URL's token is hashed, rotatable, redacted in logs, and can cause only rate-limited reads.",
  },
  I2: {
    state: 'held',
    promise:
      'Change Data Capture over CometD with stored replay ids and gap recovery; platform events to the feed and webhook; a subscription told once as a field becomes a value; records that colleagues make told as found.',
  },
  I3: { state: 'held', promise: 'Flow HTTP callouts (JSON, bearer from a Named Credential).' },
  I4: { state: 'held', promise: 'polling with overlap as the net under all of them.' },
  B1: { state: 'held', promise: 'record create, read, update, delete, upsert by external id.' },
  B2: { state: 'held', promise: 'SOQL with pagination.' },
  B3: {
    state: 'held',
    promise:
      'Composite, Composite Graph, Collections. The sync makes a case with its contact roles, and a person with a new account, all or none in one call, never in more calls than one after the other; declared actions write up to five records so.',
  },
  B4: {
    state: 'held',
    promise:
      'Bulk 2.0 ingest (creates, by our mark) and query (the look before a first load) with results report, within its daily limits; a load is paused and cancelled from anywhere, and whoever dies leaves no job file behind that is known. Linked records go by calls: docs/migration.md says why.',
  },
  B5: {
    state: 'held',
    promise:
      "describe, picklists by record type, Metadata read, and the deploy of our external-id fields: tried first, shown, and sent once after an admin's yes, with a Salesforce sign-in of their own that belongs to one operator, bot, org and zip, lies sealed for half an hour at most, and is revoked at the end.",
  },
  B6: { state: 'held', promise: 'Apex REST, flows, SOSL through declared actions.' },
  B7: { state: 'held', promise: 'limits.' },
  B8: {
    state: 'held',
    promise:
      'the least permission set a bot needs, computed from its grants, policy, mappings and declared actions, deployable or as a zip; `org check` says too little and too much; schema drift is told before the first failed write. Out on purpose: SOAP and Connect (Chatter) APIs; GraphQL at most as a fixed query of a declared action.',
  },
  W1: {
    state: 'held',
    promise:
      'connect card: state, org, environment, user, scopes, last success and failure with cure; Connect, Test, Reconnect, Disconnect.',
  },
  W2: { state: 'held', promise: 'permission grid bots x actions with policy.' },
  W3: { state: 'held', promise: 'approval queue and proposal page.' },
  W4: { state: 'held', promise: 'mapping editor with auto-map.' },
  W5: {
    state: 'held',
    promise:
      'sync dashboard with live progress and log; batches that come again by the clocks of a zone, each occasion once; quiet hours in which nothing goes by itself.',
  },
  W6: { state: 'held', promise: 'action log.' },
  W7: { state: 'held', promise: 'playground chat.' },
  W8: { state: 'held', promise: 'charts of calls, refusals, confirmations, API use.' },
  W9: {
    state: 'held',
    promise:
      'REST with OpenAPI; Keva-shaped `POST /api/crm/salesforce/sync` (`customerId`, `connectorId` naming the connection) and `GET /api/crm/sync-logs?customerId=&platform=salesforce`, answering `{"logs":[{"id","operation":"create|update|delete|none","direction":"to_crm|from_crm","status":"success|failed|pending|ambiguous","crmRecordId","changes":{"Phone":"+1234567890"},"createdAt"}]}`.',
  },
  W10: {
    state: 'held',
    promise:
      'every page works by keyboard and by its accessibility tree, on a phone, at 320 px and at 200 %, and a real browser test looks at each; no person has read it with a screen reader yet.',
  },
  W11: {
    state: 'held',
    promise: 'notices (approval waiting, reconnect needed, sync failing, budget near) by webhook and in the console.',
  },
  T1: {
    state: 'held',
    promise:
      'chat loop on any OpenAI-compatible endpoint, streaming, confirmation across requests, terminal and console.',
  },
  T2: { state: 'held', promise: 'MCP prompts in `prompts/`.' },
  T3: {
    state: 'held',
    promise: 'a rule-based demo model, named as such, so that everything can be tried with no key.',
  },
  T4: { state: 'held', promise: "scripted conversation tests scored by the org's end state." },
  F1: {
    state: 'held',
    promise:
      'stdio start to `tools/list` at most 1.15 of a bare server on the same SDK in the same run (that floor is about 235 ms where bare Node takes 95), so ahead of every peer; idle at most 90 MB; tool list at most 10 kB and 2,500 tokens. jsforce costs 230 to 350 ms and 35 MB to import: load it, and everything a listing does not need, lazily.',
  },
  F2: {
    state:
      "owed: the requests are as promised (test/gate/requests.test.ts); over stdio the overhead is 2.2 to 2.7 and 3.5 to 4.1 of a bare server's in six runs (npm run bench -- calls), and 1.5 cannot be had: the audit row that is on the disk before the answer takes more than half of what a bare server adds (docs/speed.md)",
    promise:
      "one Salesforce request per warm read; a confirmed update costs one read for the diff, and one read and one conditional write when it runs (one more read only where describe or the answer says that the stored value may differ); an update that policy lets run: one read and one conditional write; over stdio by a real client, with gate and audit on, the overhead over the raw request is at most 1.5 of a bare SDK server's for a read, 2 for RunSOQL.",
  },
  F3: { state: 'held', promise: 'expired session met by 20 calls at once: one refresh, no failure.' },
  F4: {
    state: 'held',
    promise:
      "outage: at most 5 requests for 10 calls, then refusals in at most 5 ms (bench) (jsforce's own five retries on 503 must be off).",
  },
  F5: { state: 'held', promise: 'a lost reply and a repeat: one record, across restarts and processes.' },
  F6: { state: 'held', promise: 'sync costs the calls that S6 names; a no-change run costs the reads only.' },
  F7: {
    state: 'held',
    promise:
      '10,000 parties in one batch keep memory flat and are bound by the org, not by us; the per-record cost of our side does not grow with N (a ratio between sizes up to 100,000).',
  },
  F8: {
    state: 'held',
    promise: "RunSOQL's guard reads at least 100,000 queries a second and never takes over 50 ms on hostile input.",
  },
  X1: {
    state: 'held',
    promise:
      'Node >= 20.19. `npm ci && npm start` serves everything on the embedded default: SQLite, simulated org, demo bot, console, MCP at `/mcp`; it prints the one-time sign-in link and the MCP client snippet. `npm ci` alone leaves `gatehouse` runnable (built by `prepare`, nothing native compiled). New bots on the simulated org start connected. `npm ci && npm test` passes on a fresh machine. `npm run demo` plays the main job in the terminal against the simulated org and exits 0.',
  },
  X2: {
    state: 'held',
    promise:
      "stdio: `gatehouse mcp --bot NAME`; `mcp.json` is the ready client entry. Both need the agent key (stdio: `GATEHOUSE_BOT_KEY`; keyless only on the simulated org). HTTP: `/mcp`, `/mcp/{bot}`; bearer agent key or a person's token (X8).",
  },
  X3: {
    state: 'held',
    promise:
      'scale-out by configuration alone: `DATABASE_URL` (PostgreSQL: state, outbox, tokens), an existing job engine for wake-ups, schedules and fairness; any number of `serve` and `worker` processes behind a plain balancer: MCP sessions, chat streams, limits and live events survive the loss of any one of them.',
  },
  X4: {
    state: 'later: metrics and traces',
    promise: 'health, readiness, structured logs without secrets; Prometheus metrics and OpenTelemetry traces.',
  },
  X5: {
    state: 'held',
    promise:
      "the simulated org (`gatehouse sim`) is an HTTP server that speaks Salesforce's wire forms, seeded, with faults on request, and jsforce cannot tell the difference in what it covers. Used as the embedded default, its records live in the data folder: `serve` and any number of stdio servers on one folder see one org (a stored connection names it symbolically: a port dies with its process). It starts as default only on loopback and while no real connection is stored (a lost variable must not send a company's leads to a toy), else with `GATEHOUSE_SIM=1`; `/_sim/` answers on loopback only. What is only believed of Salesforce stands in one table (`test/live/facts.ts`), which `npm run live` asks of a real Developer org; each check has been seen to fail.",
  },
  X6: {
    state: 'later: container files and a workflow to copy',
    promise:
      'Dockerfile, compose file for the scaled form, and a CI workflow users can copy; guides in `docs/` for operators (connect, permissions, policy, mapping, outbound messages click by click, troubleshooting by symptom) and for developers (a new action in ten minutes).',
  },
  X7: {
    state: 'later: backup, rotation, retention',
    promise: 'backup and restore, rotation of `GATEHOUSE_SECRET`, retention, erasure of a person, transcripts.',
  },
  X8: {
    state: 'held',
    promise:
      'remote MCP clients sign a person in by OAuth 2.1 (metadata, PKCE, client documents, registration, resource, rotation, step-up), with zero set-up on loopback; what is ended ends its open streams too; `gatehouse check-oauth URL` names the step that does not work, at ours and at others.',
  },
  X9: {
    state: "later: the company's OpenID Connect",
    promise:
      "operators and members sign in by the company's OpenID Connect, roles by claim; a way back in for whoever owns the data folder.",
  },
  E: {
    state: 'held',
    promise:
      "one vocabulary of errors on every door: code, message in our words, what to do next, retryable; Salesforce's own text only as a capped quote; the order on the road is find, permit, parse, decide, confirm, run.",
  },
} as const satisfies Record<string, Promised>;

interface Promised {
  readonly state: 'held' | `owed: ${string}` | `later: ${string}`;
  readonly promise: string;
}
