/** What a function answered. All of it is shown as text: nobody knows what it is. */
import type { FunctionReply } from '../../client/index.js';
import { bytes, cut, duration, whole } from '../model/formats.js';
import { totalOf } from '../model/phases.js';
import { Scrolling, Timeline } from './parts.js';
import { UsageList } from './usage-list.js';

/** Of a body; more would make the page slow. */
const SHOWN_CHARACTERS = 64 * 1_024;

export function Reply({ reply }: { readonly reply: FunctionReply }) {
  const { headers, body, bodyBase64, timeline } = reply;
  const usage = reply.usage;
  return (
    <>
      <h3>Body</h3>
      {bodyBase64 !== undefined && (
        <p>{bytes((bodyBase64.replace(/=+$/, '').length * 3) / 4)} that are not text.</p>
      )}
      {body === '' && <p class="quiet">It is empty.</p>}
      {body !== undefined && body !== '' && <Body text={body} />}
      <h3>Headers</h3>
      {headers.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <Scrolling label="Headers of the answer">
          <table class="texts">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {headers.map(([name, value], index) => (
                <tr key={index}>
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolling>
      )}
      <h3>Time: {duration(totalOf(timeline))}</h3>
      <Timeline timeline={timeline} />
      {usage !== undefined && (
        <>
          <h3>What it used</h3>
          <UsageList usage={usage} />
        </>
      )}
    </>
  );
}

function Body({ text }: { readonly text: string }) {
  const { text: shown, omitted } = cut(text, SHOWN_CHARACTERS);
  return (
    <>
      <pre class="body">{shown}</pre>
      {omitted > 0 && <p class="quiet">{whole(omitted)} more characters.</p>}
    </>
  );
}
