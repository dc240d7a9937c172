type Known = readonly [status: number, message: string];

/** Refusals of a PUT that were met in public, by Azure's code. `*(guessed)*`: the text, where only the code was found. */
export const KNOWN_CODES: Partial<Record<string, Known>> = {
  ContainerGroupQuotaReached: [
    409,
    "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'StandardCores' exceeded in region 'westeurope'. Limit: '10', Usage: '10' Requested: '1'.",
  ],
  DnsNameLabelNotAvailable: [
    400,
    "The DNS name label 'x' in container group 'x' is not available in region 'westeurope'.",
  ],
  InaccessibleImage: [
    400,
    "The image 'x' in container group 'x' is not accessible. Please check the image and registry credential.",
  ],
  InvalidResourceLocation: [
    409,
    "The resource 'x' already exists in location 'westeurope' in resource group 'x'. A resource with the same name cannot be created in location 'northeurope'. Please select a new resource name.",
  ],
  LinkedAuthorizationFailed: [
    403,
    "The client has permission to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on scope 'x', however the linked subscription was not found or access was denied.",
  ],
  MissingSubscriptionRegistration: [
    409,
    "The subscription is not registered to use namespace 'Microsoft.ContainerInstance'. See https://aka.ms/rps-not-found for how to register subscriptions.",
  ],
  ReadOnlyDisabledSubscription: [
    409,
    "The subscription is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.",
  ],
  RegistryErrorResponse: [
    409,
    "An error response is received from the docker registry 'index.docker.io'. Please retry later.",
  ],
  RequestDisallowedByPolicy: [403, "Resource 'x' was disallowed by policy. Policy identifiers: '[]'."],
  ResourceGroupNotFound: [404, "Resource group 'x' could not be found."],
  ResourceLimitsLessThanRequests: [400, "The limits of container 'x' are less than its requests. (guessed)"],
  ResourceNotFound: [
    404,
    "The Resource was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
  ],
  ResourceTypeNotSupportMultiZones: [400, "The resource type does not support multiple zones. (guessed)"],
  ScopeLocked: [
    409,
    "The scope cannot perform write operation because following scope(s) are locked. Please remove the lock and try again.",
  ],
  ServiceAssociationLinkNotReady: [409, "The service association link of the subnet is not ready. (guessed)"],
  SubnetIsFull: [400, "Subnet is full: it has not enough addresses for the requested resources. (guessed)"],
  SubscriptionNotFound: [404, "The subscription could not be found."],
  SubscriptionNotRegistered: [
    409,
    "The subscription is not registered with the resource provider 'Microsoft.ContainerInstance'. (guessed)",
  ],
};

/** Code and text of a status that has no code of its own. */
export const DEFAULT_ANSWERS: Partial<Record<number, readonly [code: string, message: string]>> = {
  409: ["Conflict", "The request conflicts with the present state of the resource."],
  429: ["TooManyRequests", "The request is being throttled. Please retry later."],
  500: ["InternalServerError", "Encountered an internal server error."],
  502: [
    "BadGateway",
    "The gateway did not receive a response from 'Microsoft.ContainerInstance' within the specified time period.",
  ],
  503: ["ServiceUnavailable", "The service is temporarily unavailable. Please retry later."],
  504: [
    "GatewayTimeout",
    "The gateway did not receive a response from 'Microsoft.ContainerInstance' within the specified time period.",
  ],
};
