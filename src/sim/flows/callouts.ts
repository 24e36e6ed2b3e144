/**
 * Record-triggered Flows whose asynchronous path makes an HTTP callout. One interview a change; the platform does not repeat a callout
 * that failed: the interview is counted as failed, and that is all.
 */
import { randomUUID } from 'node:crypto';
import { toDatetime } from '../datetimes.ts';
import type { CalloutFlow, Interview } from '../facts.ts';
import type { Journal } from '../journal.ts';
import { organizationId } from '../oauth/app.ts';
import type { Org } from '../org.ts';
import type { Row } from '../table.ts';

const answerMs = 120_000;
const keptFailures = 100;

export function startInterviews(org: Org, object: string, row: Row): void {
  for (const flow of org.facts('calloutFlow')) {
    if (flow.object !== object) continue;
    const id = randomUUID();
    org.keep('interview', id, { id, flowId: flow.id, recordId: row.Id, at: toDatetime(org.now()), error: null });
  }
}

export interface Callouts {
  /** Runs every interview that waits, and says how it went. */
  runNow(): Promise<{ sent: number; accepted: number }>;
  wake(): void;
  close(): void;
}

export function createCallouts(org: Org, journal: Journal): Callouts {
  let alarm: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** Taken before it is sent: an interview runs once, whoever dies meanwhile. */
  const take = () =>
    org.facts('interview').flatMap((interview) => {
      if (interview.error !== null) return [];
      org.forget('interview', interview.id);
      const flow = org.fact('calloutFlow', interview.flowId);
      return flow ? [{ interview, flow, fault: takeFault(org, flow), body: bodyOf(org, flow, interview) }] : [];
    });

  async function runNow(): Promise<{ sent: number; accepted: number }> {
    const due = await journal.step(take);
    let accepted = 0;
    await Promise.all(
      due.map(async ({ interview, flow, fault, body }) => {
        const problem = await run(flow, body, fault);
        if (problem === undefined) accepted += 1;
        else await journal.step(() => fail(org, interview, problem));
      }),
    );
    return { sent: due.length, accepted };
  }

  return {
    runNow,
    wake() {
      if (isClosed || alarm || !org.facts('interview').some(({ error }) => error === null)) return;
      alarm = setTimeout(() => {
        alarm = undefined;
        runNow().catch(() => {});
      }, 0);
      alarm.unref();
    },
    close() {
      isClosed = true;
      clearTimeout(alarm);
    },
  };
}

function takeFault(org: Org, flow: CalloutFlow): CalloutFlow['fault'] {
  if (flow.fault === null) return null;
  const times = flow.faultTimes - 1;
  org.keep('calloutFlow', flow.id, { ...flow, faultTimes: times, fault: times > 0 ? flow.fault : null });
  return flow.fault;
}

/** As the guide has it made; the values are of the moment in which the interview runs. */
function bodyOf(org: Org, { object, fields }: CalloutFlow, { id, recordId, at }: Interview): string {
  const row = org.row(object, recordId);
  const values = Object.fromEntries(fields.map((name) => [name, row?.[name] ?? null]));
  return JSON.stringify({ eventId: id, orgId: organizationId(org), object, recordId, at, fields: values });
}

/** What went wrong, or undefined. */
async function run(flow: CalloutFlow, body: string, fault: CalloutFlow['fault']): Promise<string | undefined> {
  switch (fault) {
    case 'lost':
      return 'The callout timed out before it was sent.';
    case 'twice':
      return (await send(flow, body)) ?? (await send(flow, body));
    case 'cut':
      return send(flow, body.slice(0, body.length / 2));
    case 'unauthorized':
      // Whoever runs the flow lacks the permission set: the header stays empty.
      return send({ ...flow, token: '' }, body);
    case null:
      return send(flow, body);
    default:
      return fault satisfies never;
  }
}

async function send({ url, token }: Pick<CalloutFlow, 'url' | 'token'>, body: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json;charset=UTF-8',
        Accept: '*/*',
        'User-Agent': 'SFDC-Callout/66.0',
        'Sfdc-Stack-Depth': '1',
        ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerMs),
    });
    await response.text();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fail(org: Org, interview: Interview, error: string): void {
  org.keep('interview', interview.id, { ...interview, error });
  const failed = org.facts('interview').filter((one) => one.error !== null);
  for (const { id } of failed.slice(0, -keptFailures)) org.forget('interview', id);
}
