import type { Cursor } from "../cursor.ts";
import type { Findings } from "../text/positions.ts";
import { sum, type Judge } from "./judge.ts";

/**
 * Judges cpu, memory and GPUs. Sources: azure-docs "Resource availability & quota limits for ACI", "Container groups in Azure Container
 * Instances", and the service's own refusals (ResourceRequestsNotSpecified, ResourceSomeRequestsNotSpecified, "increments of 0.1 GB",
 * ContainerLimitGreaterThanContainerGroupTotalRequest).
 */
export function judgeResources(judge: Judge): void {
  for (const container of judge.containers) {
    const properties = container.get("properties");
    if (properties.present) judgeRequests(properties.get("resources").get("requests"), judge);
  }
  judgeLimits(judge);
  judgeTotals(judge);
}

function judgeRequests(requests: Cursor, { findings, fromProfile }: Judge): void {
  if (!requests.present) {
    if (!fromProfile)
      findings.fault(requests, "resources.requests is missing: say how much cpu and memoryInGB the container needs.");
    return;
  }
  for (const name of ["cpu", "memoryInGB"]) {
    const amount = requests.get(name);
    const { number } = amount;
    if (!amount.present) findings.fault(amount, `${name} is missing in resources.requests.`);
    else if (number !== undefined && number <= 0) findings.fault(amount, `${name} must be more than 0.`);
    else if (name === "memoryInGB" && number !== undefined && Math.abs(number * 10 - Math.round(number * 10)) > 1e-6) {
      findings.fault(amount, "memoryInGB must be a multiple of 0.1.");
    }
  }
  judgeGpu(requests.get("gpu"), findings);
}

function judgeGpu(gpu: Cursor, findings: Findings): void {
  if (!gpu.present) return;
  findings.warn(gpu, "GPUs in ACI were retired in July 2025; the group is likely to be refused.");
  for (const name of ["count", "sku"]) {
    if (!gpu.get(name).present) findings.fault(gpu.get(name), `${name} is missing in gpu.`);
  }
}

function judgeLimits({ findings, containers }: Judge): void {
  for (const name of ["cpu", "memoryInGB"]) {
    const resources = containers.map((container) => container.get("properties").get("resources"));
    const total = sum(resources.map((each) => each.get("requests").get(name).number));
    for (const each of resources) {
      const limit = each.get("limits").get(name);
      const { number } = limit;
      if (number === undefined) continue;
      if (number <= 0) findings.fault(limit, `${name} must be more than 0.`);
      else if (number > total + 1e-9)
        findings.fault(
          limit,
          `A container's limit of ${name} can't be more than all containers of the group request together.`,
        );
      else if (number < (each.get("requests").get(name).number ?? 0))
        findings.fault(limit, `The limit of ${name} is less than the request of ${name}; raise it, or leave it out.`);
    }
  }
}

/** What ACI gives one group in all, by its documentation. */
export const groupMax = { cpu: 31, memoryGB: 240 } as const;

/** The warning about a group that is too small, which its copies in one group together are not. */
export const tooSmall =
  "A group needs at least 1 CPU and 1 GB, all its containers together; with less it is likely to be refused.";

function judgeTotals({ group, findings, containers }: Judge): void {
  const list = group.get("containers");
  const requests = containers.map((container) => container.get("properties").get("resources").get("requests"));
  const cpu = sum(requests.map((request) => request.get("cpu").number));
  const memory = sum(requests.map((request) => request.get("memoryInGB").number));
  const max = group.get("sku").word === "confidential" ? 180 : 240;
  if (cpu > 32 || memory > 256) {
    findings.fault(
      list,
      "The containers together ask for more than ACI gives one group (31 CPUs, 240 GB); ask for less.",
    );
  } else if (cpu > 31 || memory > max) {
    findings.warn(
      list,
      `The containers together ask for more than ACI's documented 31 CPUs and ${max} GB; it is likely to be refused.`,
    );
  } else if (cpu > 4 || memory > 16) {
    findings.warn(
      list,
      group.get("priority").word === "spot"
        ? "A Spot group may have at most 4 CPUs and 16 GB; it is likely to be refused."
        : "More than 4 CPUs or 16 GB need a quota that was asked for in the region; without it the group is refused.",
    );
  } else if ((cpu > 0 && cpu < 1) || (memory > 0 && memory < 1)) {
    findings.warn(list, tooSmall);
  }
}
