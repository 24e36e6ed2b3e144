/** What sync keeps whatever happens. L is the record of the host app, R that of Salesforce, B the last agreed value of a field. */
export const SYNC_PROPERTIES = {
  'sync-P1':
    'One record per party. k concurrent SyncParty calls for the same party, across p processes, with and without a custom external-id field: exactly one Contact; also when the second call meets DUPLICATE_VALUE.',
  'sync-P2':
    'One record per person. Two different parties with the same email: one Contact, deterministic owner, second party linked or flagged, never two creates.',
  'sync-P3':
    'No lost update on disjoint fields. L changes phone, R changes title, any interleaving: both survive on both sides.',
  'sync-P4':
    'LWW per field. Same field changed on both sides: the later edit wins on both sides; loser kept in the log and restorable; equal time resolved by a fixed rule.',
  'sync-P5':
    "An unrelated later edit does not flip the winner. R.title at t=12, L.title at t=15, R.phone at t=20: title must be L's. (Record-level time fails this.)",
  'sync-P6':
    'No echo. After quiescence, delivering every event again and polling N times causes 0 writes and 0 local changes.',
  'sync-P7': 'No self-conflict. Our own earlier push, seen after a crash, must not beat a newer local edit.',
  'sync-P8':
    'kill -9 at every step (before the call, after the call before local commit, between local commit and ack, mid-batch): after restart same end state as without the kill, no duplicate, no lost edit. Test by a crash-point list, not by random sleep.',
  'sync-P9':
    'At-least-once in, exactly-once effect. Same notification 1..n times, concurrently, in any order, mixed with polls: same end state, one log entry of effect.',
  'sync-P10': 'Ack only after durable. Crash between receipt and commit: Salesforce must see no positive ack.',
  'sync-P11': 'Out of order. An older snapshot arriving late changes nothing.',
  'sync-P12': 'Clock skew +-1 h on the host does not change any LWW winner.',
  'sync-P13':
    'Late commit. A record that becomes visible with a SystemModstamp up to 10 min older than the watermark is picked up, once.',
  'sync-P14':
    'Ties at the page edge. 2,500 records with one identical SystemModstamp, crash after page 1: all 2,500 seen.',
  'sync-P15': 'Deleted in Salesforce: no resurrection, link marked, policy applied, visible; undelete relinks.',
  'sync-P16':
    'Merged in Salesforce: link follows MasterRecordId; if the master is linked already, both parties are flagged, nothing is lost.',
  'sync-P17':
    'Token expiry mid-batch: one refresh call in total across processes; every chunk applied once; with rotation the new refresh token is durable before first use.',
  'sync-P18':
    'Concurrent refresh by 8 processes: exactly 1 token request. A lease holder that stalls past its lease cannot store stale tokens (fencing).',
  'sync-P19':
    'Partial failure: in a 200-chunk with 3 bad rows, 197 succeed and are committed, each bad row has its own error, no retry storm for permanent errors; retry with backoff for UNABLE_TO_LOCK_ROW.',
  'sync-P20':
    'Limit exhausted mid-batch (REQUEST_LIMIT_EXCEEDED or Sforce-Limit-Info over budget): stop, keep the cursor, no record lost or sent twice after resume, interactive calls keep their reserve.',
  'sync-P21':
    'Resumable batch: kill at any record; resume re-sends at most the un-acked chunk; progress never goes backwards.',
  'sync-P22':
    'Circuit breaker: exactly 5 consecutive infrastructure failures open it, 60 s pause, 2 successes close it; validation errors never count; shared by all processes.',
  'sync-P23': 'Dedupe inside a chunk: same key twice in one batch never reaches Salesforce twice in one request.',
  'sync-P24':
    'Null and clear: clearing a field on one side clears the other; unmapped and from-CRM fields are never written.',
  'sync-P25':
    'Round trip of transforms: split_name/join_name and phone/email canonical forms reach a fixed point (write, read, merge = no change). "Jean Claude Van Damme" does not oscillate.',
  'sync-P26':
    'Truncation and coercion: value longer than the field, picklist normalisation, trailing spaces, date time zones: base stores the canonical read-back, so no endless push.',
  'sync-P27':
    'Mapping change applies to existing links by preview and targeted backfill, without rewriting unaffected fields.',
  'sync-P28': 'Revocation: disconnect stops queued jobs before the next call; no call after revoke.',
  'sync-P29': 'Poison record does not block others of the same batch or org.',
  'sync-P30': 'API economy: calls counted by the simulated org never exceed what S6 names.',
  'sync-P31':
    'Log completeness: every R or L change made by the engine has exactly one log row with before/after, reason, winner, call count; replaying the log rebuilds the state.',
  'sync-P32':
    "Tenancy: bot A can never read, refresh or sync with bot B's connection; org id in an outbound message must equal the connection's org.",
} as const;
