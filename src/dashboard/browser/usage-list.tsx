/** What a request used. */

import type { Usage } from '../../usage.js';
import { bytes, duration, whole } from '../model/formats.js';
import { Fact } from './parts.js';

export function UsageList({ usage }: { readonly usage: Usage }) {
  const { cpuMicroseconds, peakMemoryBytes, dirtyMemoryBytes, bytesIn, bytesOut } = usage;
  return (
    <dl class="facts">
      <Fact name="Processor">{duration(cpuMicroseconds / 1_000)}</Fact>
      <Fact name="Memory at most">{bytes(peakMemoryBytes)}</Fact>
      <Fact name="Memory written">{bytes(dirtyMemoryBytes)}</Fact>
      <Fact name="Came in">{bytes(bytesIn)}</Fact>
      <Fact name="Went out">{bytes(bytesOut)}</Fact>
      <Fact name="Host calls">{whole(usage.hostCalls)}</Fact>
    </dl>
  );
}
