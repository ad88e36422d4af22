/** Instances that live for more than a request, and their end. */
import { useState } from 'preact/hooks';
import type { InstanceFacts } from '../../client/index.js';
import { age, whole } from '../model/formats.js';
import { useConfirmation } from './confirmation.js';
import { Panel, problemOf, Scrolling } from './parts.js';
import { useKnown, useLive, useMay } from './use-live.js';

export function InstancesTable() {
  const live = useLive();
  const { instances } = useKnown();
  const mayKill = useMay('spawn');
  const [said, setSaid] = useState('');
  const { confirm, dialog } = useConfirmation();
  const kill = async (id: string) => {
    if (!(await confirm(`Kill the instance ${id}, whatever it does?`, 'Kill it'))) {
      return;
    }
    try {
      await live.client.instances.kill(id);
      setSaid(`${id} is killed.`);
    } catch (error) {
      setSaid(problemOf(error));
    }
    live.refresh();
  };
  return (
    <Panel title="Spawned instances" id="instances" wide>
      {instances === undefined || instances.length === 0 ? (
        <p class="quiet">
          None lives. <code>hatchery instance spawn NAME</code> spawns one that lives for several
          requests.
        </p>
      ) : (
        <Scrolling label="Spawned instances">
          <table class="first-stays">
            <thead>
              <tr>
                <th scope="col">Instance</th>
                <th scope="col">Of</th>
                <th scope="col">State</th>
                <th scope="col">Age</th>
                <th scope="col">Requests</th>
                {mayKill && <th scope="col">Kill</th>}
              </tr>
            </thead>
            <tbody>
              {instances.map((instance) => (
                <InstanceRow
                  key={instance.id}
                  instance={instance}
                  kill={mayKill ? kill : undefined}
                />
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
      <p role="status">{said}</p>
      {dialog}
    </Panel>
  );
}

interface InstanceRowProps {
  readonly instance: InstanceFacts;
  readonly kill: ((id: string) => void) | undefined;
}

function InstanceRow({ instance, kill }: InstanceRowProps) {
  const { id, function: name, image, state, createdAt, requests } = instance;
  return (
    <tr data-instance={id}>
      <th scope="row">{id}</th>
      <td>{name ?? `image ${image ?? ''}`}</td>
      <td>{state}</td>
      <td>{age(Date.now() - Date.parse(createdAt))}</td>
      <td>{whole(requests)}</td>
      {kill !== undefined && (
        <td>
          <button type="button" onClick={() => kill(id)}>
            Kill <span class="unseen">{id}</span>
          </button>
        </td>
      )}
    </tr>
  );
}
