/** What becomes of a domain that has shut down. */
import type { ActionOnShutdown } from '../libxl-config.js';
import type { Settings } from './settings.js';

/** xl.cfg's words for libxl's actions. */
const ACTIONS = {
  destroy: 'destroy',
  restart: 'restart',
  'rename-restart': 'restart_rename',
  preserve: 'preserve',
  'coredump-destroy': 'coredump_destroy',
  'coredump-restart': 'coredump_restart',
  'soft-reset': 'soft_reset',
} as const;

type ActionKey = 'on_poweroff' | 'on_reboot' | 'on_watchdog' | 'on_crash' | 'on_soft_reset';

/** Defaults are xl's. */
export function shutdownActionsFrom(settings: Settings): Record<ActionKey, ActionOnShutdown> {
  const action = (key: ActionKey, otherwise: ActionOnShutdown) =>
    settings.choice(key, ACTIONS) ?? otherwise;
  return {
    on_poweroff: action('on_poweroff', 'destroy'),
    on_reboot: action('on_reboot', 'restart'),
    on_watchdog: action('on_watchdog', 'destroy'),
    on_crash: action('on_crash', 'destroy'),
    on_soft_reset: action('on_soft_reset', 'soft_reset'),
  };
}
