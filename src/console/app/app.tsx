import { Route, Router, Switch } from 'wouter-preact';
import { Frame } from './frame.tsx';
import { lazy } from './lazy.tsx';
import { Overview } from './pages/overview.tsx';
import { Page } from './parts/page.tsx';
import { Loaded } from './parts/states.tsx';
import { SessionContext, useSessionQuery } from './session.ts';

/** Every page of the console but those that the server draws (sign-in, one approval, the chat). */

const Approvals = lazy(async () => (await import('./pages/approvals.tsx')).Approvals);
const Bots = lazy(async () => (await import('./pages/bots.tsx')).Bots);
const NewBot = lazy(async () => (await import('./pages/new-bot.tsx')).NewBot);
const Bot = lazy<{ readonly name: string }>(async () => (await import('./pages/bot.tsx')).Bot);
const Log = lazy(async () => (await import('./pages/log.tsx')).Log);
const LogEntry = lazy<{ readonly seq: number }>(async () => (await import('./pages/log-entry.tsx')).LogEntry);
const Charts = lazy(async () => (await import('./pages/charts.tsx')).Charts);
const Connect = lazy<{ readonly name: string }>(async () => (await import('./pages/connect.tsx')).Connect);

export function App() {
  const session = useSessionQuery();
  return (
    <Loaded query={session}>
      {(known) => (
        <SessionContext.Provider value={known}>
          <Router>
            <Frame>
              <Switch>
                <Route path="/">
                  <Overview />
                </Route>
                <Route path="/approvals">
                  <Approvals />
                </Route>
                <Route path="/bots">
                  <Bots />
                </Route>
                <Route path="/bots/new">
                  <NewBot />
                </Route>
                <Route path="/bots/:bot">{({ bot }) => <Bot key={bot} name={decodeURIComponent(bot)} />}</Route>
                <Route path="/connect/:bot">{({ bot }) => <Connect key={bot} name={decodeURIComponent(bot)} />}</Route>
                <Route path="/log">
                  <Log />
                </Route>
                <Route path="/log/:seq">{({ seq }) => <LogEntry key={seq} seq={Number(seq)} />}</Route>
                <Route path="/charts">
                  <Charts />
                </Route>
                <Route>
                  <Page title="Nothing here" lead="There is no page at this address.">
                    <p>
                      <a href="/">Go to the overview</a>
                    </p>
                  </Page>
                </Route>
              </Switch>
            </Frame>
          </Router>
        </SessionContext.Provider>
      )}
    </Loaded>
  );
}
