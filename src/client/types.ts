/** What the control API takes and gives: the types follow from the schemas that validate. */
import type { BodyOf, EventOf, QueryOf, ResponseOf } from '../api/operation.js';
import type { Operations } from '../api/operations.js';

export type DeployRequest = BodyOf<Operations['deployFunction']>;
export type DeployedVersion = ResponseOf<Operations['deployFunction']>;
export type FunctionFacts = ResponseOf<Operations['getFunction']>;
export type FunctionRequest = BodyOf<Operations['requestFunction']>;
export type FunctionReply = ResponseOf<Operations['requestFunction']>;
export type BlobFacts = ResponseOf<Operations['putBlob']>;
export type ImageFacts = ResponseOf<Operations['putImage']>;
export type ImageList = ResponseOf<Operations['listImages']>;
export type SpawnRequest = BodyOf<Operations['spawnInstance']>;
export type InstanceFacts = ResponseOf<Operations['getInstance']>;
export type InstanceFilter = QueryOf<Operations['listInstances']>;
export type InstanceRequest = BodyOf<Operations['requestInstance']>;
export type InstanceReply = ResponseOf<Operations['requestInstance']>;
export type LogLine = EventOf<Operations['followFunctionLogs']>;
export type ControlEvent = EventOf<Operations['followEvents']>;
export type RequestFacts = ResponseOf<Operations['getRequest']>;
export type Statistics = ResponseOf<Operations['getStatistics']>;
export type TokenRequest = BodyOf<Operations['createToken']>;
export type NewToken = ResponseOf<Operations['createToken']>;
export type TokenFacts = ResponseOf<Operations['listTokens']>['tokens'][number];
export type LinkFacts = ResponseOf<Operations['createLink']>;
export type Scope = TokenFacts['scopes'][number];
export type ServerFacts = ResponseOf<Operations['getServer']>;
