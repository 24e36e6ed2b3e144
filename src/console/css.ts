/** One calm sheet, phone first. Colours are roles, set once for light and once for dark; every pair passes WCAG AA. */
export const css = `
:root {
  color-scheme: light dark;
  --paper: #f6f5f1; --card: #ffffff; --sunk: #f1efe9; --ink: #1d2321; --soft: #59625e; --line: #dedbd2;
  --accent: #0d5c53; --on-accent: #ffffff; --accent-wash: #e2efec;
  --good: #1c6b3a; --good-wash: #e3f1e7; --warn: #7a4b00; --warn-wash: #fbf0d9; --bad: #a3262a; --bad-wash: #fbe6e4;
  --shadow: 0 1px 2px rgb(29 35 33 / .05), 0 6px 20px rgb(29 35 33 / .05);
  --round: 14px; --gap: 1rem;
  font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121614; --card: #1a201d; --sunk: #151a18; --ink: #e7ebe8; --soft: #a2aca7; --line: #303834;
    --accent: #7fd1c1; --on-accent: #06231f; --accent-wash: #17312d;
    --good: #86d6a1; --good-wash: #173222; --warn: #efc170; --warn-wash: #362a12; --bad: #ffa39d; --bad-wash: #3c1d1d;
    --shadow: 0 1px 2px rgb(0 0 0 / .4);
  }
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
h1, h2, h3, p, dl, dd, ul, ol, fieldset, table { margin: 0; padding: 0; }
h1 { font-size: clamp(1.4rem, 1.1rem + 1.6vw, 1.9rem); line-height: 1.22; letter-spacing: -.015em; font-weight: 650; text-wrap: pretty; }
h2 { font-size: 1.02rem; line-height: 1.3; font-weight: 650; }
ul, ol { padding-left: 1.15rem; }
li + li { margin-top: .25rem; }
small, .note { font-size: .86rem; color: var(--soft); }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus { outline: none; }
[hidden] { display: none !important; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: .75rem; top: .75rem; z-index: 9; padding: .6rem .9rem; background: var(--card); border-radius: 8px; box-shadow: var(--shadow); }

.simulated { padding: .5rem 1rem; text-align: center; font-size: .88rem; background: var(--warn-wash); color: var(--warn); }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: .15rem 1.25rem; max-width: 62rem; margin: 0 auto; padding: .85rem 1rem; }
.brand { display: inline-flex; align-items: center; gap: .55rem; min-height: 2.75rem; font-weight: 680; letter-spacing: -.01em; color: var(--ink); text-decoration: none; }
.brand svg { color: var(--accent); }
.top nav { order: 3; flex: 1 0 100%; display: flex; gap: .25rem; }
.top nav a { display: inline-flex; align-items: center; gap: .4rem; min-height: 2.75rem; padding: 0 .8rem; border-radius: 99px; color: var(--soft); text-decoration: none; font-weight: 550; }
.top nav a:hover { color: var(--ink); background: var(--sunk); }
.top nav a[aria-current] { color: var(--ink); background: var(--card); box-shadow: var(--shadow); }
.count { min-width: 1.4rem; padding: .05rem .4rem; border-radius: 99px; text-align: center; font-size: .8rem; font-weight: 650; background: var(--accent); color: var(--on-accent); }
.who { display: flex; align-items: center; gap: .5rem; margin-left: auto; font-size: .92rem; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.15rem; max-width: 46rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
.wide { max-width: 62rem; }
.narrow { max-width: 27rem; margin: 6vh auto 0; width: 100%; }
.lead { color: var(--soft); max-width: 60ch; }
.stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: .8rem; }
.head { display: grid; gap: .5rem; }
.eyebrow { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .7rem; font-size: .92rem; color: var(--soft); }
.crumb { display: inline-flex; align-items: center; min-height: 2rem; }

.card { display: grid; grid-template-columns: minmax(0, 1fr); gap: .85rem; padding: 1.15rem; background: var(--card); border: 1px solid var(--line); border-radius: var(--round); box-shadow: var(--shadow); }
.card.flat { box-shadow: none; background: transparent; }
.card > header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .4rem .8rem; }
.cards { display: grid; gap: .8rem; padding: 0; list-style: none; }
.cards > li { margin: 0; }
.card.link { position: relative; transition: border-color .15s; }
.card.link:hover { border-color: var(--accent); }
.card.link a::after { content: ""; position: absolute; inset: 0; border-radius: var(--round); }
.card.link a { color: inherit; text-decoration: none; font-weight: 650; }
.card.link a:focus-visible { outline: none; }
.card.link:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }

.badge { display: inline-flex; align-items: center; gap: .4rem; padding: .12rem .65rem; border-radius: 99px; font-size: .84rem; font-weight: 600; background: var(--sunk); color: var(--soft); white-space: nowrap; }
.badge::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: currentColor; }
.badge.good { background: var(--good-wash); color: var(--good); }
.badge.warn { background: var(--warn-wash); color: var(--warn); }
.badge.bad { background: var(--bad-wash); color: var(--bad); }
.badge.accent { background: var(--accent-wash); color: var(--accent); }
.notice { display: grid; gap: .3rem; padding: .85rem 1rem; border-radius: var(--round); border: 1px solid color-mix(in srgb, currentColor 28%, transparent); }
.notice.good { background: var(--good-wash); color: var(--good); }
.notice.warn { background: var(--warn-wash); color: var(--warn); }
.notice.bad { background: var(--bad-wash); color: var(--bad); }
.notice > div { color: var(--ink); }
.notice > div > * + * { margin-top: .35rem; }
.left { font-variant-numeric: tabular-nums; white-space: nowrap; }
.left.soon { color: var(--bad); font-weight: 600; }
.empty { color: var(--soft); font-style: italic; }

dl.facts { display: grid; gap: .1rem 1.25rem; }
dl.facts dt { color: var(--soft); font-size: .86rem; }
dl.facts dd { margin-bottom: .55rem; }
dl.facts > :last-child { margin-bottom: 0; }

table.diff { display: block; border: 0; }
table.diff thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
table.diff tbody { display: grid; gap: .9rem; }
table.diff tr { display: grid; grid-template-columns: minmax(0, 1fr); gap: .3rem; }
table.diff tr + tr { border-top: 1px solid var(--line); padding-top: .9rem; }
table.diff th { text-align: left; font-weight: 600; }
table.diff th code { display: block; font-weight: 400; color: var(--soft); }
table.diff td { display: grid; grid-template-columns: 4.2rem minmax(0, 1fr); align-items: baseline; padding: 0; }
table.diff td::before { content: attr(data-label); font-size: .82rem; color: var(--soft); }
table.diff .after > * { font-weight: 620; color: var(--accent); }
table.diff .before > * { color: var(--soft); }
table.diff.new td { grid-template-columns: minmax(0, 1fr); }
table.diff.new td::before { content: none; }
.long { max-height: 16rem; overflow: auto; padding: .6rem .75rem; border-radius: 8px; background: var(--sunk); border: 1px solid var(--line); white-space: pre-wrap; font-weight: 400; }
pre.query { margin: 0; max-height: 22rem; overflow: auto; padding: .8rem .95rem; border-radius: 10px; background: var(--sunk); border: 1px solid var(--line); white-space: pre-wrap; }
.chips { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; list-style: none; }
.chips li { margin: 0; padding: .08rem .55rem; border-radius: 6px; background: var(--sunk); border: 1px solid var(--line); }
.untrusted { border-style: dashed; box-shadow: none; background: transparent; }

details.card { display: block; }
details > summary { cursor: pointer; min-height: 1.75rem; font-weight: 600; }
details[open] > summary { margin-bottom: .7rem; }
fieldset { border: 0; display: grid; gap: .55rem; }
legend { padding: 0; margin-bottom: .5rem; font-weight: 650; }
label.field { display: grid; gap: .3rem; font-weight: 600; }
label.field small { font-weight: 400; }
input[type="text"], input[type="number"], input[type="date"], select, textarea {
  width: 100%; min-height: 2.9rem; padding: .6rem .8rem; font: inherit; font-weight: 400; color: inherit; background: var(--paper); border: 1px solid color-mix(in srgb, var(--soft) 70%, transparent); border-radius: 10px; }
textarea { min-height: 7rem; resize: vertical; }
.choice { display: flex; gap: .7rem; align-items: flex-start; padding: .75rem .9rem; border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
.choice:hover, .choice:has(:checked) { border-color: var(--accent); background: var(--accent-wash); }
.choice:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
.choice input { flex: none; width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; accent-color: var(--accent); }
.choice input:focus-visible { outline: none; }
.choice small { display: block; font-weight: 400; }

button, .button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.9rem; padding: .55rem 1.15rem; font: inherit; font-weight: 620; border-radius: 10px; border: 1px solid var(--line); background: var(--card); color: var(--ink); text-decoration: none; cursor: pointer; transition: background .15s, border-color .15s; }
button:hover, .button:hover { border-color: var(--soft); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.primary:hover { background: color-mix(in srgb, var(--accent) 88%, var(--ink)); border-color: transparent; }
.danger { color: var(--bad); }
.danger:hover { border-color: var(--bad); background: var(--bad-wash); }
.quiet { min-height: 2.4rem; padding: .3rem .7rem; border-color: transparent; background: transparent; color: var(--soft); font-weight: 550; }
.quiet:hover { color: var(--ink); background: var(--sunk); border-color: transparent; }
form[aria-busy="true"] button { opacity: .6; cursor: progress; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; }
.actions form { display: contents; }
.decide { position: sticky; bottom: 0; z-index: 2; display: grid; gap: .4rem; margin: 0 -1rem; padding: .7rem 1rem calc(.6rem + env(safe-area-inset-bottom)); background: color-mix(in srgb, var(--paper) 92%, transparent); backdrop-filter: blur(8px); border-top: 1px solid var(--line); }
.decide .actions > * { flex: 1 1 9rem; }
body[data-token="given"] .paste { display: none; }
body:not([data-token]) .given { display: none; }

@media (min-width: 40rem) {
  .top nav { order: 0; flex: none; }
  main { padding-top: 1.5rem; }
  .card { padding: 1.4rem 1.5rem; }
  dl.facts { grid-template-columns: max-content minmax(0, 1fr); gap: .5rem 1.6rem; }
  dl.facts dd { margin: 0; }
  dl.facts dt { padding-top: .12rem; }
  table.diff { display: table; width: 100%; border-collapse: collapse; table-layout: fixed; }
  table.diff thead { position: static; width: auto; height: auto; clip-path: none; display: table-header-group; }
  table.diff thead th { padding-bottom: .5rem; font-size: .84rem; font-weight: 550; color: var(--soft); }
  table.diff tbody { display: table-row-group; }
  table.diff tr, table.diff tr + tr { display: table-row; padding: 0; border: 0; }
  table.diff tbody th, table.diff td { display: table-cell; vertical-align: top; padding: .65rem .9rem .65rem 0; border-top: 1px solid var(--line); }
  table.diff td:last-child { padding-right: 0; }
  table.diff tbody tr:last-child > * { padding-bottom: 0; }
  table.diff td::before { content: none; }
  .decide { position: static; margin: 0; padding: 1rem 0 0; background: none; backdrop-filter: none; }
  .decide .actions > * { flex: 0 1 auto; min-width: 9rem; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media (forced-colors: active) { .badge, .notice, .choice { border: 1px solid; } }
`;
