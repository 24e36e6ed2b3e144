import type { Operator } from '../ports/access.ts';
import { moment } from './format.ts';
import { type Html, html } from './html.ts';

/** The frame of every page. */

/** Where the browser finds what a page needs. */
export interface PageFiles {
  readonly style: string;
  readonly script: string;
}

export interface Frame {
  readonly files: PageFiles;
  readonly isSimulated: boolean;
  /** Absent before sign-in. */
  readonly signedIn?: { readonly operator: Operator; readonly csrf: string; readonly waiting: number };
  readonly here?: 'bots' | 'approvals' | undefined;
  /** Somebody got in without a key, by the terminal of this installation, in the past week. */
  readonly recovered?: { readonly operator: string; readonly at: number } | undefined;
}

export function page(title: string, frame: Frame, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · Gatehouse</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${frame.files.style}">
<script type="module" src="${frame.files.script}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
${frame.isSimulated && SIMULATED}
${frame.signedIn && frame.recovered && RECOVERED(frame.recovered)}
<header class="top">
  <a class="brand" href="/">${MARK}<span>Gatehouse</span></a>
  ${frame.signedIn && navigation(frame.signedIn, frame.here)}
</header>
<main id="main" tabindex="-1">
${body}
</main>
</body>
</html>`.toString();
}

/** The document of the app: what it needs, and what it says where there is no script. */
export function shell({ style, script, imports }: PageFiles & { readonly imports: readonly string[] }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Gatehouse</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
${imports.map((file) => html`<link rel="modulepreload" href="${file}">`)}
<script type="module" src="${script}"></script>
</head>
<body>
<div id="root"></div>
<noscript><main class="narrow"><h1>Gatehouse</h1><p>The console needs JavaScript. Without it you can sign in, and decide what the link of an approval names.</p></main></noscript>
</body>
</html>`.toString();
}

const SIMULATED = html`<p class="simulated" role="note"><strong>Simulated org:</strong> nothing here reaches Salesforce. <a href="/simulated-org">Look at it</a></p>`;

const RECOVERED = ({ operator, at }: NonNullable<Frame['recovered']>) =>
  html`<p class="simulated" role="alert"><strong>Access was recovered</strong> for <bdi>${operator}</bdi> at the terminal of this installation, ${moment(new Date(at).toISOString())}. If that was none of you, change <code>GATEHOUSE_SECRET</code> and look at the audit.</p>`;

const MARK = html`<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><path d="M3 21V10a9 9 0 0 1 18 0v11h-5V11a4 4 0 0 0-8 0v10z" fill="currentColor"/><circle cx="12" cy="17" r="1.6" fill="currentColor"/></svg>`;

/** As the app has them beside these two; on a phone Overview leads there. */
const PLACES = [
  ['/bots', 'Bots'],
  ['/permissions', 'Permissions'],
  ['/sync', 'Sync'],
  ['/log', 'Log'],
  ['/charts', 'Charts'],
  ['/playground', 'Playground'],
] as const;

function navigation({ operator, csrf, waiting }: NonNullable<Frame['signedIn']>, here: Frame['here']): Html {
  const link = (href: string, name: Frame['here'], label: Html) =>
    html`<a href="${href}"${here === name && html` aria-current="page"`}>${label}</a>`;
  return html`<nav aria-label="Main">
    ${link('/', 'bots', html`Overview`)}
    ${link('/approvals', 'approvals', html`Approvals${waiting > 0 && html` <span class="count" aria-label="${waiting} waiting">${waiting}</span>`}`)}
    ${PLACES.map(([href, label]) => html`<a class="rest" href="${href}">${label}</a>`)}
  </nav>
  <form class="who" method="post" action="/sign-out">
    <input type="hidden" name="csrf" value="${csrf}">
    <span><bdi>${operator.name}</bdi> <small>${operator.role}</small></span>
    <button class="quiet">Sign out</button>
  </form>`;
}

/** Something the reader has to know first. */
export function notice(kind: 'good' | 'warn' | 'bad', title: string, body?: Html): Html {
  return html`<div class="notice ${kind}" role="${kind === 'bad' ? 'alert' : 'status'}"><strong>${title}</strong>${body && html`<div>${body}</div>`}</div>`;
}
