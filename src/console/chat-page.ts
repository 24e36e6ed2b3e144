import { type Html, html } from './html.ts';

/** The page that end users talk to, alone or in a frame of the site it belongs to. It holds no key and no word of a record. */

export interface ChatPage {
  readonly files: { readonly styles: readonly string[]; readonly script: string };
  readonly bot: string;
  /** What visitors read in place of the bot's name. */
  readonly name: string;
  readonly greeting: string | undefined;
  readonly isDemo: boolean;
  readonly isSimulated: boolean;
  /** Lets in visitors that no host app signed for. */
  readonly anonymous: boolean;
  readonly isInternal: boolean;
  readonly frameOrigins: readonly string[];
  /** Examples to begin with. */
  readonly starters: readonly string[];
}

export function chatPage(given: ChatPage): string {
  const { bot, name } = given;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Chat with ${name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
${given.files.styles.map((style) => html`<link rel="stylesheet" href="${style}">`)}
<script type="module" src="${given.files.script}"></script>
</head>
<body class="chat" data-bot="${bot}" data-origins="${JSON.stringify(given.frameOrigins)}"${given.anonymous && html` data-anonymous`}${given.isInternal && html` data-internal`}>
<a class="skip" href="#words">Skip to the message field</a>
<header class="bar">
  <div class="inner">
    <h1>Chat with <bdi>${name}</bdi></h1>
    <button class="quiet" type="button" data-new hidden>New chat</button>
  </div>
  ${(given.isDemo || given.isSimulated) && html`<p class="simulated" role="note">${notes(given)}</p>`}
</header>
<main id="main" tabindex="0" aria-label="Conversation">
  <div class="inner">
    <section class="hello" data-hello>
      <h2>${given.greeting ?? 'How can I help?'}</h2>
      <p>Write what you would like. Nothing that needs a yes happens without one.</p>
      ${
        given.starters.length > 0 &&
        html`<ul class="starters" aria-label="Examples">${given.starters.map((words) => html`<li><button type="button" data-starter>${words}</button></li>`)}</ul>`
      }
    </section>
    <ol class="said" aria-label="Messages" data-log></ol>
    <noscript><p class="notice warn">This chat needs JavaScript.</p></noscript>
  </div>
</main>
<form class="composer" data-composer>
  <div class="inner">
    <p class="status" role="status" data-status></p>
    <div class="row">
      <label class="hidden" for="words">Your message</label>
      <textarea id="words" rows="1" maxlength="4000" placeholder="Write a message" autocomplete="off" enterkeyhint="send" data-words></textarea>
      <button class="primary send" data-send aria-label="Send">${SEND}<span>Send</span></button>
      <button class="send stop" type="button" data-stop hidden>Stop</button>
    </div>
  </div>
</form>
<div class="hidden" aria-live="polite" data-aloud></div>
</body>
</html>`.toString();
}

function notes({ isDemo, isSimulated }: ChatPage): Html {
  return html`${isDemo && html`<span><strong>Demo model:</strong> fixed rules, no AI.</span> `}${isSimulated && html`<span><strong>Simulated org:</strong> nothing reaches Salesforce.</span>`}`;
}

const SEND = html`<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 20V5m0 0-6 6m6-6 6 6" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
