import { describe, expect, it, onTestFinished, vi } from "vitest";
import { observedGroup, ownerOf, parseArmGroup, tagNames } from "../../../src/shared/aci/arm-group.ts";
import { installationTag, target } from "../../kit/kit.ts";

const check = { tag: installationTag, place: { ...target, name: "nightly" } };
const bound = installationTag.valueFor(check.place);

const seenOf = (json: unknown) => {
  const parsed = parseArmGroup(json);
  if (parsed === undefined) throw new Error("no group");
  return observedGroup(parsed, check);
};
const state = (value: unknown) => seenOf({ properties: { instanceView: { state: value } } }).state;
const provisioning = (value: unknown) => seenOf({ properties: { provisioningState: value } }).provisioning;

describe("ACI's words", () => {
  it.each(["Pending", "Running", "Succeeded", "Failed", "Stopped"])("%s is known, in any letter case", (word) => {
    expect([state(word), state(word.toLowerCase())]).toEqual([word, word]);
  });

  it.each(["Paused", "", null, undefined])("a group state of %j was never seen before: keep watching", (word) => {
    expect(state(word)).toBe("Unknown");
    expect(seenOf({ properties: { instanceView: { state: word } } }).hasNewWord).toBe(word === "Paused");
  });

  it.each(["Creating", "Repairing", "NotAccessible", "Brandnew", undefined])(
    "provisioning state %j decides nothing",
    (word) => {
      expect(provisioning(word)).toBe("Other");
    },
  );

  it("a container's state that was never seen before is Unknown", () => {
    const json = {
      properties: {
        containers: [{ name: "a", properties: { instanceView: { currentState: { state: "Hibernated" } } } }],
      },
    };
    expect(seenOf(json)).toMatchObject({ hasNewWord: true, containers: [{ state: "Unknown" }] });
  });
});

describe("a group as ARM shows it", () => {
  const json = {
    id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/bellaciao",
    name: "bellaciao",
    brandNew: { property: 1 },
    properties: {
      provisioningState: "Succeeded",
      initContainers: [
        { name: "setup", properties: { instanceView: { currentState: { state: "Terminated", exitCode: 0 } } } },
      ],
      containers: [
        {
          name: "app",
          properties: {
            instanceView: {
              restartCount: 2,
              currentState: { state: "Running", startTime: "2026-11-24T08:00:00Z", detailStatus: "" },
              previousState: {
                state: "Terminated",
                exitCode: 3,
                finishTime: "2026-11-24T07:59:00Z",
                detailStatus: "Error",
              },
              events: [
                {
                  count: 2,
                  name: "Started",
                  type: "Normal",
                  message: "Started container",
                  firstTimestamp: "2026-11-24T07:58:00Z",
                  lastTimestamp: "2026-11-24T08:00:00Z",
                },
              ],
            },
          },
        },
        { name: "bare" },
      ],
      instanceView: { state: "Running", events: [{ name: "Scheduled" }] },
    },
  };

  it("has its init containers first, and every container's ends", () => {
    const { containers } = seenOf(json);
    expect(containers.map(({ name, init }) => [name, init])).toEqual([
      ["setup", true],
      ["app", false],
      ["bare", false],
    ]);
    expect(containers[1]).toMatchObject({
      state: "Running",
      restartCount: 2,
      startTime: Date.UTC(2026, 10, 24, 8),
      previous: { exitCode: 3, finishTime: Date.UTC(2026, 10, 24, 7, 59) },
    });
    expect(containers[2]).toMatchObject({
      state: "Unknown",
      exitCode: undefined,
      restartCount: 0,
      previous: undefined,
    });
  });

  it("has its own events and its containers'", () => {
    expect(seenOf(json).events).toEqual([
      { name: "Scheduled", type: "", count: 1, message: "" },
      {
        at: Date.UTC(2026, 10, 24, 8),
        container: "app",
        name: "Started",
        type: "Normal",
        count: 2,
        message: "Started container",
      },
    ]);
  });

  it("has at most 60 events, the newest, each cut to 300 characters", () => {
    const events = Array.from({ length: 80 }, (_, n) => ({ name: `event ${n}`, message: "m".repeat(400) }));
    const seen = seenOf({ properties: { instanceView: { events } } }).events;
    expect([seen.length, seen.at(-1)?.name, seen[0]?.message.length]).toEqual([60, "event 79", 300]);
  });

  it("keeps what is not routine, where each of many containers has its routine events", () => {
    const routine = ["Pulling", "Pulled", "Created", "Started"].map((name) => ({ name, type: "Normal" }));
    const containers = Array.from({ length: 60 }, (_, n) => ({
      name: `c${n}`,
      properties: {
        instanceView: { events: n === 0 ? [{ name: "Failed", message: "Failed to pull image" }] : routine },
      },
    }));
    const { events } = seenOf({
      properties: { containers, instanceView: { events: [{ name: "QuotaExceeded", message: "quota" }] } },
    });
    expect(events.length).toBe(60);
    expect(events.slice(0, 2)).toMatchObject([{ name: "QuotaExceeded" }, { name: "Failed", container: "c0" }]);
    expect(events.at(-1)).toMatchObject({ name: "Started", container: "c59" });
  });

  it("cuts every word of Azure's, so that a row has room for all of them", () => {
    const long = "x".repeat(100_000);
    const currentState = { state: "Terminated", exitCode: 1, detailStatus: long };
    const instanceView = { currentState, events: [{ name: long, type: long, message: long }] };
    const seen = seenOf({ properties: { containers: [{ name: "a", properties: { instanceView } }] } });
    expect(JSON.stringify(seen).length).toBeLessThan(2000);
  });

  it.each([
    [3_221_225_477, -1_073_741_819],
    ["3221225477", -1_073_741_819],
    [-1, -1],
    ["0", 0],
    [2 ** 32, undefined],
    [1.5, undefined],
    [null, undefined],
  ])("the exit code %j is a 32-bit integer, or not known: %j", (exitCode, read) => {
    const view = { currentState: { state: "Terminated", exitCode }, previousState: { state: "Terminated", exitCode } };
    const [seen] = seenOf({
      properties: { containers: [{ name: "a", properties: { instanceView: view } }] },
    }).containers;
    expect([seen?.exitCode, seen?.previous?.exitCode]).toEqual([read, read]);
  });

  it("is read without what in its lists is of another kind", () => {
    const image = { name: "b", properties: { image: 7, instanceView: { currentState: { state: "Running" } } } };
    const { containers, events } = seenOf({
      tags: { note: 5 },
      properties: {
        containers: [null, { properties: {} }, "text", { name: "a", properties: "none" }, image],
        initContainers: [{ name: null }],
        instanceView: { events: [null, 5, { name: "Failed", count: {}, message: "Failed to pull image" }] },
      },
    });
    expect(containers.map(({ name, state }) => [name, state])).toEqual([
      ["a", "Unknown"],
      ["b", "Running"],
    ]);
    expect(events).toEqual([{ name: "Failed", type: "", count: 1, message: "Failed to pull image" }]);
  });

  it.each([
    ["2026-11-24T08:00:00", Date.UTC(2026, 10, 24, 8)],
    ["2026-11-24T08:00:00.1234567", Date.UTC(2026, 10, 24, 8, 0, 0, 123)],
    ["2026-11-24T08:00:00.1234567Z", Date.UTC(2026, 10, 24, 8, 0, 0, 123)],
    ["2026-11-24T09:00:00+01:00", Date.UTC(2026, 10, 24, 8)],
  ])("the time %s is UTC, wherever the service runs", (startTime, at) => {
    vi.stubEnv("TZ", "America/New_York");
    onTestFinished(() => void vi.unstubAllEnvs());
    const view = { currentState: { state: "Running", startTime } };
    const { containers } = seenOf({ properties: { containers: [{ name: "a", properties: { instanceView: view } }] } });
    expect(containers[0]?.startTime).toBe(at);
  });

  it("a time of the year 1 is no time", () => {
    const view = { currentState: { state: "Waiting", startTime: "0001-01-01T00:00:00Z" } };
    expect(
      seenOf({ properties: { containers: [{ name: "a", properties: { instanceView: view } }] } }).containers[0]
        ?.startTime,
    ).toBeUndefined();
  });

  it.each([undefined, null, "text", [], {}, { properties: null }, { properties: { containers: "none" } }])(
    "%j is no group",
    (other) => {
      expect(parseArmGroup(other)).toBeUndefined();
    },
  );
});

describe("whose a group is", () => {
  const tags = { [tagNames.job]: "id-1", [tagNames.attempt]: "3", [tagNames.installation]: bound };

  it("ours, by the installation's tag, whatever letter case ARM hands it back in", () => {
    const upper = Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toUpperCase(), value]));
    for (const given of [tags, upper])
      expect(ownerOf({ tags: given }, check)).toEqual({ kind: "ours", jobId: "id-1", attempt: 3, isBound: true });
  });

  it.each([
    ["another installation's", { ...tags, [tagNames.installation]: "installation-2" }, "foreign"],
    ["one with our installation but no job", { [tagNames.installation]: bound }, "foreign"],
    ["one without our tags", { team: "a" }, "untagged"],
    ["one without tags", undefined, "untagged"],
  ])("%s", (_, given, kind) => expect(ownerOf({ tags: given }, check).kind).toBe(kind));

  it("tags that were copied to a group of another name or resource group prove nothing", () => {
    for (const elsewhere of [{ name: "nightly-copy" }, { resourceGroup: "rg-other" }])
      expect(ownerOf({ tags }, { ...check, place: { ...check.place, ...elsewhere } }).kind).toBe("foreign");
    expect(ownerOf({ tags }, { ...check, place: { ...check.place, name: "NIGHTLY" } }).kind).toBe("ours");
  });

  it("the tag's old form is ours, and says that it is not bound to the name", () => {
    const old = { ...tags, [tagNames.installation]: "installation-1" };
    expect(ownerOf({ tags: old }, check)).toMatchObject({ kind: "ours", isBound: false });
  });
});
