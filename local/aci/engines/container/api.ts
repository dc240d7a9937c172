import type Docker from "dockerode";

/** The Docker Engine API of docker, or of podman's compatible socket, which also has an API of its own. */
export interface Api {
  readonly docker: Docker;
  readonly isPodman: boolean;
}

/** Every container that this service makes has it; its value is the process that made it: `PID:START`. */
export const OWNER_LABEL = "aci-local.owner";

export async function connect(socketPath: string): Promise<Api> {
  // Loaded where containers are asked for alone: with its native parts it would double the time that every start takes.
  const { default: Dockerode } = await import("dockerode");
  const docker: Docker = new Dockerode({ socketPath });
  const version: { Components?: { Name?: string }[] } = await docker.version();
  return { docker, isPodman: (version.Components ?? []).some(({ Name = "" }) => Name.startsWith("Podman")) };
}

/** Resolves when a container has ended. Podman's compatible wait looks four times a second; its own can look more often. */
export async function ended({ docker, isPodman }: Api, id: string): Promise<void> {
  if (isPodman) await dial(docker, "POST", `/v4.0.0/libpod/containers/${id}/wait?condition=exited&interval=20ms`);
  else await docker.getContainer(id).wait();
}

/** A request that dockerode has no method for. */
function dial(docker: Docker, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // The library takes the last character of a path for the mark of a query, and cuts it off.
    docker.modem.dial(
      { path: `${path}?`, method, statusCodes: { 200: true, 404: "no such container", 500: "server error" } },
      (error: unknown, data: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve(data);
      },
    );
  });
}

/** Follows a pull's, build's or import's progress. Podman answers 200 and reports failures on the way, which dockerode ignores. */
export function progress({ docker }: Api, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, events: { error?: string }[]) => {
      const told = events.find((event) => event.error !== undefined)?.error;
      if (error) reject(error);
      else if (told !== undefined) reject(new Error(told));
      else resolve();
    });
  });
}

/** The status of a refused request; `undefined` for any other error. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;

/** What a refused request says. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/^\(HTTP code \d+\) [a-z ]+ - /, "").trim();
}

/** Removes a container, however it is; one that is gone already is no fault. */
export async function removeContainer({ docker }: Api, id: string): Promise<void> {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
