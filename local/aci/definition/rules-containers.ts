import { badRequest, inaccessibleImage } from "../arm/errors.ts";
import type { Container, Definition, Probe, Properties } from "./definition.ts";

const CONTAINERS_PER_GROUP = 60;

/** Names of the group and its containers; upper case in a group's name is taken, as the service takes it. */
export function checkNames(group: string, properties: Properties): void {
  if (!/^(?!.*--)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(group)) {
    throw badRequest(
      "InvalidContainerGroupName", // (guessed)
      `The container group name '${group}' is invalid. It must have 1 to 63 letters, digits or hyphens, ` +
        "with no hyphen first or last and no two in a row.",
    );
  }
  const containers = [...(properties.initContainers ?? []), ...(properties.containers ?? [])];
  const names = containers.map(({ name }) => name ?? "");
  for (const name of names) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
      throw badRequest(
        "InvalidContainerName", // (guessed)
        `The container name '${name}' in container group '${group}' is invalid. It must have 1 to 63 lower-case letters, digits ` +
          "or hyphens, with no hyphen first or last.",
      );
    }
  }
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) {
    throw badRequest(
      "DuplicateContainerName",
      `The container '${double}' is defined twice in container group '${group}'.`,
    ); // (guessed)
  }
}

export function checkContainers(group: string, properties: Properties, definition: Definition): void {
  const containers = properties.containers ?? [];
  if (containers.length === 0) {
    throw badRequest("MissingContainers", `The containers of container group '${group}' cannot be empty.`); // (guessed)
  }
  const count = containers.length + (properties.initContainers ?? []).length;
  if (count > CONTAINERS_PER_GROUP) {
    throw badRequest(
      "TooManyContainers",
      `The container group '${group}' has more than ${CONTAINERS_PER_GROUP} containers.`,
    ); // (guessed)
  }
  if (properties.osType === "Windows" && containers.length > 1) {
    throw badRequest(
      "MultipleContainersNotSupportedOnWindows", // (guessed)
      `The container group '${group}' has several containers, which is supported on Linux only.`,
    );
  }
  for (const container of containers) {
    if (!properties.containerGroupProfile) {
      checkImageGiven(group, container);
      checkRequests(group, container);
    }
    checkVariables(group, container);
    checkPorts(group, container);
    checkProbe(group, container, container.properties?.livenessProbe);
    checkProbe(group, container, container.properties?.readinessProbe);
  }
  for (const container of properties.initContainers ?? []) {
    checkImageGiven(group, container);
    checkVariables(group, container);
  }
  checkSharedPorts(group, containers);
  checkTotals(group, properties, definition);
}

function checkImageGiven(group: string, { name = "", properties }: Container): void {
  const image = properties?.image ?? "";
  if (image === "") {
    throw badRequest(
      "MissingImage",
      `The image of container '${name}' in container group '${group}' is not specified.`,
    ); // (guessed)
  }
  checkImage(group, image);
}

function checkRequests(group: string, { name = "", properties }: Container): void {
  const { requests } = properties?.resources ?? {};
  if (requests?.cpu === undefined || requests.memoryInGB === undefined) {
    throw badRequest(
      "ResourceRequestsNotSpecified",
      `The resource requests are not specified in container '${name}' of contain group '${group}'. ` +
        "Both memory and CPU requests are required since API version '2017-07-01-preview'.",
    );
  }
  if (requests.cpu <= 0 || requests.memoryInGB <= 0) {
    throw badRequest(
      "InvalidResourceRequests", // (guessed)
      `The resource requests in container '${name}' of container group '${group}' must be greater than zero.`,
    );
  }
}

function checkVariables(group: string, { name = "", properties }: Container): void {
  for (const variable of properties?.environmentVariables ?? []) {
    const given = variable.name ?? "";
    const where = `The environment variable '${given}' in container '${name}' of container group '${group}'`;
    if (!/^[A-Za-z0-9]([A-Za-z0-9_]{0,61}[A-Za-z0-9])?$/.test(given)) {
      throw badRequest("InvalidEnvironmentVariableName", `${where} has an invalid name.`); // (guessed)
    }
    if (variable.value !== undefined && variable.secureValue !== undefined) {
      throw badRequest("InvalidEnvironmentVariable", `${where} has both 'value' and 'secureValue'.`); // (guessed)
    }
  }
}

function checkPorts(group: string, { name = "", properties }: Container): void {
  for (const { port = 0, protocol } of properties?.ports ?? []) {
    if (port < 1 || port > 65535 || !["TCP", "UDP", undefined].includes(protocol)) {
      throw badRequest(
        "InvalidPort",
        `The port '${port}' of container '${name}' in container group '${group}' is invalid.`,
      ); // (guessed)
    }
  }
}

/** All containers of a group share one network: a port is one container's. */
function checkSharedPorts(group: string, containers: readonly Container[]): void {
  const all = containers.flatMap((one) =>
    (one.properties?.ports ?? []).map(({ port = 0, protocol = "TCP" }) => `${port}/${protocol}`),
  );
  const double = all.find((port, index) => all.indexOf(port) !== index);
  if (double !== undefined) {
    throw badRequest(
      "DuplicateContainerPorts", // (guessed)
      `Duplicate ports '${double}' found in container group '${group}' with shared port type.`,
    );
  }
}

function checkProbe(group: string, { name = "" }: Container, probe: Probe | undefined): void {
  if (!probe) return;
  const ways = [probe.exec, probe.httpGet].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw badRequest(
      "InvalidProbe", // (guessed)
      `A probe of container '${name}' in container group '${group}' must have exactly one of 'exec' and 'httpGet'.`,
    );
  }
}

/** "Resource availability": the most that a group may ask for, by SKU. */
const MOST = { cpu: 31, memoryInGB: 240, confidentialMemoryInGB: 180 };

function checkTotals(group: string, { containers = [], sku, osType }: Properties, { location = "" }: Definition): void {
  const total = (what: "cpu" | "memoryInGB"): number =>
    containers.reduce((sum, container) => sum + (container.properties?.resources?.requests?.[what] ?? 0), 0);
  const totals = { cpu: total("cpu"), memoryInGB: total("memoryInGB") };
  checkLimits(group, containers, totals);
  const maxMemory = sku === "Confidential" ? MOST.confidentialMemoryInGB : MOST.memoryInGB;
  if (totals.cpu > MOST.cpu || totals.memoryInGB > maxMemory) {
    throw badRequest(
      "ServiceUnavailable",
      `The requested resource is not available in the location '${location}' at this moment. Please retry with a different resource ` +
        `request or in another location. Resource requested: '${totals.cpu}' CPU '${totals.memoryInGB}' GB memory '${osType ?? ""}' OS`,
    );
  }
}

function checkLimits(
  group: string,
  containers: readonly Container[],
  totals: Record<"cpu" | "memoryInGB", number>,
): void {
  for (const { name = "", properties } of containers) {
    for (const [what, label] of [["cpu", "Cpu"] as const, ["memoryInGB", "Memory"] as const]) {
      const limit = properties?.resources?.limits?.[what];
      if (limit !== undefined && limit < (properties?.resources?.requests?.[what] ?? 0)) {
        throw badRequest(
          "ResourceLimitsLessThanRequests",
          `The '${label}' limit '${limit}' in container '${name}' of container group '${group}' is less than its request.`,
        );
      }
      if (limit !== undefined && limit > totals[what]) {
        throw badRequest(
          "ContainerLimitGreaterThanContainerGroupTotalRequest",
          `The '${label}' limit '${limit}' in container '${name}' is greater than the total request '${totals[what]}' of container group '${group}'.`,
        );
      }
    }
  }
}

/** Docker's reference grammar, loosely: a template's placeholder does not match. */
function checkImage(group: string, image: string): void {
  if (
    !/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:\d+)?(\/[a-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@[a-z0-9]+:[a-f0-9]+)?$/i.test(
      image,
    )
  ) {
    throw inaccessibleImage(image, group);
  }
}
