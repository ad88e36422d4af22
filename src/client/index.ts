/** `hatchery/client`: the typed client of the control API. */
export { ApiError } from './api-error.js';
export { type EventsOptions, type FollowOptions, HatcheryClient } from './client.js';
export type { Uploaded, UploadOptions, WholeImage } from './images.js';
export type { ClientOptions } from './transport.js';
export type * from './types.js';
