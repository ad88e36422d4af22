/** What `hatchery up` says once it serves. */
import type { Control } from '../control/control.js';
import type { Serving } from '../supervisor/serving.js';
import { processesOf, whyDriver } from './announcing.js';
import { DASHBOARD_SCOPES, dashboardUrl } from './dashboard-link.js';
import type { GivenFile } from './given-file.js';
import type { Terminal } from './terminal.js';
import type { UpOptions } from './up.js';

interface Started {
  /** Where functions are reached, as `http://host:port`. */
  readonly front: string;
  /** Where the control API is. */
  readonly api: string;
  /** The page /zerg is served. */
  readonly hasPage: boolean;
  readonly serving: Serving;
  readonly control: Control;
  /** What was to be deployed at the start. */
  readonly given: GivenFile | undefined;
}

const LOCAL = ['127.0.0.1', '::1', 'localhost'];

export async function announce(
  started: Started,
  { driver: asked, controlAddress }: Pick<UpOptions, 'driver' | 'controlAddress'>,
  terminal: Terminal,
): Promise<void> {
  const { front, api, hasPage, serving, control, given } = started;
  const { workers, driver: used } = serving;
  const driver = used.name;
  const functions = (await control.functions.list()).map(({ name }) => name);
  const { failed } = control.functions;
  const strategy = given && control.functions.strategyOf(given.name);
  const why = { driver: whyDriver(serving, asked), strategy: `what ${driver} does fastest` };
  const all =
    functions.length === 0 ? 'none yet: hatchery function deploy FILE' : functions.join(', ');
  const first =
    given === undefined
      ? `Functions at ${terminal.style('bold', `${front}/NAME/`)}`
      : `Serving ${given.name} at ${terminal.style('bold', front)} and ${front}/${given.name}/`;
  terminal.result(
    [
      first,
      ...(hasPage ? [`  page      ${front}/zerg: where the time of a view goes`] : []),
      `  dashboard ${dashboardFor(api, control)}`,
      `  control   ${api}; the token is in ${control.dataFolder}/token`,
      `  driver    ${driver}: ${why.driver}`,
      ...(strategy === undefined ? [] : [`  strategy  ${strategy}: ${why.strategy}`]),
      `  workers   ${processesOf(serving)}`,
      `  functions ${all}`,
    ].join('\n'),
    {
      event: 'listening',
      ...{ url: front, control: api, dashboard: dashboardUrl(api) },
      ...(hasPage ? { page: `${front}/zerg` } : {}),
      ...{ data: control.dataFolder, driver, workers, functions, failed },
      ...(given === undefined ? {} : { function: given.name, strategy, why }),
    },
  );
  for (const name of failed) {
    terminal.note(`warning: ${name} could not be started; see hatchery function ls`);
  }
  if (!LOCAL.includes(controlAddress)) {
    terminal.note(
      'warning: the control API is reached from other machines, and its tokens travel in the ' +
        'clear: put a proxy with TLS in front of it.',
    );
  }
}

/** A link only where a person looks: it lets in whoever reads it, and logs of services are read by many. */
function dashboardFor(api: string, { links }: Control): string {
  if (process.stdout.isTTY !== true) {
    return `${dashboardUrl(api)}: hatchery dashboard makes a link that opens it`;
  }
  const { code } = links.create(DASHBOARD_SCOPES);
  return `${dashboardUrl(api, code)} (once, within two minutes; then: hatchery dashboard)`;
}
