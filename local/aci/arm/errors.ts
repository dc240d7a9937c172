/**
 * What goes wrong, in ARM's words: an HTTP status and `{error: {code, message}}`.
 *
 * Sources: the Azure Resource Manager page on common deployment errors, and the troubleshooting pages of Azure Container
 * Instances, for the codes named there.
 */
export interface ArmErrorBody {
  readonly code: string;
  readonly message: string;
  readonly target?: string;
  readonly details?: readonly ArmErrorBody[];
}

export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds, sent as `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  body(): { error: ArmErrorBody } {
    return { error: { code: this.code, message: this.message } };
  }
}

export const badRequest = (code: string, message: string): ArmError => new ArmError(400, code, message);

export const invalidContent = (detail: string): ArmError =>
  badRequest("InvalidRequestContent", `The request content was invalid and could not be deserialized: '${detail}'.`);

export const groupNotFound = (resourceGroup: string, name: string): ArmError =>
  new ArmError(
    404,
    "ResourceNotFound",
    `The Resource 'Microsoft.ContainerInstance/containerGroups/${name}' under resource group '${resourceGroup}' was not found. ` +
      "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
  );

export const transitioning = (name: string, retryAfter?: number): ArmError =>
  new ArmError(
    409,
    "ContainerGroupTransitioning",
    `The container group '${name}' is still transitioning, please retry later.`,
    retryAfter,
  );

export const inaccessibleImage = (image: string, group: string): ArmError =>
  badRequest(
    "InaccessibleImage",
    `The image '${image}' in container group '${group}' is not accessible. Please check the image and registry credential.`,
  );

export const registryError = (server: string): ArmError =>
  new ArmError(
    409,
    "RegistryErrorResponse",
    `An error response is received from the docker registry '${server}'. Please retry later.`,
  );

export const notImplemented = (what: string): ArmError =>
  new ArmError(501, "NotImplemented", `The local Azure Container Instances does not emulate ${what}.`);

export const invalidUpdate = (name: string): ArmError =>
  badRequest(
    "InvalidContainerGroupUpdate",
    `The updates on container group '${name}' are invalid. If you are going to update the os type, restart policy, network profile, ` +
      "CPU, memory or GPU resources for a container group, you must delete it first and then create a new one.",
  );

export const otherLocation = (id: { name: string; resourceGroup: string }, present: string, wanted: string): ArmError =>
  new ArmError(
    409,
    "InvalidResourceLocation",
    `The resource '${id.name}' already exists in location '${present}' in resource group '${id.resourceGroup}'. ` +
      `A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`,
  );

export const containerNotFound = (container: string, group: string): ArmError =>
  new ArmError(404, "ContainerNotFound", `The container '${container}' was not found in container group '${group}'.`);

export const logNotAvailable = (container: string, group: string): ArmError =>
  new ArmError(
    404,
    "ContainerLogNotAvailable",
    `Log of container '${container}' in container group '${group}' is not available yet. ` +
      "Please check container 'InstanceView' for more information or retry later.",
  );

export const PROVISIONING_FAILED: ArmErrorBody = {
  code: "ContainerGroupProvisioningFailed",
  message: "The container group's containers could not be started. See the instance view of each container.",
};

export const INTERNAL: ArmErrorBody = {
  code: "InternalServerError",
  message: "Encountered an internal server error.",
};

export const PREEMPTED: ArmErrorBody = {
  code: "OperationPreempted",
  message: "The operation was preempted by the deletion of its group.",
};
