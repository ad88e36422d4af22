type ViewClass = new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayBufferView;

const CLASSES: Readonly<Record<string, ViewClass>> = {
  BigInt64Array,
  BigUint64Array,
  DataView,
  Float16Array,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
};

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** The name of the view's built-in class, whatever class of the program's extends it. */
export function viewName(view: ArrayBufferView): string {
  return typedArrayTag.call(view) ?? 'DataView';
}

/** A view of the same built-in class on the same part of another buffer. */
export function viewOn(buffer: ArrayBufferLike, view: ArrayBufferView): ArrayBufferView {
  const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  const View = CLASSES[viewName(view)];
  if (View === undefined) throw new TypeError(`${viewName(view)} is no known view`);
  return new View(buffer, view.byteOffset, length);
}
