/** The function under test: runs one case for each request, or looks for a name. */
import { allCases } from './cases/all.js';

function look(path: string): unknown {
  let value: unknown = globalThis;
  for (const name of path.split('.'))
    value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}

async function runCase(index: number): Promise<string> {
  try {
    await allCases[index]?.run();
    return 'passed';
  } catch (error) {
    return error instanceof Error
      ? `${error.name}: ${error.message}\n${error.stack}`
      : String(error);
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const path = searchParams.get('look');
    if (path !== null) return new Response(typeof look(path));
    return new Response(await runCase(Number(searchParams.get('case'))));
  },
};
