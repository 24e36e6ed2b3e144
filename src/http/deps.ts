import type { App } from '../app/app.ts';
import type { Reply, Route } from '../ports/route.ts';

/** What the HTTP door needs of the house. */
export interface HttpDeps
  extends Pick<
    App,
    | 'config'
    | 'log'
    | 'now'
    | 'actions'
    | 'store'
    | 'ready'
    | 'access'
    | 'identity'
    | 'audit'
    | 'connections'
    | 'apiUse'
    | 'gate'
    | 'notices'
    | 'judgeDeclared'
    | 'neverUsed'
    | 'orgSetup'
    | 'orgDeploy'
    | 'findRecords'
    | 'openChat'
    | 'openPlayground'
    | 'isSimulated'
    | 'simulatedOrg'
  > {
  /** Without what shows values to whoever asks: here somebody with a role looks. */
  readonly approvals: Omit<App['approvals'], 'inspect' | 'list' | 'heldRecords'>;
  /** The MCP door: gets the request with its body unread, and limits it itself. */
  readonly mcp?: { handle(request: Request, origin: string): Promise<Response> };
  /** The account behind a chat session (O9). Without it the route is not there. */
  readonly context?: (
    bot: string,
    session: { readonly indexValue: string },
  ) => Promise<Readonly<Record<string, unknown>>>;
  /** Routes of other rooms, under the same guards. */
  readonly routes?: readonly Route[];
  /** What works less well than it should, though the process can serve. */
  readonly degraded?: (() => Promise<readonly 'events'[]>) | undefined;
  /** Changes whenever sync did something; of rooms that write no audit row for it. */
  readonly syncHead?: (() => Promise<string>) | undefined;
  /** Opens the console of the demo beside this one; there where the browser is on this machine. */
  readonly openDemo?: (() => Promise<{ readonly signIn: string }>) | undefined;
  /** Looks at each answer before it leaves. In tests: it says which one is not as its route declares it. */
  readonly checkAnswer?: (route: Route, reply: Reply) => void;
}

/** Who is on the wire, as the socket knows it. */
export interface RequestInfo {
  readonly remoteAddress: string;
}
