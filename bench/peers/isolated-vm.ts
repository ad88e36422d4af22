import { HANDLER } from './handler.js';
import { loadPackage } from './packages.js';
import { answerInProcess, type Peer } from './peer.js';

/** The part of isolated-vm that is used here. */
interface IsolatedVm {
  readonly Isolate: {
    new (options: { memoryLimit: number; snapshot: object }): Isolate;
    createSnapshot(scripts: readonly { code: string }[]): object;
  };
}

interface Isolate {
  createContext(): Promise<{
    evalClosure(code: string, values: readonly unknown[]): Promise<string>;
  }>;
  dispose(): void;
}

const MEMORY_LIMIT_MEBIBYTES = 32;

/** The release for the running Node: 5 up to Node 20, 6 from Node 22 on. */
function version(): string {
  return Number(process.versions.node.split('.')[0]) < 22 ? '5.0.4' : '6.0.2';
}

/** A fresh V8 isolate for each request, from a start-up snapshot that holds the handler. */
export const isolatedVm: Peer = {
  name: 'isolated-vm',
  wall: 'a V8 isolate, same process',
  count: 100,
  async open() {
    const ivm = (await loadPackage('isolated-vm', version())) as IsolatedVm;
    const snapshot = ivm.Isolate.createSnapshot([{ code: HANDLER }]);
    return {
      version: version(),
      answer: (count, first) =>
        answerInProcess('isolated-vm', count, first, async (url) => {
          const isolate = new ivm.Isolate({ memoryLimit: MEMORY_LIMIT_MEBIBYTES, snapshot });
          const context = await isolate.createContext();
          const text = await context.evalClosure('return handle($0)', [url]);
          return { text, end: () => isolate.dispose() };
        }),
    };
  },
};
