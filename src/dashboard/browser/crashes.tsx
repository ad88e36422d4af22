/** The last crashes, each with its trace. */
import { useRef } from 'preact/hooks';
import type { ControlEvent } from '../../client/index.js';
import { timeOfDay } from '../model/formats.js';
import { Panel } from './parts.js';
import { functionAddress, requestAddress } from './routes.js';

const SHOWN = 10;

interface CrashesProps {
  /** The latest first. */
  readonly crashes: readonly ControlEvent[];
  readonly wide?: boolean;
}

export function Crashes({ crashes, wide = true }: CrashesProps) {
  // The one that is the latest when this is first seen; those that come later push nothing away.
  const opened = useRef<string | undefined>(undefined);
  opened.current ??= crashes[0]?.requestId;
  return (
    <Panel title="Crashes" id="crashes" wide={wide}>
      {crashes.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <ul class="crashes">
          {crashes.slice(0, SHOWN).map((crash, index) => (
            <li key={crash.requestId ?? `${crash.at}-${index}`}>
              <Crash crash={crash} isOpen={crash.requestId === opened.current} />
            </li>
          ))}
        </ul>
      )}
      {crashes.length > SHOWN && <p class="quiet">{crashes.length - SHOWN} more before these.</p>}
    </Panel>
  );
}

function Crash({ crash, isOpen }: { readonly crash: ControlEvent; readonly isOpen: boolean }) {
  const { at, function: name, instance, requestId, code, reason, where } = crash;
  return (
    <details open={isOpen}>
      <summary>
        <time dateTime={new Date(at).toISOString()}>{timeOfDay(at)}</time>{' '}
        <b>{name ?? instance ?? 'unknown'}</b> {code}
      </summary>
      <p>
        {reason} {name !== undefined && <a href={functionAddress(name)}>Function {name}</a>}{' '}
        {requestId !== undefined && <a href={requestAddress(requestId)}>Request {requestId}</a>}
      </p>
      {where !== undefined && <pre class="trace">{where}</pre>}
    </details>
  );
}
