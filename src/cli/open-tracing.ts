/** Takes part in distributed traces where the environment says so. */
import type { Logger } from 'pino';
import { tracingSettings } from '../tracing/settings.js';
import type { SpanExporter } from '../tracing/span-exporter.js';
import { packageVersion } from './version.js';

/** @returns `undefined` where nothing is to be traced: then nothing is loaded either. */
export async function openTracing(logger: Logger): Promise<SpanExporter | undefined> {
  const settings = tracingSettings(process.env);
  for (const problem of settings?.problems ?? []) {
    logger.warn(problem);
  }
  const sampling = settings?.sampling;
  if (sampling === undefined) {
    return undefined;
  }
  const { SpanExporter } = await import('../tracing/span-exporter.js');
  return new SpanExporter({ sampling, version: packageVersion(), logger });
}
