import { afterEach } from 'vitest';
import type { HttpDeps } from '../../src/http/deps.ts';
import type { Reply, Route } from '../../src/ports/route.ts';

const wrong: string[] = [];

/** What leaves is parsed by the schema of its route; where it does not fit, the test that asked fails. */
export const checkAnswer: NonNullable<HttpDeps['checkAnswer']> = (route, reply) => {
  const problem = problemOf(route, reply);
  if (problem !== undefined) wrong.push(`${route.method} ${route.path} answers what it does not declare: ${problem}`);
};

export function problemOf({ answer }: Pick<Route, 'answer'>, reply: Reply): string | undefined {
  if ('stream' in reply) return answer === 'text/event-stream' ? undefined : 'events';
  // JSON may be exported as lines of text, too.
  if ('text' in reply) return typeof answer === 'string' && !reply.type.startsWith(answer) ? reply.type : undefined;
  if (typeof answer === 'string') return 'JSON';
  const sent = JSON.stringify(reply.json);
  const { error } = answer.safeParse(JSON.parse(sent));
  const issues = error?.issues.map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`);
  return issues && `${issues.join('; ')} in ${sent.slice(0, 2_000)}`;
}

afterEach(() => {
  const found = wrong.splice(0);
  if (found.length > 0) throw new Error(found.join('\n'));
});
