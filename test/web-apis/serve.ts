import { type DeployedFunction, Fabric, type FunctionDefinition } from '../../src/index.js';
import { collectingLogger, type LogLine } from '../fabric/collecting-logger.js';

export const URL = 'http://f/path?q=1';

export interface Served {
  readonly fn: DeployedFunction;
  readonly lines: LogLine[];
}

/** Deploys a module whose handler has this body, and calls back with it. */
export async function serve(
  body: string,
  use: (served: Served) => Promise<void>,
  definition: Partial<FunctionDefinition> = {},
): Promise<void> {
  const { logger, lines } = collectingLogger();
  await using fabric = await Fabric.open({ logger });
  const source = `export default { async fetch(request, env, ctx) { ${body} } };`;
  const fn = await fabric.deploy({
    name: 'handler',
    source,
    env: { NAME: 'value' },
    ...definition,
  });
  await use({ fn, lines });
}

/** Waits until the log has a line like this. */
export async function lineLike(lines: LogLine[], pattern: RegExp): Promise<LogLine> {
  for (let i = 0; i < 200; i++) {
    const line = lines.find(({ msg }) => pattern.test(msg));
    if (line !== undefined) return line;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`no line like ${pattern} in ${JSON.stringify(lines)}`);
}
