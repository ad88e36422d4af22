/** How the Zerg page looks: one column, from a phone's width on, in light and dark. */
export const STYLE = `
:root {
  --ground: #fbfaf8; --raised: #ffffff; --ink: #1d1b19; --quiet: #5f5a54; --line: #d9d4cd;
  --accent: #8a3b12; --on-accent: #ffffff; --bar: #c2632d; --mark: #1d1b19;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #171513; --raised: #211e1b; --ink: #f0ece6; --quiet: #b3aba1; --line: #453f39;
    --accent: #f0a070; --on-accent: #1d1b19; --bar: #d9814f; --mark: #f0ece6;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
main { max-width: 54rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
h1 { font-size: clamp(1.4rem, 5vw, 2.1rem); line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { max-width: 44rem; }
table { width: 100%; border-collapse: collapse; background: var(--raised); }
caption, figcaption { text-align: start; color: var(--quiet); font-size: .9rem; padding: .25rem 0; }
th, td {
  padding: .4rem .5rem; border-block-end: 1px solid var(--line); vertical-align: top;
  text-align: end; font-variant-numeric: tabular-nums; font-weight: normal;
}
th:first-child { text-align: start; overflow-wrap: normal; }
thead th, tfoot th, tfoot td, strong, b { font-weight: 600; }
td { white-space: nowrap; }
th small { display: block; color: var(--quiet); }
.quiet { color: var(--quiet); }
button {
  font: inherit; padding: .6rem 1rem; border: 0; border-radius: .4rem; cursor: pointer;
  background: var(--accent); color: var(--on-accent);
}
button[aria-disabled="true"] { background: var(--raised); color: var(--quiet); outline: 1px solid var(--line); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.more { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
figure { margin: 1rem 0; }
svg { display: block; width: 100%; background: var(--raised); }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.bar { fill: var(--bar); }
.axis { stroke: var(--line); }
.mark { stroke: var(--mark); stroke-dasharray: 4 3; }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 0 1.5rem; }
dl div { display: flex; justify-content: space-between; gap: 1rem; border-block-end: 1px solid var(--line); padding: .25rem 0; }
dt { color: var(--quiet); flex: none; }
dd { margin: 0; text-align: end; }
code { font-family: ui-monospace, monospace; }
@media (max-width: 40rem) {
  th, td { padding: .35rem .2rem; font-size: .82rem; }
}
`;
