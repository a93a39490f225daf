// The prompt's document without what it is about: that comes as data, and is
// only ever put in as text.

import { Prompt, PromptKey } from '../ids';

export interface PageSources {
  /** The source that VS Code serves the extension's own files from. */
  readonly cspSource: string;
  readonly script: string;
  readonly style: string;
  /** For the one script of the page; not the nonce of any approval. */
  readonly scriptNonce: string;
}

export function page({ cspSource, script, style, scriptNonce }: PageSources): string {
  const policy = `default-src 'none'; style-src ${cspSource}; script-src 'nonce-${scriptNonce}'`;
  const button = (id: string, title: string, key: string, extra = ''): string =>
    `<button id="${id}" type="button" ${extra}><span>${title}</span> <kbd>${key}</kbd></button>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Countersign</title>
</head>
<body hidden>
<main>
<p id="${Prompt.notice}" role="status" hidden></p>
<header>
<h1 id="${Prompt.title}"></h1>
<nav><button id="${Prompt.previous}" type="button" title="Previous (${PromptKey.previous})" aria-label="Previous">‹</button>
<span id="${Prompt.position}"></span>
<button id="${Prompt.next}" type="button" title="Next (${PromptKey.next})" aria-label="Next">›</button></nav>
</header>
<p><strong id="${Prompt.why}"></strong> <span id="${Prompt.detail}"></span></p>
<h2 id="${Prompt.textLabel}"></h2>
<pre id="${Prompt.text}" dir="ltr" translate="no"></pre>
<section><h2>What it would do</h2><ol id="${Prompt.effects}"></ol></section>
<section><h2>Its parts</h2><ul id="${Prompt.parts}"></ul></section>
<section><dl id="${Prompt.facts}"></dl></section>
</main>
<footer>
<p id="${Prompt.hint}" role="status"></p>
<div class="answers">
${button(Prompt.deny, 'Deny', PromptKey.deny, 'class="primary"')}
${button(Prompt.approve, 'Approve', PromptKey.approve, 'disabled')}
${button(Prompt.remember, 'Approve and Remember…', PromptKey.remember, 'disabled')}
${button(Prompt.switchToDefault, 'Approve, Then Ask More (Default Mode)', PromptKey.switchToDefault, 'disabled')}
</div>
<div class="looks">
<input id="${Prompt.message}" type="text" maxlength="2000" placeholder="What to tell the agent if you deny" aria-label="What to tell the agent if you deny">
${button(Prompt.showChange, 'Show Change', PromptKey.showChange)}
${button(Prompt.explain, 'Explain', PromptKey.explain)}
</div>
</footer>
<dialog id="${Prompt.confirm}">
<h2>Approve this call, and remember</h2>
<ul id="${Prompt.rules}"></ul>
<p>Calls that match will run without asking, for:</p>
<div id="${Prompt.scopes}" role="radiogroup"></div>
<div class="answers">
<button id="${Prompt.confirmNo}" type="button" class="primary">Back</button>
<button id="${Prompt.confirmYes}" type="button" disabled>Approve and Remember</button>
</div>
</dialog>
<script nonce="${scriptNonce}" src="${script}"></script>
</body>
</html>`;
}
