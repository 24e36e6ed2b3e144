/** `/metadata/deployRequest`: a package as one change, all or nothing, or only tried (`checkOnly`). */

import type { Deployment } from '../facts.ts';
import { mintId } from '../ids.ts';
import type { Org } from '../org.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, isJsonObject, type JsonObject, ok, type Reply } from '../rest/call.ts';
import { isPermitted } from './access.ts';
import { apply, DeployProblem } from './apply.ts';
import { type Part, partsOf } from './multipart.ts';
import { type Component, componentsOf } from './package.ts';
import { readZip } from './zip.ts';

export function deployRequest(call: Call): Reply {
  const { method, path, org } = call;
  if (path[1]?.toLowerCase() !== 'deployrequest') throw notFound();
  const [, , id] = path;
  if (id !== undefined) {
    if (method !== 'GET') throw methodNotAllowed(method, 'GET');
    const deployment = org.fact('deployment', id);
    if (deployment === undefined) throw notFound();
    return ok(show(org, deployment, call.query.get('includeDetails') === 'true'));
  }
  if (method !== 'POST') throw methodNotAllowed(method, 'POST');
  if (!isPermitted(org, call.userId, ['ModifyAllData', 'ModifyMetadata']))
    throw refuse(
      403,
      'INSUFFICIENT_ACCESS',
      'INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions',
    );
  const parts = partsOf(call.headers.get('content-type') ?? '', call.bytes);
  const zip = parts?.find(({ name }) => name === 'file');
  const options = optionsOf(parts ?? []);
  if (zip === undefined || options === undefined)
    throw refuse(400, 'INVALID_MULTIPART_REQUEST', 'The request must hold deployOptions as JSON, and the zip file.');
  const made = deploy(call, zip.bytes, options);
  org.keep('deployment', made.id, made);
  const { deployResult } = show(org, { ...made, doneAt: Number.POSITIVE_INFINITY }, false);
  return { status: 201, body: { id: made.id, deployOptions: options, deployResult } };
}

/** jsforce calls this part `entity_content`, the documentation `json`. */
function optionsOf(parts: readonly Part[]): JsonObject | undefined {
  const part = parts.find(({ name }) => name === 'json' || name === 'entity_content');
  try {
    const body: unknown = JSON.parse(Buffer.from(part?.bytes ?? []).toString('utf8'));
    return isJsonObject(body) && isJsonObject(body.deployOptions) ? body.deployOptions : undefined;
  } catch {
    return undefined;
  }
}

function deploy(call: Call, zip: Uint8Array, options: JsonObject): Deployment {
  const { org, userId } = call;
  const id = mintId('0Af', org.count('0Af'), 0);
  const createdAt = new Date(org.now()).toISOString();
  const start = org.mark();
  const done = (successes: readonly JsonObject[], failures: readonly JsonObject[]): Deployment => {
    if (options.checkOnly === true || failures.length > 0) org.rollback(start);
    return { id, createdAt, doneAt: org.now() + org.settings.deployMs, userId, options, successes, failures };
  };
  let components: ReturnType<typeof componentsOf>;
  try {
    components = componentsOf(readZip(zip));
  } catch (error) {
    components = { problem: error instanceof Error ? error.message : String(error) };
  }
  if ('problem' in components) {
    const missing = { type: 'CustomField', fullName: 'package.xml', fileName: 'package.xml', xml: undefined } as const;
    return done([], [{ ...told(missing, createdAt), componentType: '', ...problem(components.problem) }]);
  }
  const successes: JsonObject[] = [];
  const failures: JsonObject[] = [];
  // Fields first: permission sets name them.
  for (const one of [...components].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))) {
    try {
      const isCreated = apply(org, one);
      successes.push({ ...told(one, createdAt), success: true, changed: true, created: isCreated });
    } catch (error) {
      if (!(error instanceof DeployProblem)) throw error;
      failures.push({ ...told(one, createdAt), ...problem(error.message) });
    }
  }
  return done(successes, failures);
}

const order: readonly Component['type'][] = ['CustomField', 'PermissionSet', 'PlatformEventChannelMember'];

const told = ({ type, fullName, fileName }: Component, createdDate: string) => ({
  changed: false,
  componentType: type,
  created: false,
  createdDate,
  deleted: false,
  fileName,
  fullName,
  success: false,
});

const problem = (text: string) => ({ problem: text, problemType: 'Error' });

function show(org: Org, made: Deployment, hasDetails: boolean) {
  const { id, createdAt, doneAt, userId, options, successes, failures } = made;
  const isDone = org.now() >= doneAt;
  const isGood = failures.length === 0;
  const status = !Number.isFinite(doneAt) ? 'Pending' : !isDone ? 'InProgress' : isGood ? 'Succeeded' : 'Failed';
  const details = {
    componentFailures: isDone ? failures : [],
    componentSuccesses: isDone ? successes : [],
    retrieveResult: null,
    runTestResult: { codeCoverage: [], codeCoverageWarnings: [], failures: [], numFailures: 0, numTestsRun: 0 },
  };
  return {
    id,
    deployOptions: options,
    deployResult: {
      checkOnly: options.checkOnly === true,
      createdBy: userId,
      createdByName: org.row('User', userId)?.Name ?? null,
      createdDate: createdAt,
      ...(isDone ? { completedDate: new Date(doneAt).toISOString() } : {}),
      details: hasDetails ? details : null,
      done: isDone,
      id,
      ignoreWarnings: options.ignoreWarnings === true,
      numberComponentErrors: isDone ? failures.length : 0,
      numberComponentsDeployed: isDone && isGood ? successes.length : 0,
      numberComponentsTotal: successes.length + failures.length,
      numberTestErrors: 0,
      numberTestsCompleted: 0,
      numberTestsTotal: 0,
      rollbackOnError: options.rollbackOnError !== false,
      runTestsEnabled: false,
      status,
      success: isDone && isGood,
    },
  };
}
