/** The page around the views. */
import { useEffect, useRef } from 'preact/hooks';
import { duration } from '../model/formats.js';
import { FunctionPage } from './function-page.js';
import { Overview } from './overview.js';
import { RequestPage } from './request-page.js';
import { OVERVIEW, type Route, useRoute } from './routes.js';
import { useKnown } from './use-live.js';

export function App({ leave }: { readonly leave: () => void }) {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const key = JSON.stringify(route);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${titleOf(route)} – Hatchery`;
    // Whoever follows a link is where it leads, also by keyboard; who has just come stays at the top.
    if (!isFirst.current) {
      main.current?.querySelector<HTMLElement>('h1')?.focus();
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [key]);
  return (
    <>
      {/* No link: the address's fragment names the view. */}
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <nav aria-label="Views">
          <a
            class="home"
            href={OVERVIEW}
            aria-current={route.view === 'overview' ? 'page' : undefined}
          >
            Hatchery
          </a>
        </nav>
        <Server />
        <button type="button" class="leave" onClick={leave}>
          Leave
        </button>
      </header>
      <ConnectionState />
      <main ref={main} tabIndex={-1}>
        <View key={key} route={route} />
      </main>
    </>
  );
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'overview':
      return <Overview />;
    case 'function':
      return <FunctionPage name={route.name} />;
    case 'request':
      return <RequestPage id={route.id} />;
    case 'nothing':
      return (
        <>
          <h1 tabIndex={-1}>Nothing is here</h1>
          <p>
            <a href={OVERVIEW}>To the overview</a>
          </p>
        </>
      );
  }
}

function titleOf(route: Route): string {
  switch (route.view) {
    case 'function':
      return route.name;
    case 'request':
      return `Request ${route.id}`;
    default:
      return 'Overview';
  }
}

function Server() {
  const { server } = useKnown();
  if (server === undefined) {
    return <p class="server quiet" />;
  }
  const { version, driver, detail, front } = server;
  return (
    <p class="server quiet">
      {version} on {driver}
      {detail === undefined ? '' : ` (${detail})`}, front {front}
    </p>
  );
}

function ConnectionState() {
  const { connection } = useKnown();
  const isLost = connection.state === 'lost';
  return (
    <div role="status" class={isLost ? 'banner' : 'no-banner'}>
      {isLost && (
        <p>
          <strong>
            {connection.isAnswered ? 'The server refuses to tell.' : 'The connection is lost.'}
          </strong>{' '}
          {connection.problem} What is shown may be old; the next try is in{' '}
          {duration(connection.milliseconds)}.
        </p>
      )}
    </div>
  );
}
