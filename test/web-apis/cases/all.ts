import type { Case } from '../case.js';
import { bodyCases } from './body.js';
import { cryptoCases } from './crypto.js';
import { encodingCases } from './encoding.js';
import { eventCases } from './events.js';
import { fetchCases } from './fetch.js';
import { fileCases } from './files.js';
import { globalCases } from './globals.js';
import { headersCases } from './headers.js';
import { messageCases } from './messages.js';
import { streamCases } from './streams.js';
import { structuredCloneCases } from './structured-clone.js';
import { timerCases } from './timers.js';
import { urlCases } from './url.js';
import { urlSearchParamsCases } from './url-search-params.js';

export const allCases: readonly Case[] = [
  ...bodyCases,
  ...cryptoCases,
  ...encodingCases,
  ...eventCases,
  ...fetchCases,
  ...fileCases,
  ...globalCases,
  ...headersCases,
  ...messageCases,
  ...streamCases,
  ...structuredCloneCases,
  ...timerCases,
  ...urlCases,
  ...urlSearchParamsCases,
];
