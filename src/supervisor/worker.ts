/**
 * A worker process: gives up what it does not need, then serves the functions and the connections that
 * its supervisor gives it. Everything is imported here, because nothing can be read from disk later.
 */
import type { Socket } from 'node:net';
import { driverDetail } from '../drivers/detect.js';
import { Fabric, type StagedFunction } from '../fabric/fabric.js';
import type { DeployedFunction } from '../fabric/function.js';
import { loadFetch } from '../fabric/host-calls/handlers.js';
import { type OpenFront, openFront } from '../front/front.js';
import { createLogger } from '../logging.js';
import { ConnectionNotes } from './connection-notes.js';
import { ConnectionTable } from './connection-table.js';
import { collectGarbage } from './garbage.js';
import { lockDown } from './lock-down.js';
import { type FromWorker, type ToWorker, toWire, type WorkerSettings } from './messages.js';
import { Unpacking } from './packed.js';
import { loadProcessAddon } from './process-native.js';
import { rehearse } from './rehearsal.js';

/** Where the supervisor puts the table's descriptor. */
export const TABLE_DESCRIPTOR = 4;

const BEAT_MILLISECONDS = 250;

const addon = loadProcessAddon();
const table = new ConnectionTable(addon.mapTable(TABLE_DESCRIPTOR));

const unpacking = new Unpacking();

let settings: WorkerSettings;
let fabric: Fabric;
let staged: { name: string; fn: StagedFunction } | undefined;
let front: OpenFront | undefined;
let notes: ConnectionNotes;

function send(message: FromWorker): void {
  if (process.connected) {
    process.send?.(message);
  }
}

async function start(given: WorkerSettings): Promise<void> {
  settings = given;
  const { driver, admission, log } = settings;
  const logger = createLogger(log.level, log.json);
  fabric = await Fabric.open({ driver, admission, logger });
  const { name } = fabric.driver;
  const detail = driverDetail(name);
  await rehearse(settings.front);
  if (settings.fetches) {
    await loadFetch();
  }
  await lockDown(addon, settings);
  setInterval(() => table.beat(), BEAT_MILLISECONDS);
  send({ type: 'ready', driver: { name, detail } });
}

async function commit(): Promise<void> {
  if (staged === undefined) {
    throw new Error('nothing is staged');
  }
  const fn = staged.fn.commit();
  staged = undefined;
  await openFrontOf(fn);
  const { name, strategy, coldStart } = fn;
  send({
    type: 'committed',
    started: { name, strategy, coldStart },
  });
  // While that is on its way: nobody has to wait for it.
  setImmediate(collectGarbage);
}

/** The first function that is committed answers all requests. */
async function openFrontOf(fn: DeployedFunction): Promise<void> {
  if (front === undefined) {
    const { level, json } = settings.log;
    const logger = createLogger(level, json);
    front = await openFront(fabric, { ...settings.front, functionName: fn.name, logger });
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

async function drain(): Promise<void> {
  await front?.close();
  await fabric?.close();
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
    case 'connection':
      return accept(message.slot, socket);
    case 'drain':
      return drain();
  }
}

process.on('message', (message: ToWorker, socket: Socket | undefined) => {
  handle(message, socket).catch((error) => send({ type: 'failed', error: toWire(error) }));
});
// Whoever wants this server to stop tells the supervisor, even if the signal goes to all processes.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// The supervisor is gone, or this worker is done.
process.on('disconnect', () => process.exit(0));
