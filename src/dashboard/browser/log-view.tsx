/** What a function logs, and how it fails, as it does. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type LogLine } from '../../client/index.js';
import { timeOfDay } from '../model/formats.js';
import { retryAfter } from '../model/retry.js';
import { Panel, problemOf } from './parts.js';
import { useLive } from './use-live.js';

const KEPT_LINES = 500;
const TAIL = 200;
/** So near its end, in pixels, it goes on to the end when more comes. */
const NEAR = 40;

export function LogView({ name }: { readonly name: string }) {
  const { lines, problem } = useLogs(name);
  const place = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  const watch = (element: HTMLElement) => {
    const { scrollHeight, scrollTop, clientHeight } = element;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };
  useEffect(() => {
    if (isAtEnd.current && place.current !== null) {
      place.current.scrollTop = place.current.scrollHeight;
    }
  }, [lines]);
  return (
    <Panel title="Log" id="log">
      {problem !== '' && <p role="alert">{problem}</p>}
      {lines.length === 0 ? (
        <p class="quiet">It has logged nothing.</p>
      ) : (
        <section
          ref={place}
          class="log"
          aria-label="Log lines"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
          tabIndex={0}
          onScroll={(event) => watch(event.currentTarget)}
        >
          {lines.map(({ number, line }) => (
            <p key={number} class={line.level}>
              <time dateTime={new Date(line.at).toISOString()}>{timeOfDay(line.at)}</time>{' '}
              <span class="level">{line.level}</span> <code>{line.text}</code>
            </p>
          ))}
        </section>
      )}
    </Panel>
  );
}

interface NumberedLine {
  readonly number: number;
  readonly line: LogLine;
}

function useLogs(name: string): { readonly lines: NumberedLine[]; readonly problem: string } {
  const { client } = useLive();
  const [lines, setLines] = useState<NumberedLine[]>([]);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let following: AbortController | undefined;
    let number = 0;
    const follow = async (signal: AbortSignal) => {
      for (let failures = 0; !signal.aborted; failures += 1) {
        setLines([]);
        try {
          for await (const line of client.functions.followLogs(name, { tail: TAIL, signal })) {
            failures = 0;
            number += 1;
            const numbered = { number, line };
            setLines((before) => [...before, numbered].slice(-KEPT_LINES));
            setProblem('');
          }
        } catch (error) {
          if (signal.aborted || (error instanceof ApiError && error.status === 404)) {
            return;
          }
          setProblem(`The log cannot be followed: ${problemOf(error)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, retryAfter(failures + 1)));
      }
    };
    // Not in a tab that nobody sees: a browser has few connections to a server.
    const watch = () => {
      following?.abort();
      if (!document.hidden) {
        following = new AbortController();
        void follow(following.signal);
      }
    };
    watch();
    document.addEventListener('visibilitychange', watch);
    return () => {
      following?.abort();
      document.removeEventListener('visibilitychange', watch);
    };
  }, [client, name]);
  return { lines, problem };
}
