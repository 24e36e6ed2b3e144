import { codeOf, type Fact, judged, notAsked } from '../fact.ts';
import type { LiveOrg } from '../org.ts';

const PAST = 'Tue, 01 Jan 2019 00:00:00 GMT';
const pathOf = ({ settings }: LiveOrg, rest: string) => `/services/data/${settings.version}${rest}`;

export const many: readonly Fact[] = [
  {
    id: 'condition-in-composite',
    assumed: 'A part of a composite honours `If-Unmodified-Since`: 412, and nothing is written.',
    source: 'events §19, sync §4: open',
    // If so, 25 guarded writes would fit into one call; nothing is built on it.
    reliesOn: [],
    how: 'updates a lead inside a composite, unless it changed since 2019',
    async ask(org) {
      const id = await org.create('Lead', { LastName: org.run, Company: org.run });
      const part = {
        ...{ method: 'PATCH', url: pathOf(org, `/sobjects/Lead/${id}`), referenceId: 'one' },
        ...{ body: { Title: 'late' }, httpHeaders: { 'If-Unmodified-Since': PAST } },
      };
      const { json } = await org.api('POST', '/composite', { json: { compositeRequest: [part] } });
      const status = json?.compositeResponse?.[0]?.httpStatusCode;
      const [now] = await org.query(`SELECT Title FROM Lead WHERE Id = '${id}'`);
      return judged(status === 412 && now?.Title === null, `${status}, ${now?.Title === null ? 'not ' : ''}written`);
    },
  },
  {
    id: 'condition-in-graph',
    assumed: 'A node of a graph honours `If-Unmodified-Since`: the graph fails, and nothing is written.',
    source: 'events §12: not known',
    reliesOn: ['src/salesforce/records/graph.ts', 'src/confirm/write-graph.ts'],
    how: 'updates a lead inside a graph, unless it changed since 2019',
    async ask(org) {
      const id = await org.create('Lead', { LastName: org.run, Company: org.run });
      const node = {
        ...{ method: 'PATCH', url: pathOf(org, `/sobjects/Lead/${id}`), referenceId: 'one' },
        ...{ body: { Title: 'late' }, httpHeaders: { 'If-Unmodified-Since': PAST } },
      };
      const graphs = [{ graphId: '1', compositeRequest: [node] }];
      const { json } = await org.api('POST', '/composite/graph', { json: { graphs } });
      const isGood = json?.graphs?.[0]?.isSuccessful;
      const [now] = await org.query(`SELECT Title FROM Lead WHERE Id = '${id}'`);
      return judged(
        isGood === false && now?.Title === null,
        `successful: ${isGood}, ${now?.Title === null ? 'not ' : ''}written`,
      );
    },
  },
  {
    id: 'no-query-in-graph',
    assumed: 'A graph takes no query and no collection among its nodes.',
    source: 'events §12 [G]',
    reliesOn: ['src/salesforce/records/graph.ts'],
    how: 'puts a query into a graph',
    async ask(org) {
      const url = pathOf(org, '/query?q=SELECT+Id+FROM+Lead+LIMIT+1');
      const graphs = [{ graphId: '1', compositeRequest: [{ method: 'GET', url, referenceId: 'one' }] }];
      const answer = await org.api('POST', '/composite/graph', { json: { graphs } });
      const isGood = answer.json?.graphs?.[0]?.isSuccessful === true;
      return judged(!isGood, isGood ? 'it was answered' : `refused, ${codeOf(answer)}`);
    },
  },
  {
    id: 'graphs-after-fourteen',
    assumed: 'After the fourteenth graph that failed the others come back unattempted, as `PROCESSING_HALTED`.',
    source: 'events §12 [G]',
    reliesOn: ['src/salesforce/records/graph.ts'],
    how: 'sends 15 graphs that fail and one that would not',
    async ask(org) {
      const node = (body: object) => [{ method: 'POST', url: pathOf(org, '/sobjects/Lead'), referenceId: 'one', body }];
      const bad = Array.from({ length: 15 }, (_, at) => ({
        graphId: `b${at}`,
        compositeRequest: node({ Company: org.run }),
      }));
      const good = { graphId: 'last', compositeRequest: node({ LastName: `${org.run} graph`, Company: org.run }) };
      const { json } = await org.api('POST', '/composite/graph', { json: { graphs: [...bad, good] } });
      const last = json?.graphs?.find(({ graphId }: { graphId: string }) => graphId === 'last');
      const code = last?.graphResponse?.compositeResponse?.[0]?.body?.[0]?.errorCode;
      return judged(
        last?.isSuccessful === false && code === 'PROCESSING_HALTED',
        `successful: ${last?.isSuccessful}, ${code ?? 'no code'}`,
      );
    },
  },
  {
    id: 'bulk-line-breaks',
    assumed: 'A line break inside quotes is taken by a bulk job with LF, and kept.',
    source: 'events §10, §19: one report says otherwise',
    reliesOn: ['src/domain/bulk-csv.ts', 'src/salesforce/bulk/bulk.ts'],
    how: 'loads one lead with a description of two lines',
    async ask(org) {
      const job = { object: 'Lead', operation: 'insert', contentType: 'CSV', lineEnding: 'LF' };
      const made = await org.api('POST', '/jobs/ingest', { json: job });
      if (made.status !== 200) return notAsked(`no bulk job: ${codeOf(made)}`);
      const { id } = made.json;
      const body = `"LastName","Company","Description"\n"${org.run} bulk","${org.run}","one\ntwo"\n`;
      await org.api('PUT', `/jobs/ingest/${id}/batches`, { body, headers: { 'content-type': 'text/csv' } });
      await org.api('PATCH', `/jobs/ingest/${id}`, { json: { state: 'UploadComplete' } });
      const state = await org.until(async () => {
        const { json } = await org.api('GET', `/jobs/ingest/${id}`);
        return ['JobComplete', 'Failed', 'Aborted'].includes(json?.state) ? String(json.state) : undefined;
      });
      const [lead] = await org.query(`SELECT Description FROM Lead WHERE LastName = '${org.run} bulk'`);
      await org.api('DELETE', `/jobs/ingest/${id}`);
      return judged(
        state === 'JobComplete' && lead?.Description === 'one\ntwo',
        `${state ?? 'not over'}, ${JSON.stringify(lead?.Description)}`,
      );
    },
  },
];
