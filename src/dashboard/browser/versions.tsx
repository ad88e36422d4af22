/** The versions of a function that are kept, each of which can answer again. */
import { useState } from 'preact/hooks';
import type { FunctionFacts } from '../../client/index.js';
import { age, duration } from '../model/formats.js';
import { useConfirmation } from './confirmation.js';
import { Panel, problemOf, Scrolling } from './parts.js';
import { useLive, useMay } from './use-live.js';

export function Versions({ facts }: { readonly facts: FunctionFacts }) {
  const { name, version: current, versions } = facts;
  const live = useLive();
  const mayDeploy = useMay('deploy');
  const [said, setSaid] = useState('');
  const { confirm, dialog } = useConfirmation();
  const rollBack = async (version: number) => {
    if (!(await confirm(`Let version ${version} of ${name} answer?`, 'Roll back'))) {
      return;
    }
    setSaid(`Starting version ${version} …`);
    try {
      const { milliseconds } = await live.client.functions.rollBack(name, version);
      setSaid(`Version ${version} answers; that took ${duration(milliseconds)}.`);
    } catch (error) {
      setSaid(problemOf(error));
    }
    live.refresh();
  };
  return (
    <Panel title="Versions" id="versions">
      <Scrolling label="Versions">
        <table>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Age</th>
              <th scope="col">{mayDeploy ? 'Roll back' : 'Answers'}</th>
            </tr>
          </thead>
          <tbody>
            {[...versions].reverse().map(({ version, createdAt }) => (
              <tr key={version}>
                <th scope="row">{version}</th>
                <td>{age(Date.now() - Date.parse(createdAt))}</td>
                <td>
                  {version === current && 'answers'}
                  {version !== current && mayDeploy && (
                    <button type="button" onClick={() => rollBack(version)}>
                      Roll back <span class="unseen">to {version}</span>
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
      <p role="status">{said}</p>
      {dialog}
    </Panel>
  );
}
