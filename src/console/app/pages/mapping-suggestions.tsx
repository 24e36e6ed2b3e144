import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton } from '../parts/act.tsx';
import { Empty } from '../parts/states.tsx';
import type { Kind } from '../parts/sync.tsx';
import { Text } from '../parts/text.tsx';

const readSuggestions = (bot: string, kind: Kind) =>
  said(api.GET('/api/bots/{bot}/mappings/{kind}/suggestions', { params: { path: { bot, kind } } }));
export type Suggestion = Awaited<ReturnType<typeof readSuggestions>>['suggestions'][number];

/** Sure enough to be ticked; nothing is saved by itself, however sure. */
const SURE = 0.8;

/** Rules for what no rule covers, each with why; what is ticked joins the draft. */
export function Suggestions({
  bot,
  kind,
  ticked,
  onTick,
  why,
}: {
  readonly bot: string;
  readonly kind: Kind;
  readonly ticked: readonly Suggestion[];
  readonly onTick: (ticked: readonly Suggestion[]) => void;
  readonly why: string | undefined;
}) {
  const [found, setFound] = useState<readonly Suggestion[]>();
  return (
    <>
      <ActButton
        why={why}
        run={() => readSuggestions(bot, kind)}
        after={({ suggestions }) => {
          setFound(suggestions);
          onTick(suggestions.filter(({ confidence }) => confidence >= SURE));
        }}
      >
        Suggest
      </ActButton>
      {found && (
        <section class="card suggestions" aria-label="Suggestions">
          <h2>Suggestions</h2>
          {found.length === 0 ? (
            <Empty>Every field that the host app sends has a rule.</Empty>
          ) : (
            <>
              <p class="note">What is ticked is saved with the next version, and with no other.</p>
              <ul class="ticks">
                {found.map((one) => (
                  <li key={one.rule.remote.join()}>
                    <label>
                      <input
                        type="checkbox"
                        checked={ticked.includes(one)}
                        onChange={(event) =>
                          onTick(
                            event.currentTarget.checked ? [...ticked, one] : ticked.filter((other) => other !== one),
                          )
                        }
                      />
                      <span>
                        <Text>{one.rule.local.join(' + ') || 'always'}</Text> →{' '}
                        <code>{one.rule.remote.join(' + ')}</code>{' '}
                        <small>
                          {Math.round(one.confidence * 100)} %, <Text>{one.reason}</Text>
                        </small>
                      </span>
                    </label>
                  </li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
    </>
  );
}
