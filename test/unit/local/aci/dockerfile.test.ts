import { describe, expect, it } from "vitest";
import { localCommand } from "../../../../local/aci/engines/process/command.ts";
import { parseDockerfile } from "../../../../local/aci/engines/process/dockerfile.ts";
import { imageName } from "../../../../local/aci/engines/process/image.ts";

describe("a Dockerfile on the process engine", () => {
  it("gives variables, working folder, copies and command", () => {
    const plan = parseDockerfile(
      [
        "# syntax=docker/dockerfile:1",
        "ARG BASE=1.36",
        "FROM busybox:${BASE}",
        "ARG WHERE=/opt",
        "WORKDIR $WHERE/app",
        'ENV GREETING="Hello World!" \\',
        "    NAME=joe",
        "ENV OLD form of it",
        "COPY --chmod=755 run.sh lib.sh ./",
        'ENTRYPOINT ["/opt/app/run.sh"]',
        'CMD ["--fast"]',
      ].join("\r\n"),
    );
    expect(plan).toMatchObject({
      workdir: "/opt/app",
      env: { GREETING: "Hello World!", NAME: "joe", OLD: "form of it" },
      copies: [{ sources: ["run.sh", "lib.sh"], target: "/opt/app/" }],
      entrypoint: ["/opt/app/run.sh"],
      cmd: ["--fast"],
    });
  });

  it("takes the shell form through the shell, and an ENTRYPOINT forgets the CMD before it", () => {
    const plan = parseDockerfile("FROM a\nCMD old\nENTRYPOINT echo hi");
    expect([plan.entrypoint, plan.cmd]).toEqual([["/bin/sh", "-c", "echo hi"], []]);
  });

  it("counts the last stage, with what it inherits", () => {
    const plan = parseDockerfile("FROM a AS base\nENV X=1\nFROM b AS tools\nENV Y=2\nFROM base\nCMD run");
    expect(plan.env).toEqual({ X: "1" });
  });
});

describe("an image's name", () => {
  it.each([
    ["container1", "container1"],
    ["me.azurecr.io/team/container1:latest", "container1"],
    ["localhost:5000/c@sha256:abc", "c"],
    ["r.io/..", undefined],
    ["", undefined],
  ])("%s is the folder %s", (reference, folder) => {
    expect(imageName(reference)).toBe(folder);
  });
});

describe("a command on this machine", () => {
  it("finds copied and mounted paths in the container's own folder, and no others", () => {
    const command = [
      "/bin/sh",
      "-c",
      "cat /mnt/data/x; /app/run.sh --in=/mnt/data /apple >/mnt/database",
      "/app/run.sh",
    ];
    expect(localCommand(command, "/root-1", ["/app/run.sh", "/mnt/data"])).toEqual([
      "/bin/sh",
      "-c",
      "cat /root-1/mnt/data/x; /root-1/app/run.sh --in=/root-1/mnt/data /apple >/mnt/database",
      "/root-1/app/run.sh",
    ]);
  });
});
