/** All operations of the control API, in the order of its pages. A new one is added here. */
import * as events from './event-operations.js';
import * as functions from './function-operations.js';
import * as images from './image-operations.js';
import * as instances from './instance-operations.js';
import type { Operation } from './operation.js';
import * as requests from './request-operations.js';
import * as server from './server-operations.js';
import * as statistics from './statistics-operations.js';
import * as tokens from './token-operations.js';

export const OPERATIONS = {
  getServer: server.getServer,
  deployFunction: functions.deployFunction,
  listFunctions: functions.listFunctions,
  getFunction: functions.getFunction,
  rollbackFunction: functions.rollbackFunction,
  requestFunction: functions.requestFunction,
  functionLogs: functions.functionLogs,
  followFunctionLogs: functions.followFunctionLogs,
  removeFunction: functions.removeFunction,
  missingBlobs: images.missingBlobs,
  putBlob: images.putBlob,
  putImage: images.putImage,
  listImages: images.listImages,
  spawnInstance: instances.spawnInstance,
  listInstances: instances.listInstances,
  getInstance: instances.getInstance,
  requestInstance: instances.requestInstance,
  instanceLogs: instances.instanceLogs,
  followInstanceLogs: instances.followInstanceLogs,
  instanceEvents: instances.instanceEvents,
  killInstance: instances.killInstance,
  getRequest: requests.getRequest,
  listCrashes: events.listCrashes,
  followEvents: events.followEvents,
  getStatistics: statistics.getStatistics,
  createToken: tokens.createToken,
  listTokens: tokens.listTokens,
  removeToken: tokens.removeToken,
  createLink: tokens.createLink,
  followLink: tokens.followLink,
} as const satisfies Record<string, Operation>;

export type Operations = typeof OPERATIONS;
export type OperationId = keyof Operations;
