/** Instances as a field of cells: one hatches for each request, and vanishes. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ControlEvent } from '../../client/index.js';
import { Field } from '../model/field.js';
import { whole } from '../model/formats.js';
import { isOutcome, NONE, OUTCOMES } from '../model/outcomes.js';
import { useScheme, useStillness } from './colors.js';
import { CELL_PIXELS, FieldCanvas } from './field-canvas.js';
import { OutcomeMark, Panel } from './parts.js';
import { useKnown, useLive } from './use-live.js';

const ROWS = 12;

export function FieldOfCells() {
  const live = useLive();
  const { instances = [], omitted } = useKnown();
  const place = useRef<HTMLCanvasElement>(null);
  const painter = useRef<FieldCanvas | undefined>(undefined);
  const field = useRef(new Field(0));
  const [hatched, setHatched] = useState(NONE);
  const scheme = useScheme();
  const isStill = useStillness();
  useEffect(() => {
    const canvas = place.current as HTMLCanvasElement;
    const fit = () => {
      const columns = Math.max(1, Math.floor(canvas.clientWidth / CELL_PIXELS));
      field.current = new Field(columns * ROWS);
      painter.current?.stop();
      painter.current = new FieldCanvas(canvas, field.current, columns, ROWS, isStill);
      field.current.reconcile(alive(live.known.instances ?? []), performance.now());
      painter.current.draw();
    };
    const observer = new ResizeObserver(fit);
    observer.observe(canvas);
    return () => {
      observer.disconnect();
      painter.current?.stop();
    };
  }, [live, scheme, isStill]);
  useEffect(
    () =>
      live.listenToEvents((event) => {
        take(field.current, event);
        painter.current?.draw();
        if (isOutcome(event.type)) {
          const { type } = event;
          setHatched((before) => ({ ...before, [type]: before[type] + 1 }));
        }
      }),
    [live],
  );
  useEffect(() => {
    field.current.reconcile(alive(instances), performance.now());
    painter.current?.draw();
  }, [instances]);
  const spawned = alive(instances).length;
  const summary =
    `Since this page was opened: ${OUTCOMES.map((one) => `${whole(hatched[one])} ${one}`).join(', ')}. ` +
    `${whole(spawned)} spawned instances live.`;
  return (
    <Panel title="Instances, as they hatch and vanish" id="field">
      <canvas ref={place} class="field" role="img" aria-label={summary} />
      <ul class="legend" aria-label="Since this page was opened">
        {OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <OutcomeMark outcome={outcome} />{' '}
            <span data-hatched={outcome}>{whole(hatched[outcome])}</span>
          </li>
        ))}
        <li>
          <span class="outcome spawned">spawned</span> <span data-spawned>{whole(spawned)}</span>
        </li>
        {omitted > 0 && <li class="quiet">{whole(omitted)} more, which were only counted</li>}
      </ul>
    </Panel>
  );
}

function alive(instances: readonly { readonly id: string; readonly state: string }[]): string[] {
  return instances.filter(({ state }) => state !== 'ended').map(({ id }) => id);
}

function take(field: Field, { type, instance, requestId }: ControlEvent): void {
  const now = performance.now();
  if (instance !== undefined) {
    if (type === 'spawned') {
      field.spawn(instance, now);
    } else if (type === 'killed' && requestId === undefined) {
      field.end(instance, now);
    } else if (isOutcome(type)) {
      field.answer(instance, now);
    }
  } else if (isOutcome(type)) {
    field.hatch(type, now);
  }
}
