import type { Span } from "./versions.ts";

/** What may stand at a place of the definition. */
export type Type =
  | {
      readonly kind: "text";
      readonly secret?: Secret;
      readonly lenient?: boolean;
      readonly choice?: Choice;
      /** A rule judges whether a placeholder or an expression is left in it. */
      readonly name?: true;
    }
  | { readonly kind: "number" | "integer" | "boolean" }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "map"; readonly of: Type; readonly anyCase?: boolean }
  | ObjectType
  | { readonly kind: "any"; readonly secret?: Secret };

/** The service never gives it back. A file of a secret volume is written in base64. */
type Secret = "text" | "file";

/** Words that the service knows, in any letter case. */
interface Choice {
  readonly words: readonly string[];
  /** Others are surely refused (else: warned of). */
  readonly closed: boolean;
}

export interface ObjectType {
  readonly kind: "object";
  /** By {@link foldName} of their names. */
  readonly properties: ReadonlyMap<string, Property>;
}

export interface Property extends Span {
  readonly name: string;
  readonly type: Type;
  /** Set by Azure; what a definition says has no effect. */
  readonly readOnly?: boolean;
}

type Properties = Readonly<Record<string, Type | Omit<Property, "name">>>;

function object(properties: Properties): ObjectType {
  const list = Object.entries(properties).map(([name, given]): [string, Property] => [
    name.toLowerCase(),
    "type" in given ? { name, ...given } : { name, type: given },
  ]);
  return { kind: "object", properties: new Map(list) };
}

const text: Type = { kind: "text" };
const nameText: Type = { kind: "text", name: true };
const secret: Type = { kind: "text", secret: "text" };
const secretFile: Type = { kind: "text", secret: "file" };
const number: Type = { kind: "number" };
const integer: Type = { kind: "integer" };
const boolean: Type = { kind: "boolean" };
const any: Type = { kind: "any" };
const list = (of: Type): Type => ({ kind: "list", of });
const mapOf = (of: Type): Type => ({ kind: "map", of });
/** A mapping whose names Azure compares without regard to case. */
const anyCaseMapOf = (of: Type): Type => ({ kind: "map", of, anyCase: true });
const choice = (...words: readonly string[]): Type => ({ kind: "text", choice: { words, closed: true } });
const openChoice = (...words: readonly string[]): Type => ({ kind: "text", choice: { words, closed: false } });
const since = (version: NonNullable<Span["since"]>, type: Type): Omit<Property, "name"> => ({ type, since: version });
const readOnly = { type: any, readOnly: true } as const;

const resources = object({
  cpu: number,
  memoryInGB: number,
  gpu: since("2018-10-01", object({ count: integer, sku: openChoice("K80", "P100", "V100") })),
});

const probe = object({
  exec: object({ command: list(text) }),
  httpGet: object({
    path: text,
    port: integer,
    scheme: openChoice("http", "https"),
    httpHeaders: since("2020-11-01", list(object({ name: text, value: text }))),
  }),
  initialDelaySeconds: integer,
  periodSeconds: integer,
  failureThreshold: integer,
  successThreshold: integer,
  timeoutSeconds: integer,
});

const environmentVariables = list(
  object({
    name: text,
    value: text,
    secureValue: since("2018-06-01", secret),
    secureValueReference: since("2024-10-01-preview", text),
  }),
);

const volumeMounts = list(object({ name: text, mountPath: text, readOnly: boolean }));

const securityContext = object({
  privileged: boolean,
  allowPrivilegeEscalation: boolean,
  capabilities: object({ add: list(text), drop: list(text) }),
  runAsGroup: integer,
  runAsUser: integer,
  seccompProfile: text,
});

const containers = list(
  object({
    name: nameText,
    properties: object({
      image: nameText,
      command: list(text),
      ports: list(object({ port: integer, protocol: { type: choice("TCP", "UDP"), since: "2017-10-01-preview" } })),
      environmentVariables,
      resources: object({ requests: resources, limits: resources }),
      volumeMounts,
      livenessProbe: since("2018-06-01", probe),
      readinessProbe: since("2018-06-01", probe),
      securityContext: since("2022-10-01-preview", securityContext),
      configMap: {
        type: object({ keyValuePairs: mapOf(text) }),
        since: "2024-05-01-preview",
        notIn: ["2024-09-01-preview", "2024-10-01-preview"],
      },
      instanceView: readOnly,
    }),
  }),
);

const initContainers = list(
  object({
    name: nameText,
    properties: object({
      image: nameText,
      command: list(text),
      environmentVariables,
      volumeMounts,
      securityContext: { type: securityContext, since: "2022-10-01-preview", notIn: ["2023-02-01-preview"] },
      instanceView: readOnly,
    }),
  }),
);

const ipAddress = object({
  type: choice("Public", "Private"),
  ports: list(object({ port: integer, protocol: choice("TCP", "UDP") })),
  ip: text,
  dnsNameLabel: since("2018-02-01-preview", nameText),
  autoGeneratedDomainNameLabelScope: since(
    "2021-10-01",
    openChoice("Unsecure", "TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "Noreuse"),
  ),
  fqdn: readOnly,
});

const volumes = list(
  object({
    name: text,
    azureFile: object({
      shareName: text,
      readOnly: boolean,
      storageAccountName: text,
      storageAccountKey: secret,
      storageAccountKeyReference: since("2024-10-01-preview", text),
      userAssignedIdentityClientId: since("2026-07-01", text),
    }),
    emptyDir: { type: any, since: "2017-10-01-preview" },
    secret: { type: mapOf(secretFile), since: "2017-12-01-preview" },
    secretReference: since("2024-10-01-preview", mapOf(text)),
    gitRepo: since("2017-12-01-preview", object({ repository: text, directory: text, revision: text })),
  }),
);

const imageRegistryCredentials = list(
  object({
    server: { kind: "text", lenient: true },
    username: { kind: "text", lenient: true },
    password: { kind: "text", secret: "text", lenient: true },
    passwordReference: since("2024-10-01-preview", text),
    identity: since("2021-07-01", text),
    identityUrl: since("2021-07-01", text),
  }),
);

const profileSpan = { since: "2024-05-01-preview", notIn: ["2024-09-01-preview", "2024-10-01-preview"] } as const;
const stableSpan = { since: "2022-10-01-preview", notIn: ["2023-02-01-preview"] } as const;
const access = openChoice("All", "System", "User");

/** `properties` of a container group. */
const groupProperties = object({
  containers,
  initContainers: since("2019-12-01", initContainers),
  osType: choice("Linux", "Windows"),
  restartPolicy: choice("Always", "OnFailure", "Never"),
  ipAddress,
  volumes,
  imageRegistryCredentials,
  diagnostics: since(
    "2018-06-01",
    object({
      logAnalytics: object({
        workspaceId: text,
        workspaceKey: secret,
        logType: since("2018-09-01", openChoice("ContainerInsights", "ContainerInstanceLogs")),
        metadata: since("2018-09-01", mapOf(text)),
        workspaceResourceId: since("2020-11-01", any),
      }),
    }),
  ),
  subnetIds: since("2021-07-01", list(object({ id: nameText, name: text }))),
  networkProfile: { type: object({ id: nameText }), since: "2018-09-01", until: "2021-03-01" },
  dnsConfig: since("2018-10-01", object({ nameServers: list(text), searchDomains: text, options: text })),
  sku: since("2019-12-01", choice("Standard", "Dedicated", "Confidential", "NotSpecified")),
  priority: { type: choice("Regular", "Spot"), ...stableSpan },
  encryptionProperties: since(
    "2019-12-01",
    object({ vaultBaseUrl: text, keyName: text, keyVersion: text, identity: since("2022-09-01", text) }),
  ),
  extensions: since(
    "2022-09-01",
    list(
      object({
        name: text,
        properties: object({
          extensionType: text,
          version: text,
          settings: any,
          protectedSettings: { kind: "any", secret: "text" },
        }),
      }),
    ),
  ),
  confidentialComputeProperties: { type: object({ ccePolicy: text }), ...stableSpan },
  containerGroupProfile: { type: object({ id: text, revision: integer }), ...profileSpan },
  standbyPoolProfile: { type: object({ id: text, failContainerGroupCreateOnReuseFailure: boolean }), ...profileSpan },
  secretReferences: since("2024-10-01-preview", list(object({ name: text, identity: text, secretReferenceUri: text }))),
  identityAcls: since(
    "2024-11-01-preview",
    object({ defaultAccess: access, acls: list(object({ access, identity: text })) }),
  ),
  provisioningTimeoutInSeconds: { type: integer, since: "2023-02-01-preview", until: "2023-02-01-preview" },
  isCustomProvisioningTimeout: readOnly,
  isCreatedFromStandbyPool: readOnly,
  provisioningState: readOnly,
  instanceView: readOnly,
});

/**
 * A container group as its PUT takes it: property names, types, which of them are secrets, and the api versions that have them.
 * Source: the published types of every version (see {@link apiVersions}); at the top what Azure Resource Manager allows every
 * resource. Numbers of cpu and memory are fractions, though the types say int.
 */
export const containerGroup = object({
  name: nameText,
  type: text,
  apiVersion: text,
  location: nameText,
  tags: anyCaseMapOf(text),
  identity: since(
    "2018-10-01",
    object({
      type: choice("SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None"),
      userAssignedIdentities: anyCaseMapOf(object({ principalId: readOnly, clientId: readOnly })),
      principalId: readOnly,
      tenantId: readOnly,
    }),
  ),
  zones: since("2021-09-01", list(nameText)),
  sku: any,
  plan: any,
  kind: text,
  managedBy: text,
  extendedLocation: any,
  properties: groupProperties,
  id: readOnly,
  etag: readOnly,
  systemData: readOnly,
});

/** Options that are text, so that what is written arrives as it is written; all others are read by the core schema. */
export const optionsBlock = object({ source: text, main: text, group: text, team: text });
/** The same for labels, which may be a mapping, a list, or one text. */
export const tagsOption = { map: mapOf(text), list: list(text), scalar: text } as const;
