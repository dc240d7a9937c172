import { ArmError, badRequest } from "./errors.ts";

/**
 * The api-versions ever published for container groups. Source: the folders of Microsoft.ContainerInstance in the public REST API
 * specifications, and its TypeSpec (main.tsp) for the newest.
 */
const API_VERSIONS: readonly string[] = [
  "2017-08-01-preview",
  "2017-10-01-preview",
  "2017-12-01-preview",
  "2018-02-01-preview",
  "2018-04-01",
  "2018-06-01",
  "2018-07-01",
  "2018-09-01",
  "2018-10-01",
  "2019-12-01",
  "2020-11-01",
  "2021-03-01",
  "2021-07-01",
  "2021-09-01",
  "2021-10-01",
  "2022-04-01-preview",
  "2022-09-01",
  "2022-10-01-preview",
  "2023-02-01-preview",
  "2023-05-01",
  "2024-05-01-preview",
  "2024-09-01-preview",
  "2024-10-01-preview",
  "2024-11-01-preview",
  "2025-09-01",
  "2026-06-01-preview",
  "2026-07-01",
  "2026-08-01-preview",
];

/** ARM's own resources (subscriptions, resource groups) have other versions: any date will do for them. */
export function checkApiVersion(given: string | null, resourceType: string | undefined, location: string): string {
  if (given === null || given === "") {
    throw badRequest(
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  }
  if (!/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(given)) {
    throw badRequest(
      "InvalidApiVersionParameter",
      `The api-version '${given}' is invalid. The supported versions are '${[...API_VERSIONS].reverse().join(",")}'.`,
    );
  }
  const version = given.toLowerCase();
  if (resourceType !== undefined && !API_VERSIONS.includes(version)) {
    throw new ArmError(
      400,
      "NoRegisteredProviderFound",
      `No registered resource provider found for location '${location}' and API version '${given}' for type '${resourceType}'. ` +
        `The supported api-versions are '${API_VERSIONS.join(", ")}'. The supported locations are '${location}'.`,
    );
  }
  return version;
}
