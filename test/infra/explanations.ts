import type { Disagreement } from "./agreement.ts";

/** Disagreements that are as they should be, and why. The test fails for one that no longer occurs. */
export interface Explanation {
  readonly by: Disagreement["by"];
  /** Of `PATH: MESSAGE`. */
  readonly says: RegExp;
  readonly why: string;
}

const versionWithoutTypes = (version: string, why: string): Explanation => ({
  by: "compiler",
  says: new RegExp(`^apiVersion: BCP081 .*@${version}" does not have types`),
  why,
});

const noType = "no type can say it";

export const explanations: readonly Explanation[] = [
  {
    by: "compiler",
    says: /: BCP089 The property "(\w+)" .* Did you mean "\1"/i,
    why: "letter case: Azure compares names without regard to it, Bicep does not",
  },
  {
    by: "compiler",
    says: /\.(?:port|cpu): BCP036 .* type "int" but the provided value is of type "'[\d.]+'"/,
    why: "the service reads a number in quotes",
  },
  {
    by: "compiler",
    says: /^(?:sku|plan|kind|managedBy|extendedLocation)(?:\.type)?: BCP(?:187|035)/,
    why: "Azure Resource Manager has it for resources of every type, whatever the published types of this one say",
  },
  {
    by: "compiler",
    says: /\.workspaceResourceId: BCP036 .* but the provided value is of type "object"/,
    why: "published as an object until 2021-03-01, as text since: the validator takes both",
  },
  versionWithoutTypes("2018-07-01", "never specified, but the provider lists it and it is in use"),
  versionWithoutTypes("2022-04-01-preview", "never specified, but in use"),
  versionWithoutTypes("2026-09-01-preview", "newer than the types that this Bicep has"),

  { by: "validator", says: /^: This is an ARM deployment template/, why: "it holds a resource, and isn't one" },
  {
    by: "validator",
    says: /^: (?:The indentation does not fit|A tab indents|A value that begins with '@'|The text holds more than one)/,
    why: "the text is no YAML, or more than one document: there is nothing to compile",
  },
  {
    by: "validator",
    says: /^: This line must be indented more|: Written twice in one mapping|: port is read by YAML 1\.2/,
    why: "how the text is written, which is gone when it is compiled",
  },
  {
    by: "validator",
    says: /^type: type must be Microsoft\.ContainerInstance/,
    why: "it becomes the URL, and in Bicep the resource's own type",
  },
  {
    by: "validator",
    says: /template placeholder|location is a placeholder|A Data Factory expression is left/,
    why: `${noType}: to the compiler it is text like any other`,
  },
  {
    by: "validator",
    says: /\.(?:osType|restartPolicy|protocol|type|logType|scheme|sku): \w+ must be [A-Z]\w+(?: or \w+)+\.$/i,
    why: "the published types name these words, and take any text",
  },
  {
    by: "validator",
    says: /^name: name must be 1 to 63|dnsNameLabel (?:must be|should have) |A volume's name should have at least 5|(?:shareName|storageAccountName) is 3 to/,
    why: `${noType}: which letters a name may have, and how many`,
  },
  {
    by: "validator",
    says: /The variable has no value; write|The credential has neither password nor identity|storageAccountKey is missing in azureFile/,
    why: "published as optional, since several properties can give it; here no other property does",
  },
  {
    by: "validator",
    says: /A volume is one of azureFile|A probe needs one of exec and httpGet|The variable has more than one value/,
    why: `${noType}: one of several properties`,
  },
  {
    by: "validator",
    says: /No volume of the group has this name|No container of the group lists this port|each port can be listened on once/,
    why: `${noType}: what two places of a definition have to do with each other`,
  },
  {
    by: "validator",
    says: /ipAddress\.type: A (?:group in a subnet can't have a Public|Private) ipAddress/,
    why: `${noType}: an address that goes with the network`,
  },
  {
    by: "validator",
    says: /mountPath should be an absolute path|The whole first item is taken as the program's name/,
    why: `${noType}: a text that reads as a path, or as a command of several words`,
  },
  {
    by: "validator",
    says: /GPUs in ACI were retired|Network profiles are retired|More than 4 CPUs or 16 GB need a quota|A group needs at least 1 CPU|Azure keeps this port for itself/,
    why: `${noType}: what the service still offers, and how much of it`,
  },
];
