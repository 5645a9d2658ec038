import { BadRequestError } from '../lib/errors.ts';
import type { InputFacts } from '../lib/jobs/container/engine.ts';
import { INPUT_FOLDER, INPUT_NAME } from '../lib/jobs/container/words.ts';
import { isJsonObject, type JsonObject } from '../lib/wire/json.ts';
import { INPUT_NOTE } from './objectNames.ts';

const VOLUME = 'pman-input';

/** All annotations of a pod may have 256 KiB together (Kubernetes, TotalAnnotationSizeLimitB): there are others. */
const MAX_INPUT_BYTES = 192 * 1024;

/** @throws BadRequestError for an input that no annotation can hold */
export function refuseInput(input: InputFacts | undefined): void {
  if (input === undefined || (input.isText && input.bytes <= MAX_INPUT_BYTES)) return;
  const what = input.isText ? `has ${input.bytes} bytes, more than 192Ki` : 'is no UTF-8';
  throw new BadRequestError(`run: "meta.stdin": ${what}: a pod cannot be given that`, {
    hint: 'put it into a folder that the container shares, and let the command read it',
  });
}

/** The labels and annotations of a pod with its input. */
export function withInput(marks: JsonObject, input: Buffer | undefined): JsonObject {
  if (input === undefined) return marks;
  const { annotations = {} } = marks;
  const others = isJsonObject(annotations) ? annotations : {};
  return { ...marks, annotations: { ...others, [INPUT_NOTE]: input.toString() } };
}

/** How a container gets to see it. */
export function inputVolume(): { readonly volume: JsonObject; readonly mount: JsonObject } {
  const item = {
    path: INPUT_NAME,
    fieldRef: { fieldPath: `metadata.annotations['${INPUT_NOTE}']` },
    mode: 0o444,
  };
  return {
    volume: { name: VOLUME, downwardAPI: { items: [item] } },
    mount: { name: VOLUME, mountPath: INPUT_FOLDER, readOnly: true },
  };
}
