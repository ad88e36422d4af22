/** How a server listens, whichever process it is. */

/** Connections at a time, where nothing else is said. */
export const MAX_CONNECTIONS = 10_000;

/**
 * Connections that may wait until they are accepted; the kernel caps it at net.core.somaxconn. Of those
 * beyond it the kernel forgets the client's last word, and the client waits for an answer in vain for
 * seconds (`npm run soak`, and TcpExtListenOverflows of `nstat`, with Node's 511).
 */
export const LISTEN_BACKLOG = 4096;
