/** The operations of the control API, each by what it is about. */
import type { OperationId } from '../api/operations.js';
import { HatcheryError } from '../errors.js';
import type { Reading } from '../statistics/reading.js';
import type { RequestOutcome } from '../supervisor/observations.js';
import type { Links } from './access/links.js';
import type { TokenFacts } from './access/token.js';
import type { Tokens } from './access/tokens.js';
import type { LoggedEvent } from './events/event-log.js';
import type { Functions } from './functions/functions.js';
import type { EventStream, EventStreams } from './http/event-streams.js';
import type { Call, Handlers } from './http/handlers.js';
import type { Instances } from './instances/instances.js';
import { type Intake, requestFacts } from './intake.js';
import { shownStatistics } from './statistics.js';
import { imageHandlers } from './uploads/handlers.js';
import type { Uploads } from './uploads/uploads.js';

export interface Parts {
  readonly functions: Functions;
  readonly instances: Instances;
  readonly uploads: Uploads;
  readonly intake: Intake;
  readonly tokens: Tokens;
  readonly links: Links;
  readonly streams: EventStreams;
  findRequest(id: string): Promise<RequestOutcome | undefined>;
  statistics(): Promise<Reading>;
  server(): Awaited<ReturnType<Handlers['getServer']>>;
}

const DEFAULT_TAIL = 100;

export function createHandlers(parts: Parts): Handlers {
  return {
    ...{ ...functionHandlers(parts), ...imageHandlers(parts) },
    ...{ ...instanceHandlers(parts), ...otherHandlers(parts) },
  };
}

type Some<Ids extends OperationId> = Pick<Handlers, Ids>;

function functionHandlers({
  functions,
  intake,
}: Parts): Some<
  | ('deployFunction' | 'listFunctions' | 'getFunction' | 'rollbackFunction')
  | ('requestFunction' | 'functionLogs' | 'followFunctionLogs' | 'removeFunction')
> {
  return {
    deployFunction: ({ params, body }) => functions.deploy(params.name, body),
    listFunctions: async () => ({ functions: await functions.list() }),
    getFunction: ({ params }) => functions.get(params.name),
    requestFunction: ({ params, body, requestId }) =>
      functions.request(params.name, body, requestId),
    rollbackFunction: ({ params, body }) => functions.rollBack(params.name, body.version),
    functionLogs: async ({ params, query }) => {
      functions.check(params.name);
      return { lines: [...intake.logs.tail(params.name, query.tail ?? DEFAULT_TAIL)] };
    },
    followFunctionLogs: async (call) => {
      const { name } = call.params;
      functions.check(name);
      const stream = followLogs(call, intake, name);
      const isGone = ({ event }: LoggedEvent) =>
        event.type === 'removed' && event.function === name;
      stream.onClose(intake.events.listen((logged) => isGone(logged) && stream.end()));
      return undefined;
    },
    removeFunction: async ({ params }) => {
      await functions.remove(params.name);
      return undefined;
    },
  };
}

function instanceHandlers({
  instances,
  intake,
}: Parts): Some<
  | ('spawnInstance' | 'listInstances' | 'getInstance' | 'requestInstance' | 'instanceLogs')
  | ('followInstanceLogs' | 'instanceEvents' | 'killInstance')
> {
  return {
    spawnInstance: ({ body }) => instances.spawn(body),
    listInstances: async ({ query }) => ({
      instances: instances.list(query.function, query.ended ?? false),
    }),
    getInstance: ({ params, query }) => instances.get(params.id, query.waitMilliseconds ?? 0),
    requestInstance: ({ params, body, requestId }) => instances.request(params.id, body, requestId),
    instanceLogs: async ({ params, query }) => {
      instances.find(params.id);
      return { lines: [...intake.logs.tail(params.id, query.tail ?? DEFAULT_TAIL)] };
    },
    followInstanceLogs: async (call) => {
      const { id } = instances.find(call.params.id);
      const stream = followLogs(call, intake, id);
      endWithInstance(stream, intake, instances, id);
      return undefined;
    },
    instanceEvents: async (call) => {
      const { id } = instances.find(call.params.id);
      const stream = call.stream();
      const send = ({ event, id: eventId }: LoggedEvent) => {
        if (event.instance === id) {
          stream.send(event, eventId);
        }
      };
      const { events } = intake;
      const earlier =
        call.lastEventId === undefined ? events.all() : events.since(call.lastEventId).events;
      earlier.forEach(send);
      stream.onClose(events.listen(send));
      endWithInstance(stream, intake, instances, id);
      return undefined;
    },
    killInstance: async ({ params }) => {
      await instances.kill(params.id);
      return undefined;
    },
  };
}

function otherHandlers({
  intake,
  tokens,
  links,
  streams,
  server,
  findRequest,
  statistics,
}: Parts): Some<
  | ('getServer' | 'getRequest' | 'getStatistics' | 'listCrashes' | 'followEvents' | 'createToken')
  | ('listTokens' | 'removeToken' | 'createLink' | 'followLink')
> {
  return {
    getServer: async () => server(),
    getRequest: async ({ params }) => {
      const outcome = await findRequest(params.id);
      if (outcome === undefined) {
        throw new HatcheryError('REQUEST_UNKNOWN', { request: params.id });
      }
      return requestFacts(params.id, outcome);
    },
    getStatistics: async () => shownStatistics(await statistics()),
    listCrashes: async () => ({ crashes: [...intake.events.crashes] }),
    followEvents: async (call) => {
      followEvents(call, intake);
      return undefined;
    },
    createToken: async ({ body }) => {
      const { name, scopes, expiresInSeconds } = body;
      const expiresAt =
        expiresInSeconds === undefined
          ? {}
          : { expiresAt: new Date(Date.now() + expiresInSeconds * 1000).toISOString() };
      const { text, facts } = await tokens.create({ name, scopes, ...expiresAt });
      return { ...shown(facts), token: text };
    },
    listTokens: async () => ({ tokens: tokens.list().map(shown) }),
    removeToken: async ({ params }) => {
      await tokens.remove(params.id);
      streams.endRevoked();
      return undefined;
    },
    createLink: async ({ body }) => links.create(body.scopes),
    followLink: async ({ body }) => {
      const { text, facts } = await links.follow(body.code);
      return { ...shown(facts), token: text };
    },
  };
}

function shown({ id, name, scopes, createdAt, expiresAt }: TokenFacts) {
  const common = { id, name, scopes: [...scopes], createdAt };
  return expiresAt === undefined ? common : { ...common, expiresAt };
}

function followLogs(
  call: Pick<Call<'followFunctionLogs'>, 'query' | 'stream'>,
  { logs }: Intake,
  name: string,
): EventStream {
  const stream = call.stream();
  for (const line of logs.tail(name, call.query.tail ?? DEFAULT_TAIL)) {
    stream.send(line);
  }
  stream.onClose(logs.listen(name, (line) => stream.send(line)));
  return stream;
}

/** How long what was logged last may be on its way when an instance's end is known. */
const LAST_WORDS_MILLISECONDS = 300;

function endWithInstance(
  stream: EventStream,
  { events }: Intake,
  instances: Instances,
  id: string,
): void {
  const end = () => {
    setTimeout(() => stream.end(), LAST_WORDS_MILLISECONDS).unref();
  };
  const record = instances.find(id);
  if (record.endIsTold) {
    end();
    return;
  }
  stream.onClose(
    events.listen(() => {
      if (record.endIsTold) {
        end();
      }
    }),
  );
}

function followEvents(call: Call<'followEvents'>, { events }: Intake): void {
  const { lastEventId, query } = call;
  const stream = call.stream();
  const isAsked = ({ event }: LoggedEvent) =>
    query.function === undefined || event.function === query.function;
  const send = (logged: LoggedEvent) => {
    if (isAsked(logged)) {
      stream.send(logged.event, logged.id);
    }
  };
  if (lastEventId !== undefined) {
    const { events: missed, lost } = events.since(lastEventId);
    if (lost !== undefined) {
      stream.send({ type: 'lost', at: Date.now(), ...(lost > 0 ? { count: lost } : {}) });
    }
    missed.forEach(send);
  }
  stream.onClose(events.listen(send));
}
