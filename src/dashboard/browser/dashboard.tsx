/** Starts the dashboard: a session first, then what it lets one see. */
import { render } from 'preact';
import { HatcheryClient } from '../../client/index.js';
import { App } from './app.js';
import { Live } from './live.js';
import { forgetSession, type Missing, openSession, type Session } from './session.js';
import { SignedOut } from './signed-out.js';
import { PageContext } from './use-live.js';

const root = document.querySelector('#dashboard') as HTMLElement;

function showMissing(missing: Missing): void {
  render(<SignedOut missing={missing} />, root);
}

function show(session: Session): void {
  const leave = (missing: Missing) => {
    live.stop();
    document.removeEventListener('visibilitychange', watch);
    forgetSession();
    showMissing(missing);
  };
  const live = new Live(new HatcheryClient({ token: session.token }), () => leave('ended'));
  const watch = () => (document.hidden ? live.stop() : live.start());
  document.addEventListener('visibilitychange', watch);
  watch();
  render(
    <PageContext.Provider value={{ live, scopes: session.scopes }}>
      <App leave={() => leave('left')} />
    </PageContext.Provider>,
    root,
  );
}

async function start(): Promise<void> {
  const opened = await openSession();
  if (typeof opened === 'object' && 'token' in opened) {
    show(opened);
  } else {
    showMissing(opened);
  }
}

start().catch((error: Error) => showMissing({ problem: error.message }));
// A link that is followed in a tab which has the page open changes nothing but the fragment.
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#code=')) {
    location.reload();
  }
});
