import { Link, useSearchParams } from 'wouter-preact';
import { ruleWords } from '../parts/conditions.tsx';
import { Page } from '../parts/page.tsx';
import { type BotRow, type Cell, type Grid, useGrid, WORDS } from '../parts/standing.ts';
import { Badge, Empty, Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { CellPanel } from './permission-cell.tsx';
import { ProfilePanel } from './permission-profile.tsx';

/** Bots and actions, one word where they meet. The open cell is in the address. */
export function Permissions() {
  const query = useGrid();
  const [asked, setAsked] = useSearchParams();
  const open = (bot: string, action: string) => setAsked({ show: bot, bot, action });
  const close = () => setAsked(asked.get('show') === null ? {} : { show: asked.get('show') ?? '' }, { replace: true });
  return (
    <Page
      title="Permissions"
      lead="What each bot may do, in one word: it runs by itself, asks a person, is denied, is not granted (–), or is switched off now."
    >
      <Loaded query={query}>
        {(grid) => {
          if (grid.bots.length === 0)
            return (
              <Empty>
                No bots yet. <Link href="/bots/new">Make the first one</Link>
              </Empty>
            );
          const shown = grid.bots.find(({ name }) => name === asked.get('show')) ?? grid.bots[0]!; // not empty
          const bot = grid.bots.find(({ name }) => name === asked.get('bot'));
          const cell = bot?.cells.find(({ action }) => action === asked.get('action'));
          return (
            <>
              <label class="field one-bot">
                Bot
                <select value={shown.name} onChange={(event) => setAsked({ show: event.currentTarget.value })}>
                  {grid.bots.map(({ name }) => (
                    <option value={name} key={name}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
              <Table grid={grid} shown={shown.name} open={open} />
              {bot !== undefined && asked.get('profile') !== null && (
                <ProfilePanel key={bot.name} bot={bot} onClose={close} />
              )}
              {bot !== undefined && cell !== undefined && (
                <CellPanel key={`${bot.name} ${cell.action}`} bot={bot} cell={cell} onClose={close} />
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Table({
  grid: { actions, bots },
  shown,
  open,
}: {
  readonly grid: Grid;
  readonly shown: string;
  readonly open: (bot: string, action: string) => void;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: no set of fields
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div class="sideways" role="group" aria-label="Bots and actions" tabIndex={0}>
      <table class="rows grid" aria-label="Permissions">
        <thead>
          <tr>
            <th scope="col">Bot</th>
            {actions.map(({ name, risk }) => (
              <th scope="col" key={name}>
                {name} <small>{risk === 'read' ? 'reads' : 'writes'}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bots.map((bot) => (
            <tr key={bot.name} class={bot.name === shown ? 'shown' : 'other'}>
              <th scope="row">
                <BotHead bot={bot} inCode={actions.length} />
              </th>
              {bot.cells.slice(0, actions.length).map((cell) => (
                <td key={cell.action} data-label={cell.action}>
                  <CellButton bot={bot.name} cell={cell} open={() => open(bot.name, cell.action)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function BotHead({
  bot: { name, audience, mode, connection, cells },
  inCode,
}: {
  readonly bot: BotRow;
  readonly inCode: number;
}) {
  const isGranted = cells.some(({ word }) => word !== 'not_granted');
  const declared = cells.length - inCode;
  return (
    <>
      <Link href={`/bots/${encodeURIComponent(name)}`}>
        <Text>{name}</Text>
      </Link>{' '}
      <small>{audience}</small>
      {mode !== 'automatic' && (
        <>
          {' '}
          <Badge kind="warn">{mode}</Badge>
        </>
      )}
      {isGranted && connection !== 'connected' && (
        <small class="line">
          granted, but not connected: <Link href={`/connect/${encodeURIComponent(name)}`}>connect it</Link>
        </small>
      )}
      <Link
        class="crumb profile-of"
        href={`/permissions?${new URLSearchParams({ show: name, bot: name, profile: '' })}`}
      >
        Profile<span class="hidden"> of {name}</span>…
      </Link>
      {declared > 0 && (
        <Link class="crumb profile-of" href={`/bots/${encodeURIComponent(name)}/actions`}>
          {declared} without code<span class="hidden"> of {name}</span>
        </Link>
      )}
    </>
  );
}

const KINDS: { readonly [W in Cell['word']]: string } = {
  runs: 'good',
  asks: 'warn',
  denied: 'bad',
  not_granted: 'none',
  off: 'bad',
};
/** More than that would make rows of a grid uneven: the panel has them all. */
const MOST_RULES = 2;

function CellButton({ bot, cell, open }: { readonly bot: string; readonly cell: Cell; readonly open: () => void }) {
  const { word, policy, action } = cell;
  const isLive = word === 'runs' || word === 'asks';
  const rules = isLive ? policy.rules.map(ruleWords) : [];
  const alone = isLive && policy.autoFields.length > 0 ? [`${policy.autoFields.join(', ')} alone runs`] : [];
  const more = [...rules, ...alone];
  return (
    <button type="button" class={`cell ${KINDS[word]}`} onClick={open} aria-haspopup="dialog">
      <span class="hidden">
        {action} for {bot}:{' '}
      </span>
      <strong aria-hidden={word === 'not_granted'}>{WORDS[word].word}</strong>
      {word === 'not_granted' && <span class="hidden">not granted</span>}
      {more.slice(0, MOST_RULES).map((words) => (
        <small key={words}>
          <Text>{words}</Text>
        </small>
      ))}
      {more.length > MOST_RULES && <small>and {more.length - MOST_RULES} more</small>}
    </button>
  );
}
