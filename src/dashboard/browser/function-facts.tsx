/** What a function was deployed with. */
import type { FunctionFacts, Statistics } from '../../client/index.js';
import { bytes, duration, whole } from '../model/formats.js';
import { Fact, Panel } from './parts.js';

interface FactsProps {
  readonly facts: FunctionFacts;
  readonly pool: Statistics['functions'][number]['pool'] | undefined;
}

export function Facts({ facts, pool }: FactsProps) {
  const { state, version, image, strategy, env = {}, secrets, limits = {} } = facts;
  const { routes, allowFetch = [] } = facts;
  return (
    <Panel title="What it is" id="facts">
      <dl class="facts">
        <Fact name="State">{state}</Fact>
        <Fact name="Version">{version}</Fact>
        <Fact name="Image">{image}</Fact>
        <Fact name="Strategy">{strategy ?? 'the driver’s default'}</Fact>
        <Fact name="Instances">
          {pool === undefined
            ? '–'
            : `${whole(pool.running)} running, ${whole(pool.ready)} ready, ${whole(pool.waiting)} waiting`}
        </Fact>
        {Object.entries(limits).map(([name, limit]) => (
          <Fact key={name} name={name}>
            {limitText(name, limit)}
          </Fact>
        ))}
        <Fact name="May fetch">{allowFetch.length === 0 ? 'nothing' : allowFetch.join(', ')}</Fact>
        <Fact name="Secrets">{secrets.length === 0 ? 'none' : secrets.join(', ')}</Fact>
      </dl>
      <h3>Variables</h3>
      {Object.keys(env).length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <dl class="facts">
          {Object.entries(env).map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
        </dl>
      )}
      <h3>Where it is reached</h3>
      <ul class="routes">
        {routes.map((route) => (
          <li key={route}>
            <a href={route} target="_blank" rel="noreferrer">
              {route}
            </a>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function limitText(name: string, limit: number): string {
  if (name.endsWith('Milliseconds')) {
    return duration(limit);
  }
  return /bytes$/i.test(name) ? bytes(limit) : whole(limit);
}
