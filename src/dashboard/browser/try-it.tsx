/** A form that sends a function a request, and shows what it answers. */
import { useState } from 'preact/hooks';
import { ApiError, type FunctionReply, type FunctionRequest } from '../../client/index.js';
import { parseHeaderLines } from '../model/header-lines.js';
import { Panel, problemOf } from './parts.js';
import { Reply } from './reply.js';
import { requestAddress } from './routes.js';
import { useLive } from './use-live.js';

/** Errors that have a place. */
const CRASHES = new Set(['FUNCTION_THREW', 'FUNCTION_CRASHED', 'FUNCTION_STALLED']);

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

interface Failure {
  readonly problem: string;
  readonly code?: string | undefined;
  readonly requestId?: string | undefined;
  /** The place of a crash, or its trace. */
  readonly where?: string | undefined;
}

export function TryIt({ name }: { readonly name: string }) {
  const { client } = useLive();
  const [isSending, setIsSending] = useState(false);
  const [reply, setReply] = useState<FunctionReply>();
  const [failure, setFailure] = useState<Failure>();
  const send = async (form: HTMLFormElement) => {
    if (isSending) {
      return;
    }
    setIsSending(true);
    setReply(undefined);
    setFailure(undefined);
    try {
      setReply(await client.functions.request(name, requestOf(new FormData(form))));
    } catch (error) {
      setFailure(await failureOf(error, async (id) => (await client.request(id)).where));
    }
    setIsSending(false);
  };
  return (
    <Panel title="Try it" id="try-it">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send(event.currentTarget);
        }}
      >
        <div class="line">
          <label>
            Method
            <select name="method">
              {METHODS.map((method) => (
                <option key={method}>{method}</option>
              ))}
            </select>
          </label>
          <label class="grows">
            Path
            <input name="url" defaultValue="/" autocomplete="off" spellcheck={false} />
          </label>
        </div>
        <label>
          Headers, one a line
          <textarea name="headers" rows={2} spellcheck={false} placeholder="accept: text/html" />
        </label>
        <label>
          Body
          <textarea name="body" rows={3} spellcheck={false} />
        </label>
        {/* Not `disabled`, which would take the focus away from who came by keyboard. */}
        <button type="submit" aria-disabled={isSending}>
          Send
        </button>
      </form>
      <div role="status">
        {isSending && <p>Waiting for the answer …</p>}
        {failure !== undefined && <FailureView failure={failure} />}
        {reply !== undefined && (
          <p>
            <b>Status {reply.status}</b>{' '}
            <a href={requestAddress(reply.requestId)}>Request {reply.requestId}</a>
          </p>
        )}
      </div>
      {reply !== undefined && <Reply reply={reply} />}
    </Panel>
  );
}

/** @throws Error that says what is not as it should be */
function requestOf(form: FormData): FunctionRequest {
  const text = (name: string) => String(form.get(name) ?? '');
  const body = text('body');
  return {
    method: text('method'),
    url: text('url'),
    headers: parseHeaderLines(text('headers')),
    ...(body === '' ? {} : { body }),
  };
}

/** The API tells who may read how a request crashed, where it does not tell whoever sent it. */
async function failureOf(
  error: unknown,
  whereOf: (requestId: string) => Promise<string | undefined>,
): Promise<Failure> {
  const problem = problemOf(error);
  if (!(error instanceof ApiError)) {
    return { problem };
  }
  const { code, status, requestId } = error;
  if (requestId === undefined || status < 500) {
    // The function never had it.
    return { problem, code };
  }
  const where = CRASHES.has(code) ? await whereOf(requestId).catch(() => undefined) : undefined;
  return { problem, code, requestId, where };
}

function FailureView({ failure }: { readonly failure: Failure }) {
  const { problem, code, requestId, where } = failure;
  return (
    <>
      <p class="failed">
        {code !== undefined && <b>{code}: </b>}
        {problem}{' '}
        {requestId !== undefined && <a href={requestAddress(requestId)}>Request {requestId}</a>}
      </p>
      {where !== undefined && <pre class="trace">{where}</pre>}
    </>
  );
}
