import { HANDLER } from './handler.js';
import { loadPackage } from './packages.js';
import { answerInProcess, type Peer } from './peer.js';

/** The part of quickjs-emscripten that is used here. */
interface QuickJsEmscripten {
  getQuickJS(): Promise<{ newContext(): Context }>;
}

interface Handle {
  dispose(): void;
}

interface Context extends Handle {
  readonly global: Handle;
  readonly undefined: Handle;
  evalCode(code: string): unknown;
  unwrapResult(result: unknown): Handle;
  getProp(object: Handle, name: string): Handle;
  newString(text: string): Handle;
  callFunction(callee: Handle, receiver: Handle, argument: Handle): unknown;
  getString(handle: Handle): string;
}

const VERSION = '0.32.0';

/** A fresh QuickJS runtime and context for each request, in one WebAssembly memory. */
export const quickJs: Peer = {
  name: 'quickjs-emscripten',
  wall: 'an interpreter in a shared WebAssembly memory',
  count: 100,
  async open() {
    const module = (await loadPackage('quickjs-emscripten', VERSION)) as QuickJsEmscripten;
    const quickjs = await module.getQuickJS();
    return {
      version: VERSION,
      answer: (count, first) =>
        answerInProcess('quickjs-emscripten', count, first, (url) => {
          const context = quickjs.newContext();
          context.unwrapResult(context.evalCode(HANDLER)).dispose();
          const handle = context.getProp(context.global, 'handle');
          const argument = context.newString(url);
          const result = context.unwrapResult(
            context.callFunction(handle, context.undefined, argument),
          );
          const text = context.getString(result);
          const end = () => {
            for (const handleOrContext of [result, argument, handle, context]) {
              handleOrContext.dispose();
            }
          };
          return { text, end };
        }),
    };
  },
};
