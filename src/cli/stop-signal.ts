/** SIGINT and SIGTERM, as a promise. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Signals that come this soon after the first are echoes of it: npm passes on to its script the very
 * SIGINT that the terminal has sent to both.
 */
const ECHO_MILLISECONDS = 500;

/** Resolves with the first signal. A later one, which is no echo of it, ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    const giveBack = () => {
      for (const signal of SIGNALS) {
        process.off(signal, onSignal);
      }
    };
    const onSignal = (signal: NodeJS.Signals) => {
      if (!stopping) {
        stopping = true;
        setTimeout(giveBack, ECHO_MILLISECONDS).unref();
        resolve(signal);
      }
    };
    for (const signal of SIGNALS) {
      process.on(signal, onSignal);
    }
  });
}
