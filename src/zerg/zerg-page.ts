/**
 * The Zerg page, as a front answers it: a function renders each view, in an instance of its own, and
 * is told what is known of that instance; what is known only later, the page fetches from here.
 */
import type { DriverName, Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { DEFAULT_LIMITS, type Limits } from '../fabric/limits.js';
import type { FunctionRequest, Reply } from '../fabric/message.js';
import type { Answering } from '../front/service.js';
import type { ColdPhases, Timeline } from '../timeline.js';
import { stepsOfStart } from './steps.js';
import { ToldRequest } from './told-request.js';
import { FACTS_HEADER, type Facts, VIEW_HEADER, type View } from './view.js';
import { ownerOf, ViewRecords, viewOf } from './view-records.js';

/** The function that renders the page, and the first segment of the page's path. */
export const ZERG = 'zerg';

/** What is needed of it when it is deployed. */
export interface Rendering extends Answering {
  readonly strategy: Strategy;
  readonly coldStart: ColdPhases;
}

export interface ZergOptions {
  readonly driver: DriverName;
  /** Names this front among those that serve together: digits. */
  readonly owner: string;
  /** `undefined` as long as it is not deployed. */
  rendering(): Rendering | undefined;
  /** Asks another front for a view of its own. */
  elsewhere(owner: string, id: string): Promise<View | undefined>;
}

/** Of the page itself. */
const PAGE_STATUS = 200;
const PATH = /^https?:\/\/[^/?#]*\/views\/([^?#]*)/;

export class ZergPage implements Answering {
  readonly #options: ZergOptions;
  readonly #views: ViewRecords;

  constructor(options: ZergOptions) {
    this.#options = options;
    this.#views = new ViewRecords(options.owner);
  }

  get limits(): Limits {
    return this.#options.rendering()?.limits ?? DEFAULT_LIMITS;
  }

  get strategy(): Strategy | undefined {
    return this.#options.rendering()?.strategy;
  }

  /** A view that was rendered here. */
  find(id: string): View | undefined {
    return this.#views.find(id);
  }

  /** What the page fetches of its views is no request of the function's. */
  isTold(request: FunctionRequest): boolean {
    return askedView(request) === undefined;
  }

  /** @throws HatcheryError FUNCTION_MISSING, VIEW_UNKNOWN, and as the function does */
  handle(request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply> {
    const asked = askedView(request);
    if (asked !== undefined) {
      timeline.accept = performance.now() - timeline.start;
      return this.#tell(asked, timeline);
    }
    return this.#render(request, timeline);
  }

  async #tell(id: string, timeline: Timeline): Promise<Reply> {
    const owner = ownerOf(id);
    const isElsewhere = owner !== undefined && owner !== this.#options.owner;
    const view = isElsewhere ? await this.#options.elsewhere(owner, id) : this.#views.find(id);
    if (view === undefined) {
      throw new HatcheryError('VIEW_UNKNOWN');
    }
    const headers = [
      ...['content-type', 'application/json', 'cache-control', 'no-store'],
      ...['x-content-type-options', 'nosniff', 'cross-origin-resource-policy', 'same-origin'],
    ];
    return { status: 200, headers, body: Buffer.from(JSON.stringify(view)), timeline };
  }

  #render(request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply> {
    const rendering = this.#options.rendering();
    if (rendering === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: ZERG });
    }
    const { strategy } = rendering;
    const id = this.#views.newId();
    const told = new ToldRequest(request, FACTS_HEADER, () =>
      JSON.stringify(this.#factsOf(rendering, viewOf(id, timeline, strategy))),
    );
    const named = (reply: Reply): Reply => {
      if (reply.status !== PAGE_STATUS) {
        return reply;
      }
      this.#views.keep(id, timeline, strategy);
      return { ...reply, headers: [...reply.headers, VIEW_HEADER, id] };
    };
    const reply = rendering.handle(told, timeline);
    return reply instanceof Promise ? reply.then(named) : named(reply);
  }

  #factsOf({ limits, coldStart }: Rendering, view: View): Facts {
    const { driver } = this.#options;
    const steps = stepsOfStart(coldStart);
    const snapshot = coldStart.init === undefined ? {} : { snapshot: coldStart.init };
    // The instance gets its request while B goes on: what is known of it is not all of it.
    const { B: _, ...ended } = view.steps;
    return {
      ...{ view: { ...view, steps: ended }, function: ZERG, driver, limits },
      start: { steps, ...snapshot },
    };
  }
}

/** The id of the view of which a request asks what is known; `undefined` where it asks for no view. */
function askedView({ method, url }: FunctionRequest): string | undefined {
  return method === 'GET' || method === 'HEAD' ? PATH.exec(url)?.[1] : undefined;
}
