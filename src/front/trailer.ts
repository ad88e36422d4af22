/** The end of a response whose client takes trailers: what was not known when its head was sent. */
import type { IncomingRequest } from './incoming-request.js';

/** How long a response stays open for the end of its instance, in milliseconds. */
const LONGEST_MILLISECONDS = 100;

/**
 * Ends a response that was announced with a trailer `Server-Timing`: once its instance is gone, where
 * that is a matter of moments. A guest that goes on in the background holds nothing up.
 */
export function endWithTrailer({ response, timeline }: IncomingRequest): void {
  let isEnded = false;
  const end = () => {
    if (!isEnded) {
      isEnded = true;
      response.addTrailers({ 'Server-Timing': timeline.toLateServerTiming() });
      response.end();
    }
  };
  if (timeline.isOver || !timeline.isStopped) {
    end();
    return;
  }
  const timer = setTimeout(end, LONGEST_MILLISECONDS);
  timeline.whenOver(() => {
    clearTimeout(timer);
    end();
  });
}
