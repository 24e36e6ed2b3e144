import { nice, ticks } from 'd3-array';
import { Link, useLocation } from 'wouter-preact';
import { count } from './text.tsx';

/**
 * Bars as SVG, coloured by the sheet, and the same numbers as a table: the picture is for the eye and the mouse, the table for
 * everybody. A bar leads to what it counts.
 */

export interface Series {
  readonly name: string;
  readonly kind: 'good' | 'accent' | 'soft' | 'warn' | 'bad';
}

export interface Column {
  readonly key: string;
  /** On the axis, where there is room. */
  readonly short: string;
  readonly label: string;
  /** One per series. */
  readonly values: readonly number[];
  /** One per series, where it leads anywhere. */
  readonly hrefs?: readonly string[];
}

interface ChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly columns: readonly Column[];
  /** Top of the axis, where it is known. */
  readonly most?: number;
  readonly unit?: string;
  /** Lines across. */
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
  readonly small?: boolean;
}

const [WIDTH, LEFT, BOTTOM, TOP] = [640, 66, 30, 12];

export function Chart({ title, series, columns, most, unit = '', marks = [], small = false }: ChartProps) {
  const [, go] = useLocation();
  const height = small ? 150 : 240;
  const sums = columns.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const [, top] = nice(0, most ?? Math.max(1, ...sums), 4);
  const yOf = (value: number) => TOP + (height - TOP - BOTTOM) * (1 - Math.min(value / top, 1));
  const step = (WIDTH - LEFT) / Math.max(columns.length, 1);
  const wide = Math.min(step * 0.76, 48);
  const every = Math.ceil(columns.length / (small ? 4 : 8));
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} aria-hidden="true" focusable="false">
        {ticks(0, top, small ? 2 : 4)
          .filter(Number.isInteger)
          .map((tick) => (
            <g key={tick}>
              <line class="grid" x1={LEFT} x2={WIDTH} y1={yOf(tick)} y2={yOf(tick)} />
              <text x={LEFT - 8} y={yOf(tick) + 4} text-anchor="end">
                {count(tick)}
                {unit}
              </text>
            </g>
          ))}
        {columns.map(({ key, short, values, hrefs }, index) => {
          const x = LEFT + index * step + (step - wide) / 2;
          let below = 0;
          return (
            <g key={key}>
              {index % every === 0 && (
                <text x={x + wide / 2} y={height - 8} text-anchor="middle">
                  {short}
                </text>
              )}
              {values.map((value, of) => {
                if (value <= 0) return null;
                const from = yOf(below);
                below += value;
                const name = series[of]?.name ?? '';
                const y = yOf(below);
                const tall = Math.max(from - y, 1);
                const bar = (
                  <rect class={`bar ${series[of]?.kind ?? ''}`} x={x} y={y} width={wide} height={tall} rx={2}>
                    <title>{`${columns[index]?.label}: ${count(value)}${unit} ${name}`}</title>
                  </rect>
                );
                const href = hrefs?.[of];
                if (href === undefined) return bar;
                return (
                  <a
                    key={name}
                    href={href}
                    tabindex={-1}
                    onClick={(event: MouseEvent) => {
                      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                      event.preventDefault();
                      go(href);
                    }}
                  >
                    {bar}
                  </a>
                );
              })}
            </g>
          );
        })}
        {marks
          .filter(({ at }) => at <= top)
          .map(({ at, label }) => (
            <g key={label}>
              <line class="mark" x1={LEFT} x2={WIDTH} y1={yOf(at)} y2={yOf(at)} />
              <text class="mark" x={WIDTH - 4} y={yOf(at) - 4} text-anchor="end">
                {label}
              </text>
            </g>
          ))}
      </svg>
      {series.length > 1 && (
        <ul class="legend">
          {series.map(({ name, kind }, of) => (
            <li key={name} class={kind}>
              {name} <strong>{count(columns.reduce((sum, { values }) => sum + (values[of] ?? 0), 0))}</strong>
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>As a table</summary>
        <ChartTable title={title} series={series} columns={columns} unit={unit} />
      </details>
    </figure>
  );
}

function ChartTable({ title, series, columns, unit = '' }: Pick<ChartProps, 'title' | 'series' | 'columns' | 'unit'>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: what scrolls must be reached by keyboard, and is no set of fields
    <div class="scroll" tabIndex={0} role="group" aria-label={`${title}, table`}>
      <table class="numbers" aria-label={title}>
        <thead>
          <tr>
            <th scope="col">When</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map(({ key, label, values, hrefs }) => (
            <tr key={key}>
              <th scope="row">{label}</th>
              {values.map((value, of) => (
                <td key={series[of]?.name}>
                  {value > 0 && hrefs?.[of] !== undefined ? (
                    <Link href={hrefs[of]} aria-label={`${count(value)} ${series[of]?.name}, ${label}`}>
                      {count(value)}
                    </Link>
                  ) : (
                    `${count(value)}${unit}`
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Things by how often, most first: each with its bar, and a link to them. */
export function CountBars({
  of,
}: {
  readonly of: readonly {
    readonly key: string;
    readonly label: string;
    readonly count: number;
    readonly href: string;
  }[];
}) {
  const most = Math.max(1, ...of.map((one) => one.count));
  return (
    <ul class="bars">
      {of.map((one) => (
        <li key={one.key}>
          <Link href={one.href}>{one.label}</Link> <strong>{count(one.count)}</strong>
          <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="bar bad" width={(one.count / most) * 100} height="4" rx="1" />
          </svg>
        </li>
      ))}
    </ul>
  );
}
