/** The logger of the commands. */
export { createLogger, LOG_LEVELS } from '../logging.js';
