import { badRequest } from "../arm/errors.ts";
import type { Definition, Properties, Volume } from "./definition.ts";
import { checkContainers, checkNames } from "./rules-containers.ts";

/**
 * What the service refuses at a PUT, as a 400 with its code: the first fault found is the one reported.
 *
 * Written from the service's documentation and error reports alone, apart from the app, so that it can catch what the app believes
 * wrongly. Codes marked (guessed) have no published name; what they are for is published. Sources: "Troubleshoot common issues",
 * "Resource availability & quota limits", "FAQ", "Error codes for Spot container creation", and public error reports.
 */
export function checkDefinition(group: string, definition: Definition): void {
  const properties = definition.properties ?? {};
  checkNames(group, properties);
  if (definition.location === undefined || definition.location === "") {
    throw badRequest("LocationRequired", "The location property is required for this definition.");
  }
  if (!/^[A-Za-z][A-Za-z0-9 ]*$/.test(definition.location)) {
    throw badRequest(
      "LocationNotAvailableForResourceType",
      `The provided location '${definition.location}' is not available for resource type 'Microsoft.ContainerInstance/containerGroups'.`,
    );
  }
  checkTags(definition.tags ?? {});
  checkZones(definition);
  // With a profile, what is missing comes from there.
  if (!properties.containerGroupProfile) checkOsType(properties);
  checkPolicy(group, properties);
  checkContainers(group, properties, definition);
  checkLinks(properties);
  checkAddress(group, properties);
  checkVolumes(group, properties);
  checkRegistries(group, properties);
  checkSpot(group, properties);
}

/** "Use tags to organize your Azure resources": names are compared without case. */
function checkTags(tags: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(tags);
  if (new Set(names.map((name) => name.toLowerCase())).size > 50) {
    throw badRequest("TooManyTags", `The resource has ${names.length} tags; at most 50 are allowed.`); // (guessed)
  }
  const bad = names.find((name) => name.length > 512 || /[<>%&\\?/]/.test(name) || (tags[name] ?? "").length > 256);
  if (bad !== undefined) throw badRequest("InvalidTag", `The tag '${bad}' is invalid.`); // (guessed)
}

function checkZones({ zones = [], properties }: Definition): void {
  if (zones.length > 1) {
    throw badRequest(
      "ResourceTypeNotSupportMultiZones",
      "The resource type 'Microsoft.ContainerInstance/containerGroups' does not support multiple zones.",
    );
  }
  if (zones.length > 0 && properties?.priority === "Spot") {
    throw badRequest("SpotPriorityContainerGroupNotSupportedInZones", "Spot Priority is not supported in zones."); // (guessed)
  }
}

function checkOsType({ osType }: Properties): void {
  if (osType === "Linux" || osType === "Windows") return;
  // The service names no group here.
  throw badRequest(
    "InvalidOsType",
    "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'.",
  );
}

function checkPolicy(group: string, { restartPolicy, sku }: Properties): void {
  if (restartPolicy !== undefined && !["Always", "OnFailure", "Never"].includes(restartPolicy)) {
    throw badRequest(
      "InvalidRestartPolicy", // (guessed)
      `The 'restartPolicy' for container group '${group}' is invalid. The value must be one of 'Always,OnFailure,Never'.`,
    );
  }
  if (sku !== undefined && !["NotSpecified", "Standard", "Dedicated", "Confidential"].includes(sku)) {
    throw badRequest("InvalidSku", `The 'sku' for container group '${group}' is invalid.`); // (guessed)
  }
}

/** ARM itself refuses a malformed resource id. */
function checkLinks({ subnetIds = [], networkProfile }: Properties): void {
  const links = subnetIds.map(({ id }, index) => ({ id, path: `properties.subnetIds[${index}].id` }));
  if (networkProfile) links.push({ id: networkProfile.id, path: "properties.networkProfile.id" });
  const broken = links.find(({ id = "" }) => !/^\/(subscriptions|providers)\/[^<>{}[\]]+$/i.test(id));
  if (broken) {
    throw badRequest(
      "LinkedInvalidPropertyId",
      `Property id '${broken.id ?? ""}' at path '${broken.path}' is invalid. Expect fully qualified resource Id that start with ` +
        "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
    );
  }
}

const PORTS_PER_ADDRESS = 5;

/** FAQ: ports that the service keeps for itself. */
const RESERVED: readonly (readonly [from: number, to: number])[] = [
  [22, 22],
  [1025, 1027],
  [3389, 3399],
  [9999, 9999],
  [19000, 19000],
  [19080, 19080],
  [19100, 19100],
  [19390, 19390],
  [20000, 30000],
  [49152, 65534],
];

function checkAddress(group: string, properties: Properties): void {
  const address = properties.ipAddress;
  if (!address) return;
  const ports = address.ports ?? [];
  const inNetwork = (properties.subnetIds ?? []).length > 0 || properties.networkProfile !== undefined;
  if (address.type !== "Public" && address.type !== "Private") {
    throw badRequest(
      "InvalidIpAddressType", // (guessed)
      `The 'type' in the 'ipAddress' of container group '${group}' is invalid. The value must be one of 'Public,Private'.`,
    );
  }
  if (ports.length === 0) {
    throw badRequest(
      "MissingIpAddressPorts",
      `The ports in the 'ipAddress' of container group '${group}' cannot be empty.`,
    );
  }
  if (ports.length > PORTS_PER_ADDRESS) {
    throw badRequest(
      "TooManyIpAddressPorts", // (guessed)
      `The 'ipAddress' of container group '${group}' has ${ports.length} ports; at most ${PORTS_PER_ADDRESS} are allowed.`,
    );
  }
  if (address.type === "Public" && inNetwork) {
    throw badRequest(
      "InvalidIpAddressTypeForNetworkProfile",
      "IP Address type can't be public when the network profile is set.",
    );
  }
  if (address.type === "Private" && !inNetwork) {
    throw badRequest(
      "PrivateIpAddressWithoutNetwork", // (guessed)
      `The container group '${group}' has a private IP address but no subnet.`,
    );
  }
  const reserved = ports.find(({ port = 0 }) => RESERVED.some(([from, to]) => port >= from && port <= to));
  if (reserved) {
    throw badRequest("ReservedPort", `The port '${reserved.port ?? 0}' of container group '${group}' is reserved.`); // (guessed)
  }
  const used = new Set(
    (properties.containers ?? []).flatMap((one) => (one.properties?.ports ?? []).map(({ port }) => port)),
  );
  const unused = ports.filter(({ port }) => !used.has(port)).map(({ port }) => port);
  if (unused.length > 0 && !properties.containerGroupProfile) {
    throw badRequest(
      "UnreferencedIpAddressPorts",
      `Following ports '${unused.join(",")}' in the 'ipAddress' are not used by any container in container group '${group}'.`,
    );
  }
  const label = address.dnsNameLabel;
  if (label !== undefined && !/^[A-Za-z0-9][A-Za-z0-9-]{3,61}[A-Za-z0-9]$/.test(label)) {
    throw badRequest("InvalidDnsNameLabel", `The DNS name label '${label}' in container group '${group}' is invalid.`); // (guessed)
  }
}

const VOLUMES_PER_GROUP = 20;

function checkVolumes(group: string, properties: Properties): void {
  const volumes = properties.volumes ?? [];
  if (volumes.length > VOLUMES_PER_GROUP) {
    throw badRequest("TooManyVolumes", `The container group '${group}' has more than ${VOLUMES_PER_GROUP} volumes.`); // (guessed)
  }
  for (const volume of volumes) checkVolume(group, volume);
  const names = volumes.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) {
    throw badRequest("DuplicateVolumeName", `The volume '${double}' is defined twice in container group '${group}'.`); // (guessed)
  }
  const containers = [...(properties.initContainers ?? []), ...(properties.containers ?? [])];
  for (const container of containers) {
    for (const mount of container.properties?.volumeMounts ?? []) {
      const where = `in container '${container.name ?? ""}' of container group '${group}'`;
      if (!names.includes(mount.name)) {
        throw badRequest("VolumeNotFound", `The volume '${mount.name ?? ""}' mounted ${where} is not defined.`); // (guessed)
      }
      if (mount.mountPath === undefined || mount.mountPath === "" || mount.mountPath.includes(":")) {
        throw badRequest("InvalidMountPath", `The mount path of volume '${mount.name ?? ""}' ${where} is invalid.`); // (guessed)
      }
    }
  }
}

function checkVolume(group: string, volume: Volume): void {
  const { name = "", azureFile, emptyDir, secret, secretReference, gitRepo } = volume;
  const where = `The volume '${name}' in container group '${group}'`;
  if (!/^(?!.*--)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    throw badRequest("InvalidVolumeName", `${where} has an invalid name.`); // (guessed)
  }
  const types = [azureFile, emptyDir, secret, secretReference, gitRepo].filter((type) => type !== undefined);
  if (types.length !== 1) {
    throw badRequest("InvalidVolume", `${where} must have exactly one type, it has ${types.length}.`); // (guessed)
  }
  if (azureFile && (!azureFile.shareName || !azureFile.storageAccountName)) {
    throw badRequest("InvalidAzureFileVolume", `${where} needs 'shareName' and 'storageAccountName'.`); // (guessed)
  }
  if (gitRepo && !gitRepo.repository) {
    throw badRequest("InvalidGitRepoVolume", `${where} needs a 'repository'.`); // (guessed)
  }
  for (const [file, value] of Object.entries(secret ?? {})) {
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) {
      throw badRequest("InvalidSecretVolume", `${where} has a value for '${file}' that is not base64.`); // (guessed)
    }
  }
}

function checkRegistries(group: string, { imageRegistryCredentials = [] }: Properties): void {
  for (const { server } of imageRegistryCredentials) {
    if (server === undefined || server === "" || server.includes("://")) {
      throw badRequest(
        "InvalidImageRegistryCredential", // (guessed)
        `The server '${server ?? ""}' in the image registry credentials of container group '${group}' is invalid. ` +
          "It must be given without a protocol.",
      );
    }
  }
}

/** Messages as in the article on Spot error codes. */
function checkSpot(group: string, properties: Properties): void {
  const { priority, sku, ipAddress, subnetIds, containers = [] } = properties;
  if (priority === undefined || priority === "Regular") return;
  if (priority !== "Spot") {
    throw badRequest(
      "PriorityNotSpecified",
      `The 'Priority' must be one of 'Regular,Spot' for container group '${group}'.`,
    );
  }
  if (ipAddress || (subnetIds ?? []).length > 0) {
    throw badRequest(
      "SpotPriorityContainerGroupNotSupportedForInboundConnectivity",
      "Spot Priority is not supported for container groups with inbound connectivity.",
    );
  }
  if (sku !== undefined && sku !== "Standard") {
    throw badRequest(
      "SpotPriorityContainerGroupNotSupportedInSku",
      `Spot Priority Container Group is not supported in '${sku}' Sku.`,
    );
  }
  if (containers.some((container) => container.properties?.resources?.requests?.gpu)) {
    throw badRequest(
      "SpotPriorityContainerGroupWithGPUResourcesNotSupported",
      "Spot Priority Container Groups that include containers requesting GPU resources are not supported.",
    );
  }
}
