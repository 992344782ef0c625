import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { KubeError } from "../../../src/ports/kube/kube-error.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { hurriedClock } from "../../support/hurried-clock.ts";
import { manualClock } from "../../support/manual-clock.ts";
import {
  configMaps,
  kubeconfig,
  named,
  scriptedServer,
  sendJson,
  sendStatus,
  settings,
} from "./scripted-server.ts";

const write = { manager: "holdfast" };

describe("trying again", () => {
  it("waits as long as Retry-After says after 429, for writes too", async () => {
    const waits: number[] = [];
    const { kube, asked } = await scriptedServer(
      (_, response, count) => {
        if (count < 3) return sendStatus(response, 429, "TooManyRequests", { "retry-after": "2" });
        return sendJson(response, settings, 201);
      },
      { clock: hurriedClock(waits) },
    );
    expect(await kube.create(configMaps, settings, write)).toEqual(settings);
    expect(asked).toHaveLength(3);
    expect(waits.map((ms) => Math.ceil(ms / 100))).toEqual([20, 20]);
  });

  it("waits until the date that Retry-After names, by the server's own clock", async () => {
    const waits: number[] = [];
    const { kube } = await scriptedServer(
      (_, response, count) => {
        const headers = {
          date: "Wed, 21 Oct 2015 07:28:00 GMT",
          "retry-after": "Wed, 21 Oct 2015 07:28:07 GMT",
        };
        if (count === 1) return sendStatus(response, 429, "TooManyRequests", headers);
        return sendJson(response, settings);
      },
      { clock: hurriedClock(waits) },
    );
    expect(await kube.get(configMaps, named)).toEqual(settings);
    expect(waits.map((ms) => Math.ceil(ms / 100))).toEqual([70]);
  });

  it("reads again after 5xx and after a connection that broke", async () => {
    const { kube, asked } = await scriptedServer((_, response, count) => {
      if (count === 1) return sendStatus(response, 503, "ServiceUnavailable");
      if (count === 2) return void response.destroy();
      return sendJson(response, settings);
    });
    expect(await kube.get(configMaps, named)).toEqual(settings);
    expect(asked).toHaveLength(3);
  });

  it("reads again after 504 and ServerTimeout, when the answer itself says so", async () => {
    const waits: number[] = [];
    const timeout = (code: number, reason: string) => ({ code, reason, details: { retryAfterSeconds: 3 } });
    const { kube } = await scriptedServer(
      (_, response, count) => {
        if (count === 1) return sendJson(response, timeout(504, "Timeout"), 504);
        if (count === 2) return sendJson(response, timeout(500, "ServerTimeout"), 500);
        return sendJson(response, settings);
      },
      { clock: hurriedClock(waits) },
    );
    expect(await kube.get(configMaps, named)).toEqual(settings);
    expect(waits).toEqual([3000, 3000]);
  });

  it("reads again what was not answered in time, and never writes it again", async () => {
    const slow = { deadlineMs: 50, patienceMs: 500, clock: systemClock };
    const lost = await scriptedServer((_, response, count) => {
      if (count > 1) sendJson(response, settings);
    }, slow);
    expect(await lost.kube.get(configMaps, named)).toEqual(settings);
    const silent = await scriptedServer(() => {}, slow);
    const late = { reason: "ApiServerTimeout" };
    await expect(silent.kube.create(configMaps, settings, write)).rejects.toMatchObject(late);
    expect(silent.asked).toHaveLength(1);
    await expect(silent.kube.get(configMaps, named)).rejects.toMatchObject(late);
    expect(silent.asked.length).toBeGreaterThan(2);
  });
});

describe("trying a write again", () => {
  it("never repeats a write that the server may have carried out", async () => {
    const broken = await scriptedServer((_, response) => void response.destroy());
    await expect(broken.kube.create(configMaps, settings, write)).rejects.toMatchObject({
      code: 0,
      reason: "ApiServerUnreachable",
      disposition: "retry",
    });
    expect(broken.asked).toHaveLength(1);
    const failing = await scriptedServer((_, response) => sendStatus(response, 500, "InternalError"));
    await expect(failing.kube.mergePatch(configMaps, named, {}, write)).rejects.toMatchObject({ code: 500 });
    expect(failing.asked).toHaveLength(1);
  });

  it("repeats a write that was never sent, because nobody listened", async () => {
    const port = await freePort();
    const waits: number[] = [];
    const clock = hurriedClock(waits);
    const kube = await connectKube({ kubeconfigText: kubeconfig(`http://127.0.0.1:${port}`), clock });
    await expect(kube.create(configMaps, settings, write)).rejects.toMatchObject({
      reason: "ApiServerUnreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(waits).toHaveLength(4);
    await kube.close();
  });
});

describe("a server that never answered", () => {
  it("is tried as often as it is told, and one that did for two minutes", async () => {
    const unreachable = { code: 0, reason: "ApiServerUnreachable", disposition: "retry" };
    const waits: number[] = [];
    const given = { clock: hurriedClock(waits), attemptsToReach: 2 };
    const never = await connectKube({
      kubeconfigText: kubeconfig(`http://127.0.0.1:${await freePort()}`),
      ...given,
    });
    await expect(never.get(configMaps, named)).rejects.toMatchObject(unreachable);
    expect(waits.splice(0)).toHaveLength(1);
    await never.close();
    const once = await scriptedServer(
      (_, response, count) => void (count === 1 ? sendJson(response, settings) : response.destroy()),
      given,
    );
    expect(await once.kube.get(configMaps, named)).toEqual(settings);
    await expect(once.kube.get(configMaps, named)).rejects.toMatchObject(unreachable);
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(100_000);
  });
});

describe("a server that has been away for long", () => {
  it("is not waited for as long again by each further request, until it answers", async () => {
    let away = false;
    const { kube, asked } = await scriptedServer((_, response) =>
      away ? sendStatus(response, 503, "ServiceUnavailable") : sendJson(response, settings),
    );
    const askedFor = async (get: Promise<unknown>) => {
      const before = asked.length;
      await get.catch(() => undefined);
      return asked.length - before;
    };
    await kube.get(configMaps, named);
    away = true;
    expect(await askedFor(kube.get(configMaps, named))).toBeGreaterThan(10);
    expect(await askedFor(kube.get(configMaps, named))).toBeLessThan(8);
    expect(await askedFor(kube.get(configMaps, named))).toBeLessThan(8);
    away = false;
    await kube.get(configMaps, named);
    away = true;
    expect(await askedFor(kube.get(configMaps, named))).toBeGreaterThan(10);
  });
});

describe("a busy server", () => {
  it("gives up a busy server after two minutes, and leaves a long Retry-After to the caller", async () => {
    const waits: number[] = [];
    const busy = await scriptedServer(
      (_, response) => sendStatus(response, 429, "TooManyRequests", { "retry-after": "10" }),
      { clock: hurriedClock(waits) },
    );
    await expect(busy.kube.get(configMaps, named)).rejects.toMatchObject({ code: 429, disposition: "retry" });
    expect(busy.asked.length).toBeGreaterThanOrEqual(12);
    expect(busy.asked.length).toBeLessThanOrEqual(13);
    const unwell = await scriptedServer((_, response) => sendStatus(response, 503, "ServiceUnavailable"));
    await expect(unwell.kube.get(configMaps, named)).rejects.toMatchObject({ code: 503 });
    // Pauses grow to ten seconds: many tries within the time, and no storm of them.
    expect(unwell.asked.length).toBeGreaterThan(15);
    expect(unwell.asked.length).toBeLessThan(40);
    const closed = await scriptedServer((_, response) =>
      sendStatus(response, 429, "TooManyRequests", { "retry-after": "3600" }),
    );
    await expect(closed.kube.get(configMaps, named)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(closed.asked).toHaveLength(1);
  });

  it("is left alone by every request of the client until it may be asked again", async () => {
    const time = manualClock(1_000_000);
    const held: number[] = [];
    const sleep: Clock["sleep"] = (ms, signal) => {
      if (ms === 60_000) held.push(ms);
      return time.sleep(ms, signal);
    };
    const { kube, asked } = await scriptedServer(
      (_, response, count) => {
        if (count === 1) return sendStatus(response, 429, "TooManyRequests", { "retry-after": "60" });
        return sendJson(response, settings);
      },
      { clock: { now: time.now, sleep }, deadlineMs: 1_000_000 },
    );
    const first = kube.get(configMaps, named);
    await eventually(async () => expect(held).toHaveLength(1));
    const others = Promise.all([kube.get(configMaps, named), kube.create(configMaps, settings, write)]);
    await eventually(async () => expect(held).toHaveLength(3));
    expect(asked).toHaveLength(1);
    time.advance(60_000);
    await Promise.all([first, others]);
    expect(asked).toHaveLength(4);
  });
});

describe("deadlines and bounds", () => {
  it("gives up a request that is not answered in time", async () => {
    const slow = { deadlineMs: 50, patienceMs: 100, clock: systemClock };
    const { kube } = await scriptedServer(() => {}, slow);
    await expect(kube.get(configMaps, named)).rejects.toMatchObject({
      reason: "ApiServerTimeout",
      disposition: "retry",
    });
  });

  it("gives up an answer that trickles", async () => {
    const { kube } = await scriptedServer((_, response) => void response.write('{"kind"'), {
      deadlineMs: 50,
      clock: systemClock,
    });
    await expect(kube.create(configMaps, settings, write)).rejects.toMatchObject({
      reason: "ApiServerTimeout",
    });
  });

  it("stops at once when the caller stops", async () => {
    const { kube } = await scriptedServer(() => {});
    const stop = new AbortController();
    const asking = kube.get(configMaps, named, stop.signal);
    setTimeout(() => stop.abort(), 20);
    await expect(asking).rejects.toMatchObject({ reason: "Interrupted", exitCode: 130 });
    await expect(kube.get(configMaps, named, stop.signal)).rejects.toMatchObject({ reason: "Interrupted" });
  });

  it("refuses an object that is larger than any object can be", async () => {
    const { kube } = await scriptedServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const piece = " ".repeat(1024 * 1024);
      for (let n = 0; n < 20; n += 1) response.write(piece);
      response.end("{}");
    });
    await expect(kube.get(configMaps, named)).rejects.toMatchObject({ reason: "ApiServerAnswerTooLarge" });
  });
});

describe("answers that are none", () => {
  it("says so when a page of a proxy comes instead of an object", async () => {
    const { kube } = await scriptedServer((_, response) => {
      response.writeHead(502, { "content-type": "text/html" });
      response.end("<h1>Bad\n gateway</h1>");
    });
    const error = await kube.mergePatch(configMaps, named, {}, write).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ code: 502, disposition: "retry" });
    expect(String(error)).toContain("<h1>Bad gateway</h1>");
  });

  it.each(["<html>", "[]", "{}", '"text"', ""])("refuses %o as an object", async (text) => {
    const { kube } = await scriptedServer((_, response) => void response.end(text));
    await expect(kube.create(configMaps, settings, write)).rejects.toMatchObject({
      reason: "ApiServerAnswerInvalid",
    });
  });

  it("maps what the server said to what to do about it", async () => {
    for (const [code, disposition] of [
      [400, "stall"],
      [401, "stall"],
      [403, "stall"],
      [404, "stall"],
      [409, "retry"],
      [410, "retry"],
      [422, "stall"],
      [500, "retry"],
      [501, "stall"],
    ] as const) {
      const { kube } = await scriptedServer((_, response) => sendStatus(response, code, "Because"));
      await expect(kube.create(configMaps, settings, write)).rejects.toMatchObject({
        code,
        reason: "Because",
        disposition,
        message: `POST /api/v1/namespaces/demo/configmaps: ${code} Because: it is Because`,
      });
    }
  });

  it("says so when what listens does not speak HTTP", async () => {
    const server = createServer((socket) => socket.end("220 mail.example.com ESMTP\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const kube = await connectKube({
      kubeconfigText: kubeconfig(`http://127.0.0.1:${port}`),
      clock: hurriedClock(),
    });
    await expect(kube.get(configMaps, named)).rejects.toMatchObject({ reason: "ApiServerUnreachable" });
    await kube.close();
    server.close();
  });
});

it("keeps every digit of a whole number of 64 bits, both ways", async () => {
  const large = { ...settings, spec: { limits: [9_007_199_254_740_993n, -(2n ** 63n), 1e20, 1] } };
  const { kube, asked } = await scriptedServer((_, response) => sendJson(response, large));
  expect(await kube.get(configMaps, named)).toEqual(large);
  expect(await kube.create(configMaps, large, write)).toEqual(large);
  expect(asked[1]?.body).toContain(
    '"limits":[9007199254740993,-9223372036854775808,100000000000000000000,1]',
  );
});

describe("names in paths", () => {
  it("never lets a name reach another resource", async () => {
    const { kube, asked } = await scriptedServer((_, response) => sendJson(response, settings));
    for (const name of ["..", ".", "", "../secrets/x", "a/status"]) {
      await expect(kube.get(configMaps, { namespace: "demo", name })).rejects.toMatchObject({
        reason: "NameInvalid",
      });
    }
    expect(asked).toEqual([]);
    await kube.get(configMaps, { namespace: "demo", name: "a?b#c d" });
    expect(asked[0]?.path).toBe("/api/v1/namespaces/demo/configmaps/a%3Fb%23c%20d");
  });

  it("refuses an object without a namespace, and one of another kind", async () => {
    const { kube } = await scriptedServer((_, response) => sendJson(response, settings));
    await expect(async () => kube.get(configMaps, { name: "x" })).rejects.toMatchObject({
      reason: "NamespaceMissing",
    });
    const secret = { ...settings, kind: "Secret" };
    await expect(async () => kube.create(configMaps, secret, write)).rejects.toMatchObject({
      reason: "ResourceMismatch",
      disposition: "bug",
    });
  });
});
