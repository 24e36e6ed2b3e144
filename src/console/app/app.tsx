import type { JSX } from 'preact';
import { Route, Router, Switch } from 'wouter-preact';
import { Frame } from './frame.tsx';
import { lazy } from './lazy.tsx';
import { Overview } from './pages/overview.tsx';
import { Page } from './parts/page.tsx';
import { Loaded } from './parts/states.tsx';
import { SessionContext, useSessionQuery } from './session.ts';

/** Every page of the console but those that the server draws (sign-in, one approval, the chat). */

const Approvals = lazy(async () => (await import('./pages/approvals.tsx')).Approvals);
const NoticeSettings = lazy(async () => (await import('./pages/notice-settings.tsx')).NoticeSettings);
const Bots = lazy(async () => (await import('./pages/bots.tsx')).Bots);
const NewBot = lazy(async () => (await import('./pages/new-bot.tsx')).NewBot);
const Bot = lazy<{ readonly name: string }>(async () => (await import('./pages/bot.tsx')).Bot);
const Log = lazy(async () => (await import('./pages/log.tsx')).Log);
const LogEntry = lazy<{ readonly seq: number }>(async () => (await import('./pages/log-entry.tsx')).LogEntry);
const Charts = lazy(async () => (await import('./pages/charts.tsx')).Charts);
const Policy = lazy<{ readonly name: string }>(async () => (await import('./pages/policy.tsx')).PolicyPage);
const Declared = lazy<{ readonly name: string }>(async () => (await import('./pages/declared.tsx')).Declared);
const NewDeclared = lazy<{ readonly bot: string }>(
  async () => (await import('./pages/declared-action.tsx')).NewDeclared,
);
const DeclaredAction = lazy<{ readonly bot: string; readonly name: string }>(
  async () => (await import('./pages/declared-action.tsx')).DeclaredAction,
);
const OrgSetup = lazy<{ readonly name: string }>(async () => (await import('./pages/org-setup.tsx')).OrgSetup);
const Permissions = lazy(async () => (await import('./pages/permissions.tsx')).Permissions);
const Connect = lazy<{ readonly name: string }>(async () => (await import('./pages/connect.tsx')).Connect);
const Sync = lazy(async () => (await import('./pages/sync.tsx')).Sync);
const BotSync = lazy<{ readonly name: string }>(async () => (await import('./pages/bot-sync.tsx')).BotSync);
const SyncLinks = lazy<{ readonly name: string }>(async () => (await import('./pages/sync-links.tsx')).SyncLinks);
const SyncLink = lazy<{ readonly bot: string; readonly kind: Kind; readonly localId: string }>(
  async () => (await import('./pages/sync-link.tsx')).SyncLink,
);
const SyncLog = lazy<{ readonly name: string }>(async () => (await import('./pages/sync-log.tsx')).SyncLog);
const SyncEntry = lazy<{ readonly bot: string; readonly id: string }>(
  async () => (await import('./pages/sync-entry.tsx')).SyncEntry,
);
const SyncEvents = lazy<{ readonly name: string }>(async () => (await import('./pages/sync-events.tsx')).SyncEvents);
const Mapping = lazy<{ readonly bot: string; readonly kind: Kind }>(
  async () => (await import('./pages/mapping.tsx')).Mapping,
);

type Kind = 'party' | 'case';
const toKind = (word: string): Kind => (word === 'case' ? 'case' : 'party');
const plain = decodeURIComponent;
const Playground = lazy(async () => (await import('./pages/playground.tsx')).Playground);
const Settings = lazy(async () => (await import('./pages/settings.tsx')).Settings);
const Apps = lazy(async () => (await import('./pages/apps.tsx')).Apps);
const Operators = lazy(async () => (await import('./pages/operators.tsx')).Operators);

/** The frame stands before anybody knows whose it is. */
const inFrame = (state: JSX.Element) => (
  <Router>
    <Frame>{state}</Frame>
  </Router>
);

export function App() {
  const session = useSessionQuery();
  return (
    <Loaded query={session} around={inFrame}>
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
                <Route path="/bots/:bot/policy">
                  {({ bot }) => <Policy key={bot} name={decodeURIComponent(bot)} />}
                </Route>
                <Route path="/bots/:bot/actions">{({ bot }) => <Declared key={bot} name={plain(bot)} />}</Route>
                <Route path="/bots/:bot/actions/new">{({ bot }) => <NewDeclared key={bot} bot={plain(bot)} />}</Route>
                <Route path="/bots/:bot/actions/:action">
                  {({ bot, action }) => (
                    <DeclaredAction key={`${bot} ${action}`} bot={plain(bot)} name={plain(action)} />
                  )}
                </Route>
                <Route path="/bots/:bot/org">{({ bot }) => <OrgSetup key={bot} name={plain(bot)} />}</Route>
                <Route path="/permissions">
                  <Permissions />
                </Route>
                <Route path="/connect/:bot">{({ bot }) => <Connect key={bot} name={decodeURIComponent(bot)} />}</Route>
                <Route path="/log">
                  <Log />
                </Route>
                <Route path="/log/:seq">{({ seq }) => <LogEntry key={seq} seq={Number(seq)} />}</Route>
                <Route path="/charts">
                  <Charts />
                </Route>
                <Route path="/sync">
                  <Sync />
                </Route>
                <Route path="/bots/:bot/sync">{({ bot }) => <BotSync key={bot} name={plain(bot)} />}</Route>
                <Route path="/bots/:bot/sync/links">{({ bot }) => <SyncLinks key={bot} name={plain(bot)} />}</Route>
                <Route path="/bots/:bot/sync/links/:kind/:localId">
                  {({ bot, kind, localId }) => (
                    <SyncLink key={localId} bot={plain(bot)} kind={toKind(kind)} localId={plain(localId)} />
                  )}
                </Route>
                <Route path="/bots/:bot/sync/log">{({ bot }) => <SyncLog key={bot} name={plain(bot)} />}</Route>
                <Route path="/bots/:bot/sync/log/:id">
                  {({ bot, id }) => <SyncEntry key={id} bot={plain(bot)} id={id} />}
                </Route>
                <Route path="/bots/:bot/sync/events">{({ bot }) => <SyncEvents key={bot} name={plain(bot)} />}</Route>
                <Route path="/bots/:bot/mappings/:kind">
                  {({ bot, kind }) => <Mapping key={`${bot} ${kind}`} bot={plain(bot)} kind={toKind(kind)} />}
                </Route>
                <Route path="/settings/notices">
                  <NoticeSettings />
                </Route>
                <Route path="/playground">
                  <Playground />
                </Route>
                <Route path="/settings">
                  <Settings />
                </Route>
                <Route path="/settings/operators">
                  <Operators />
                </Route>
                <Route path="/settings/apps">
                  <Apps />
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
