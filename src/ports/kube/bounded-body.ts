import { KubeError } from "./kube-error.ts";

/** The text of an answer; throws `ApiServerAnswerTooLarge` as soon as it is longer than `maxBytes`. */
export async function readBounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  where: string,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw answerTooLarge(where, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}

/** Lines of a stream without their ends; one that is longer than `maxBytes` throws. */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  where: string,
): AsyncGenerator<string> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...held, chunk.subarray(start, end)]).toString("utf8");
      held = [];
      bytes = 0;
      start = end + 1;
      if (line !== "") yield line;
    }
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > maxBytes) throw answerTooLarge(where, maxBytes);
  }
  // The last line of a stream that broke off may be half an event.
  if (bytes > 0) {
    throw new KubeError("ApiServerAnswerInvalid", `${where}: the stream ended within a line`, {
      code: 200,
      disposition: "retry",
    });
  }
}

function answerTooLarge(where: string, maxBytes: number): KubeError {
  return new KubeError("ApiServerAnswerTooLarge", `${where}: the answer is larger than ${maxBytes} bytes`, {
    code: 200,
    disposition: "stall",
    next: "Make the object or the list smaller.",
  });
}
