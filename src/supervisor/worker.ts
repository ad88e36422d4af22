/**
 * A worker process: gives up what it does not need, then serves the functions and the connections that
 * its supervisor gives it. Everything is imported here, because nothing can be read from disk later.
 */
import type { Socket } from 'node:net';
import { driverDetail, openDriver } from '../drivers/detect.js';
import { Fabric, type StagedFunction } from '../fabric/fabric.js';
import { loadFetch } from '../fabric/host-calls/handlers.js';
import { type OpenFront, openFront } from '../front/front.js';
import { createLogger } from '../logging.js';
import { Teller } from '../statistics/teller.js';
import { FunctionsWithZerg } from '../zerg/functions-with-zerg.js';
import { Chronicle } from './chronicle.js';
import { ConnectionNotes } from './connection-notes.js';
import { ConnectionTable } from './connection-table.js';
import { collectGarbage } from './garbage.js';
import { HostedInstances } from './hosted-instances.js';
import type { InstanceRequest } from './instance-orders.js';
import { lockDown } from './lock-down.js';
import { type FromWorker, type ToWorker, toWire, type WorkerSettings } from './messages.js';
import { observedLogger } from './observed-logger.js';
import { type PackedFunction, Unpacking } from './packed.js';
import { loadProcessAddon } from './process-native.js';
import { rehearse } from './rehearsal.js';
import { TraceBuffer, type TracedRequest } from './traced-requests.js';
import { ViewSeeker } from './view-seeker.js';

/** Where the supervisor puts the table's descriptor. */
export const TABLE_DESCRIPTOR = 4;

const BEAT_MILLISECONDS = 250;

const addon = loadProcessAddon();
const table = new ConnectionTable(addon.mapTable(TABLE_DESCRIPTOR));

const unpacking = new Unpacking();
const chronicle = new Chronicle((observations, omitted) =>
  send({ type: 'observed', observations, omitted }),
);
const seeker = new ViewSeeker(send);

let settings: WorkerSettings;
let fabric: Fabric;
let teller: Teller;
let staged: { name: string; fn: StagedFunction } | undefined;
let instances: HostedInstances;
let front: OpenFront | undefined;
let notes: ConnectionNotes;
let traces: TraceBuffer | undefined;
let zerg: FunctionsWithZerg | undefined;

function send(message: FromWorker): void {
  if (process.connected) {
    process.send?.(message);
  }
}

async function start(given: WorkerSettings): Promise<void> {
  settings = given;
  const { admission, log } = settings;
  const plain = createLogger(log.level, log.json);
  const logger = settings.observed ? observedLogger(plain, chronicle.add) : plain;
  const driver = openDriver(settings.driver);
  driver.onLost?.(() => {
    // Locked down, this process can start nothing, so not what makes its guests. Another one can.
    logger.fatal({ driver: driver.name }, 'what made the guests ended, and this worker with it');
    process.exit(1);
  });
  fabric = await Fabric.open({ driver, admission, logger });
  teller = new Teller(fabric);
  chronicle.countBy(teller);
  const { name } = fabric.driver;
  const { sampling } = settings;
  if (sampling !== undefined) {
    const report = (requests: readonly TracedRequest[], omitted: number) =>
      send({ type: 'traced', requests, omitted });
    traces = new TraceBuffer(name, { sampling, report });
  }
  instances = new HostedInstances(fabric, plain, chronicle, traces);
  const detail = driverDetail(name);
  await rehearse(settings.front);
  if (settings.fetches) {
    await loadFetch();
  }
  await lockDown(addon, settings);
  if (settings.front.byName) {
    await open(undefined);
  }
  setInterval(() => table.beat(), BEAT_MILLISECONDS);
  send({ type: 'ready', driver: { name, detail } });
}

async function commit(): Promise<void> {
  if (staged === undefined) {
    throw new Error('nothing is staged');
  }
  const fn = staged.fn.commit();
  staged = undefined;
  // The first function that is committed answers all requests.
  await open(fn.name);
  const { name, strategy, coldStart } = fn;
  send({
    type: 'committed',
    started: { name, strategy, coldStart },
  });
  // While that is on its way: nobody has to wait for it.
  setImmediate(collectGarbage);
}

/** @param functionName answers all requests; `undefined`: they go by name. */
async function open(functionName: string | undefined): Promise<void> {
  if (front === undefined) {
    const { level, json } = settings.log;
    const logger = createLogger(level, json);
    const observer = settings.observed ? chronicle.answered : undefined;
    if (settings.zerg !== undefined) {
      zerg = new FunctionsWithZerg(fabric, {
        driver: fabric.driver.name,
        owner: settings.zerg,
        elsewhere: (owner, id) => seeker.seek(owner, id),
      });
    }
    front = await openFront(zerg ?? fabric, {
      ...settings.front,
      ...{ functionName, logger, observer, tracing: traces, driver: fabric.driver.name },
    });
    notes = new ConnectionNotes(table, front.server);
  }
}

function accept(slot: number, socket: Socket | undefined): void {
  // Its client may have gone while it was on its way.
  if (socket === undefined || front === undefined || socket.destroyed) {
    socket?.destroy();
    send({ type: 'closed', slot });
    return;
  }
  // As HTTP wants it: a client may end its side when it has sent its request.
  socket.allowHalfOpen = true;
  notes.add(slot, socket);
  socket.once('close', () => send({ type: 'closed', slot }));
  front.accept(socket);
}

/** Requests under way finish; nobody waits for them. */
function remove(name: string): void {
  void fabric.function(name)?.remove();
  teller.forget(name);
  send({ type: 'removed' });
}

async function spawn(call: number, id: string, of: string | PackedFunction): Promise<void> {
  // At once, before more pieces come.
  const whose = typeof of === 'string' ? of : unpacking.finish(of);
  send({ type: 'spawned', call, spawned: await instances.spawn({ id, of: whose }) });
}

async function request(call: number, id: string, asked: InstanceRequest): Promise<void> {
  send({ type: 'replied', call, reply: await instances.request(id, asked) });
}

async function requestFunction(call: number, name: string, asked: InstanceRequest): Promise<void> {
  send({ type: 'replied', call, reply: await instances.requestFunction(name, asked) });
}

async function kill(call: number, id: string): Promise<void> {
  await instances.kill(id);
  send({ type: 'killed', call });
}

async function drain(): Promise<void> {
  await front?.close();
  await fabric?.close();
  chronicle.flush();
  traces?.flush();
  send({ type: 'drained' });
  process.disconnect?.();
}

async function handle(message: ToWorker, socket: Socket | undefined): Promise<void> {
  switch (message.type) {
    case 'start':
      return start(message.settings);
    case 'piece':
      return unpacking.add(message.piece);
    case 'stage': {
      const prepared = unpacking.finish(message.packed);
      staged = { name: prepared.definition.name, fn: await fabric.stage(prepared) };
      return send({ type: 'staged' });
    }
    case 'commit':
      return commit();
    case 'discard':
      await staged?.fn.discard();
      staged = undefined;
      return send({ type: 'discarded' });
    case 'remove':
      return remove(message.name);
    case 'spawn':
      return spawn(message.call, message.id, message.of);
    case 'request':
      return request(message.call, message.id, message.request);
    case 'request-function':
      return requestFunction(message.call, message.name, message.request);
    case 'kill':
      return kill(message.call, message.id);
    case 'find':
      return send({ type: 'found', call: message.call, outcome: chronicle.recent.get(message.id) });
    case 'view':
      return send({ type: 'viewed', call: message.call, view: zerg?.page.find(message.id) });
    case 'tell':
      return send({ type: 'told', call: message.call, told: teller.tell() });
    case 'sought':
      return seeker.settle(message.seek, message.view);
    case 'connection':
      return accept(message.slot, socket);
    case 'drain':
      return drain();
  }
}

process.on('message', (message: ToWorker, socket: Socket | undefined) => {
  handle(message, socket).catch((error) =>
    send(
      'call' in message
        ? { type: 'refused', call: message.call, error: toWire(error) }
        : { type: 'failed', error: toWire(error) },
    ),
  );
});
// Whoever wants this server to stop tells the supervisor, even if the signal goes to all processes.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// The supervisor is gone, or this worker is done.
process.on('disconnect', () => process.exit(0));
