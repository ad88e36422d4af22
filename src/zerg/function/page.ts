/** The Zerg page as HTML. */
import type { Strategy } from '../../drivers/driver.js';
import type { Facts } from '../view.js';
import { Html, html } from './html.js';
import { phasesTable } from './phases-table.js';
import { STYLE } from './style.js';

export interface PageParts {
  readonly facts: Facts;
  readonly env: Readonly<Record<string, unknown>>;
  readonly nonce: string;
  /** What comes before the page's own paths. */
  readonly base: string;
  readonly script: string;
}

const STRATEGIES: Readonly<Record<Strategy, string>> = {
  reset:
    'Its virtual machine was not booted for you: that happened once, when the function was ' +
    'deployed, and the last column shows what it took. After each view the machine is rewound to ' +
    'the snapshot of that moment, memory and registers, so that nothing of a view is left for the ' +
    'next. So this view skips C, D and E, and G is the rewind.',
  clone:
    'Its virtual machine is a new one over a copy-on-write view of a snapshot. The boot happened ' +
    'once, when the function was deployed, and the last column shows what it took; so this view ' +
    'skips C, D and E. Some machines are made ahead, which A does not count.',
  pool:
    'Its virtual machine was booted ahead, before you asked, and is used for this view alone. What ' +
    'that took is no part of the view; the last column shows the first boot, when the function was ' +
    'deployed.',
  boot:
    'Its virtual machine was made and booted for this view alone: nothing is skipped. B, D and E ' +
    'are parts of C, which nobody measures apart.',
};

export function page({ facts, env, nonce, base, script }: PageParts): Html {
  const { view, driver } = facts;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Zerg: a virtual machine for this view</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body data-base="${base}" data-view="${view.id}">
<main>
<h1>This view had a virtual machine of its own</h1>
<p>You asked for this page, an instance rendered it, and now that you read it the instance is gone. In
2013 the Zerg demo of Erlang on Xen did that in 0.2 s, with a Xen domain for each view. This view took
<strong data-total>…</strong>, with the driver <code>${driver}</code> and the strategy
<code>${view.strategy}</code>.</p>
<noscript><p>F, G and the sum are known only after the response. Without JavaScript this page cannot
ask for them.</p></noscript>
<p id="missing" role="alert" hidden></p>
<section aria-labelledby="phases-title">
<h2 id="phases-title">Where the time went</h2>
${phasesTable(facts)}
<p>${STRATEGIES[view.strategy]}</p>
</section>
<section aria-labelledby="more-title">
<h2 id="more-title">100 more</h2>
<p class="more"><button type="button" id="more">Ask for 100 more views</button> <output id="progress"></output></p>
<figure id="figure" hidden>
<div id="histogram"></div>
<figcaption>A to F of each view, by the server’s clock, on a logarithmic scale</figcaption>
</figure>
<table id="spread" hidden>
<caption>The same, phase by phase</caption>
<thead><tr><th scope="col">Phase</th><th scope="col">p50</th><th scope="col">p99</th></tr></thead>
<tbody></tbody>
</table>
</section>
<section aria-labelledby="parent-title">
<h2 id="parent-title">What the instance got from its parent</h2>
<h3>Environment</h3>
${list(texts(env))}
<h3>Function and limits</h3>
${list(Object.entries({ name: facts.function, strategy: view.strategy, ...facts.limits }))}
<p>It has no secrets, may reach no host, and holds no binding.</p>
</section>
</main>
<script type="module" nonce="${nonce}">${new Html(script)}</script>
</body>
</html>
`;
}

/** Bindings are no texts. */
function texts(env: PageParts['env']): [string, string][] {
  return Object.entries(env).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
}

function list(entries: readonly (readonly [string, string | number])[]): Html {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
