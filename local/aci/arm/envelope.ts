import type { GroupId } from "../group.ts";
import { badRequest, invalidContent } from "./errors.ts";

/** The members that ARM's envelope has; any other is refused before the provider sees it. */
const ENVELOPE = new Set(
  "id name type location tags plan properties kind sku identity managedBy managedByExtended zones extendedLocation etag scale"
    .toLowerCase()
    .split(" "),
);

/** Throws a 400 where the envelope has foreign members, or is for another resource than the URL. */
export function checkEnvelope(id: GroupId, body: Record<string, unknown>): void {
  const foreign = Object.keys(body).find((member) => !ENVELOPE.has(member.toLowerCase()));
  if (foreign !== undefined) {
    throw invalidContent(
      `Could not find member '${foreign}' on object of type 'ResourceDefinition'. Path '${foreign}'.`,
    );
  }
  for (const [member, given] of Object.entries(body)) {
    if (member.toLowerCase() === "name" && !sameWord(given, id.name)) {
      throw badRequest(
        "MismatchingResourceName",
        `The provided resource name '${String(given)}' did not match the name in the Url '${id.name}'.`,
      );
    }
    if (member.toLowerCase() === "type" && !sameWord(given, "Microsoft.ContainerInstance/containerGroups")) {
      throw badRequest(
        "MismatchingResourceType",
        `The provided resource type '${String(given)}' did not match the type in the Url 'Microsoft.ContainerInstance/containerGroups'.`,
      );
    }
  }
}

const sameWord = (given: unknown, expected: string): boolean =>
  given === null || (typeof given === "string" && given.toLowerCase() === expected.toLowerCase());
