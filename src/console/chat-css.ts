/** What the chat has beyond the console's sheet: one column that scrolls between a bar and the composer. Phone first. */
export const chatCss = `
html:has(body.chat) { height: 100%; }
body.chat { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; height: 100dvh; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.chat .inner { width: 100%; max-width: 44rem; margin: 0 auto; padding: 0 1rem; }
.bar { background: var(--paper); border-bottom: 1px solid var(--line); }
.bar .inner { display: flex; align-items: center; justify-content: space-between; gap: .75rem; min-height: 3.4rem; }
.bar h1 { font-size: 1.05rem; }
.bar .simulated { display: flex; flex-wrap: wrap; justify-content: center; gap: 0 .8rem; padding: .35rem 1rem; font-size: .82rem; line-height: 1.4; }
.chat main { display: block; max-width: none; margin: 0; padding: 1.1rem 0 1.4rem; overflow-y: auto; overscroll-behavior: contain; }
.chat main:focus-visible { outline: 2px solid var(--accent); outline-offset: -3px; }
.hello { display: grid; gap: .5rem; padding: 9vh 0 1.5rem; }
.hello h2 { font-size: 1.5rem; letter-spacing: -.015em; }
.hello p { color: var(--soft); max-width: 46ch; }
.starters { display: grid; gap: .5rem; padding: .6rem 0 0; list-style: none; }
.starters li { margin: 0; }
.starters button { width: 100%; justify-content: flex-start; text-align: left; font-weight: 500; }

.said { display: grid; grid-template-columns: minmax(0, 1fr); gap: .7rem; padding: 0; list-style: none; }
.said > li { margin: 0; min-width: 0; }
.said .person { justify-self: end; max-width: 85%; padding: .6rem .95rem; border-radius: 18px 18px 5px 18px; background: var(--accent); color: var(--on-accent); white-space: pre-wrap; }
.said .bot { max-width: 62ch; white-space: pre-wrap; unicode-bidi: plaintext; }
.said > li + .person { margin-top: .6rem; }
.step { display: flex; gap: .55rem; align-items: baseline; font-size: .88rem; color: var(--soft); }
.step::before { content: ""; flex: none; width: .55rem; height: .55rem; border-radius: 50%; background: var(--line); }
.step.done::before { background: var(--good); }
.step.failed::before { background: var(--bad); }
.step.started::before { background: var(--accent); animation: pulse 1.2s ease-in-out infinite; }
.thinking { display: flex; gap: .3rem; padding: .5rem 0; }
.thinking i { width: .45rem; height: .45rem; border-radius: 50%; background: var(--soft); opacity: .5; animation: pulse 1.2s ease-in-out infinite; }
.thinking i:nth-child(2) { animation-delay: .15s; }
.thinking i:nth-child(3) { animation-delay: .3s; }
@keyframes pulse { 50% { opacity: 1; transform: scale(1.18); } }
@media (prefers-reduced-motion: reduce) { .thinking i, .step.started::before { animation: none; } }

.ask { gap: .7rem; padding: 1rem 1.1rem 1.1rem; border-color: color-mix(in srgb, var(--accent) 55%, var(--line)); }
.ask h2 { font-size: 1.08rem; }
.ask h2:focus { outline: none; }
.ask .eyebrow { justify-content: space-between; font-size: .86rem; }
.ask ul.why { padding-left: 1.1rem; font-size: .88rem; color: var(--soft); }
.ask .actions { gap: .6rem; }
.ask .actions > * { flex: 1 1 9rem; }
.ask .options { display: grid; gap: .5rem; }
.ask .options button { justify-content: flex-start; text-align: left; }
.links:empty { display: none; }
.links { display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.ask.settled { border-color: var(--line); box-shadow: none; opacity: .75; }
.changes { display: grid; gap: .55rem; margin: 0; }
.changes > div { display: grid; gap: .1rem; }
.changes > div + div { padding-top: .55rem; border-top: 1px solid var(--line); }
.changes.new > div { grid-template-columns: 7.5rem minmax(0, 1fr); gap: .2rem .8rem; align-items: baseline; }
.changes.new > div + div { padding-top: .4rem; }
.changes.new { gap: .4rem; }
.changes dt { font-size: .84rem; color: var(--soft); }
.changes dd { display: flex; flex-wrap: wrap; gap: .1rem .5rem; align-items: baseline; margin: 0; }
.changes dd > .was { color: var(--soft); text-decoration: line-through; text-decoration-thickness: 1px; }
.changes dd > .was.empty { text-decoration: none; }
.changes dd > .becomes { font-weight: 620; color: var(--accent); white-space: pre-wrap; max-height: 12rem; overflow: auto; }
.changes .arrow { color: var(--soft); }
.receipt { display: grid; gap: .45rem; padding: .8rem 1rem; border: 1px solid var(--line); border-left: 4px solid var(--soft); border-radius: 10px; background: var(--card); }
.receipt.good { border-left-color: var(--good); }
.receipt.bad { border-left-color: var(--bad); }
.receipt.warn { border-left-color: var(--warn); }
.receipt strong { font-weight: 650; margin-right: .25rem; }
.receipt .changes > div, .receipt .changes > div + div { padding: 0; border: 0; }
.receipt .changes { gap: .25rem; font-size: .92rem; }
.receipt .changes > div { grid-template-columns: auto minmax(0, 1fr); gap: .1rem .6rem; align-items: baseline; }
.chat .said .notice { gap: .15rem; }

.composer { background: var(--paper); border-top: 1px solid var(--line); padding: .6rem 0 calc(.7rem + env(safe-area-inset-bottom)); }
.composer .row { display: flex; align-items: flex-end; gap: .5rem; }
.composer textarea { flex: 1; min-width: 0; min-height: 3rem; max-height: 9rem; padding: .68rem .95rem; line-height: 1.5; border-radius: 16px; resize: none; background: var(--card); }
.composer textarea:focus-visible { outline-offset: 0; border-radius: 16px; }
.send { flex: none; min-height: 3rem; min-width: 3rem; padding: 0 .8rem; border-radius: 16px; }
.send span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.send[aria-disabled="true"] { opacity: .45; }
.status { min-height: 0; font-size: .86rem; color: var(--soft); }
.status:not(:empty) { padding-bottom: .45rem; }
@media (min-width: 40rem) {
  .starters { grid-template-columns: 1fr 1fr; }
  .changes > div, .changes.new > div { grid-template-columns: 9rem minmax(0, 1fr); align-items: baseline; gap: .2rem 1rem; }
  .changes dt { font-size: .9rem; }
  .ask .actions > * { flex: 0 1 auto; min-width: 9rem; }
}
@media (max-height: 30rem) { .hello { padding-top: 1rem; } }
@media (forced-colors: active) { .said .person, .receipt, .ask { border: 1px solid; } }
`;
