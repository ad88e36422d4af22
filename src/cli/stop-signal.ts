/** SIGINT and SIGTERM, as a promise. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignal {
  /** Resolves with the first signal. A second one ends the process at once, as by default. */
  readonly received: Promise<NodeJS.Signals>;
  /** Gives the signals back to Node. */
  release(): void;
}

export function listenForStop(): StopSignal {
  let release = () => {};
  const received = new Promise<NodeJS.Signals>((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      release();
      resolve(signal);
    };
    release = () => {
      for (const signal of SIGNALS) {
        process.off(signal, onSignal);
      }
    };
    for (const signal of SIGNALS) {
      process.on(signal, onSignal);
    }
  });
  return { received, release: () => release() };
}
