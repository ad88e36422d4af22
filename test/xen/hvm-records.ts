/** The state of a vCPU as Xen saves it: records of xen/hvm/save.h. */

/** `HVM_SAVE_CODE`s of xen/arch-x86/hvm/save.h, and the parts of them that cannot be compared. */
const CPU = 2;
const END = 0;
const DESCRIPTOR_BYTES = 8;

/** `struct hvm_hw_cpu`: fpu_regs, which are the stub's to reset, and tsc, which runs. */
const UNCOMPARED_CPU_FIELDS: readonly (readonly [offset: number, bytes: number])[] = [
  [0, 512],
  [1008, 8],
];

/** The records by their code, in hexadecimal, with what time alone changes replaced by zeroes. */
export function comparableRecords(context: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(context);
  const records: Record<string, string> = {};
  for (let at = 0; at + DESCRIPTOR_BYTES <= bytes.length; ) {
    const code = bytes.readUInt16LE(at);
    const length = bytes.readUInt32LE(at + 4);
    const record = bytes.subarray(at + DESCRIPTOR_BYTES, at + DESCRIPTOR_BYTES + length);
    if (code === END) {
      break;
    }
    if (code === CPU) {
      for (const [offset, count] of UNCOMPARED_CPU_FIELDS) {
        record.fill(0, offset, offset + count);
      }
    }
    records[`record ${code}`] = record.toString('hex');
    at += DESCRIPTOR_BYTES + length;
  }
  return records;
}
