/** The frame of the simulated org's own pages: one calm sheet, phone first, light and dark. */
import { escapeHtml, type Outgoing } from '../http.ts';

export interface Crumb {
  readonly href: string;
  readonly text: string;
}

export function framed(status: number, title: string, crumbs: readonly Crumb[], body: string): Outgoing {
  const path = crumbs
    .map(({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`)
    .join(' <span>›</span> ');
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)} · Simulated org</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<style>${css}</style>
</head>
<body>
<p class="simulated" role="note"><strong>Simulated org:</strong> it is not Salesforce, and nothing here leaves this machine.</p>
<main>
<nav aria-label="Where you are">${path}</nav>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
  const headers = {
    'Content-Type': 'text/html;charset=UTF-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Frame-Options': 'DENY',
    // Without it a browser sends no origin with a form, and a form of another site could not be told from ours.
    'Referrer-Policy': 'same-origin',
  };
  return { status, headers, text };
}

const css = `
:root { color-scheme: light dark; --paper: #f6f5f1; --card: #fff; --ink: #1d2321; --soft: #59625e; --line: #dedbd2; --accent: #0d5c53; --on-accent: #fff;
  --good: #1c6b3a; --good-wash: #e3f1e7; --warn: #7a4b00; --warn-wash: #fbf0d9; --bad: #a3262a; --bad-wash: #fbe6e4;
  font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #121614; --card: #1a201d; --ink: #e7ebe8; --soft: #a2aca7; --line: #303834; --accent: #7fd1c1; --on-accent: #06231f;
  --good: #86d6a1; --good-wash: #173222; --warn: #efc170; --warn-wash: #362a12; --bad: #ffa39d; --bad-wash: #3c1d1d; } }
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
h1 { margin: 0; font-size: clamp(1.4rem, 1.1rem + 1.6vw, 1.9rem); line-height: 1.22; font-weight: 650; }
p { margin: 0; } a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
small, .note, nav { font-size: .88rem; color: var(--soft); }
.simulated { padding: .5rem 1rem; text-align: center; font-size: .88rem; background: var(--warn-wash); color: var(--warn); }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 52rem; margin: 0 auto; padding: 1.25rem 1rem 4rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; } th { text-align: left; font-size: .86rem; font-weight: 600; color: var(--soft); }
th, td { padding: .45rem .6rem .45rem 0; vertical-align: top; } tr + tr > * { border-top: 1px solid var(--line); } td.number { text-align: right; padding-right: 0; }
form.record { display: grid; gap: .8rem; overflow: visible; } .field { display: grid; gap: .15rem .9rem; } .field > label, .field > .label { color: var(--soft); font-size: .88rem; }
@media (min-width: 40rem) { .field { grid-template-columns: 13rem minmax(0, 1fr); } .field > label, .field > .label { padding-top: .5rem; } }
input:not([type=checkbox]), select, textarea { width: 100%; min-height: 2.5rem; padding: .4rem .6rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
input[type=checkbox] { width: 1.3rem; height: 1.3rem; margin: .5rem 0; accent-color: var(--accent); } .value { padding: .4rem 0; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; position: sticky; bottom: 0; padding: .8rem 0; background: var(--card); border-top: 1px solid var(--line); }
button, .button { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 1.1rem; font: inherit; font-weight: 600; border-radius: 99px; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); text-decoration: none; cursor: pointer; }
button.quiet { background: transparent; color: var(--bad); border-color: var(--line); margin-left: auto; }
.notice { padding: .8rem 1rem; border-radius: 14px; border: 1px solid color-mix(in srgb, currentColor 28%, transparent); }
.notice.good { background: var(--good-wash); color: var(--good); } .notice.bad { background: var(--bad-wash); color: var(--bad); }
`;
