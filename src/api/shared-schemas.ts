/** Schemas that several operations share. */
import { type TProperties, Type } from '@sinclair/typebox';
import { NAME_PATTERN } from '../fabric/definition.js';

/** An object that has no other fields. */
export function Closed<Properties extends TProperties>(
  properties: Properties,
  options: { readonly description?: string } = {},
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

export const FunctionName = Type.String({
  pattern: NAME_PATTERN,
  description: 'Lower-case letters, digits and hyphens, as in a DNS label.',
});

export const Time = Type.String({ description: 'ISO 8601, UTC.' });

export const Strategy = Type.Union(
  (['boot', 'clone', 'pool', 'reset'] as const).map((name) => Type.Literal(name)) as [
    ReturnType<typeof Type.Literal<'boot'>>,
    ReturnType<typeof Type.Literal<'clone'>>,
    ReturnType<typeof Type.Literal<'pool'>>,
    ReturnType<typeof Type.Literal<'reset'>>,
  ],
  { description: 'How a request gets its virtual machine.' },
);

export const Phases = Type.Record(Type.String(), Type.Number(), {
  description:
    'Milliseconds of each phase: accept, queue, spawn, guest, reply, and end once its instance is gone; ' +
    'load, create, boot and init where a virtual machine was made for it.',
});

const Amount = (description: string) => Type.Integer({ minimum: 0, description });

export const UsageFacts = Closed(
  {
    cpuMicroseconds: Amount('Processor time of the guest.'),
    peakMemoryBytes: Type.Optional(
      Amount('Memory that the instance had in use at the end; known when it is gone.'),
    ),
    dirtyMemoryBytes: Type.Optional(Amount('What of that was written.')),
    bytesIn: Amount("Of the request's body."),
    bytesOut: Amount("Of the response's body."),
    hostCalls: Amount('Fetches, and calls of bindings.'),
  },
  { description: 'What it used, where an instance had it.' },
);

/** What every error is answered with. */
export const ErrorResponse = Closed({
  code: Type.String({ description: 'One of those in src/errors.ts.' }),
  message: Type.String({ description: 'What happened, and what to do.' }),
  requestId: Type.String(),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export const LogLine = Closed({
  at: Type.Number({ description: 'Milliseconds since 1970.' }),
  level: Type.String(),
  text: Type.String(),
  requestId: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String()),
});

/** A query parameter that is a number. */
export function Count(maximum: number, description: string) {
  return Type.Integer({ minimum: 0, maximum, description });
}
