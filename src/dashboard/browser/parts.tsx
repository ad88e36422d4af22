/** Small parts that several views share. */
import type { ComponentChildren } from 'preact';
import { duration } from '../model/formats.js';
import { MEANINGS, type Outcome } from '../model/outcomes.js';
import { inOrder, onScale, PHASES } from '../model/phases.js';

/** What is wide scrolls in a box of its own, by keyboard, too. */
export function Scrolling({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

export function Panel({
  title,
  id,
  wide = false,
  children,
}: {
  readonly title: string;
  readonly id: string;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={wide ? 'panel wide' : 'panel'} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** Colour is never the only sign: the word is there, too. */
export function OutcomeMark({ outcome }: { readonly outcome: Outcome }) {
  return (
    <span class={`outcome ${outcome}`} title={MEANINGS[outcome]}>
      {outcome}
    </span>
  );
}

/** Where the time of one request went. */
export function Timeline({ timeline }: { readonly timeline: Readonly<Record<string, number>> }) {
  return (
    <table class="timeline">
      <thead>
        <tr>
          <th scope="col">Phase</th>
          <th scope="col">Time</th>
          <th scope="col" class="bars">
            1 µs to 10 s
          </th>
        </tr>
      </thead>
      <tbody>
        {inOrder(Object.keys(timeline)).map((name) => {
          const milliseconds = timeline[name] as number;
          return (
            <tr key={name}>
              <th scope="row">
                {name} <small>{PHASES[name] ?? ''}</small>
              </th>
              <td>{duration(milliseconds)}</td>
              <td class="bars">
                <Bar part={onScale(milliseconds)} kind="p50" />
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** @param part from 0 to 1 */
export function Bar({ part, kind }: { readonly part: number; readonly kind: string }) {
  return (
    <span class="track" aria-hidden="true">
      <span class={`bar ${kind}`} style={{ inlineSize: `${(100 * part).toFixed(1)}%` }} />
    </span>
  );
}

/** What of the API's answer is to be told to people. */
export function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An entry of a list of facts. */
export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
