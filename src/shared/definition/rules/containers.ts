import type { Cursor } from "../cursor.ts";
import { isPlaceholder, vaultReferencesIn } from "../placeholders.ts";
import { speaksOfSecret } from "../leaves.ts";
import type { Findings } from "../text/positions.ts";
import { judgeLeftover, repeated, type Judge } from "./judge.ts";

/**
 * Judges each container and init container. Sources: azure-docs "Troubleshoot common issues in Azure Container Instances" (names),
 * the published types (what is required), and the service's own refusal InvalidContainerEnvironmentVariable.
 */
export function judgeContainers(judge: Judge): void {
  const { findings, containers, initContainers } = judge;
  for (const container of [...initContainers, ...containers]) {
    judgeContainerName(container.get("name"), findings);
    const properties = container.get("properties");
    if (!properties.present)
      findings.fault(properties, "properties is missing: it holds the container's image and the rest.");
    else judgeImage(properties.get("image"), judge);
    judgeCommand(properties.get("command"), findings);
    judgeEnvironment(properties.get("environmentVariables"), judge);
  }
  repeated(
    [...initContainers, ...containers].map((container) => container.get("name")),
    ({ text }) => text,
    (name) => findings.fault(name, "Two containers of the group have this name; each needs its own."),
  );
  for (const container of containers) {
    const properties = container.get("properties");
    judgeProbe(properties.get("livenessProbe"), findings);
    judgeProbe(properties.get("readinessProbe"), findings);
  }
}

function judgeContainerName(name: Cursor, findings: Findings): void {
  const { text } = name;
  if (text === undefined) {
    if (name.empty) findings.fault(name, "name is missing: each container needs a name.");
    return;
  }
  if (judgeLeftover(name, "the container's name", "put a name there", findings)) return;
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    findings.fault(
      name,
      "A container's name must be 1 to 63 lower-case letters, digits and dashes, with no dash first or last.",
    );
  }
}

function judgeImage(image: Cursor, { findings, fromProfile }: Judge): void {
  const { text } = image;
  if (text === undefined) {
    if (!fromProfile && image.empty) findings.fault(image, "image is missing: name the image to run.");
    return;
  }
  if (vaultReferencesIn(text).length > 0) return;
  if (judgeLeftover(image, "image", "put the image's full name there", findings)) return;
  if (!/^[A-Za-z0-9][\w.\-/:@+]{0,999}$/.test(text) || text.includes("//")) {
    findings.fault(
      image,
      "image is no image reference, which is like REGISTRY/NAME:TAG, without blanks and without https://.",
    );
  } else if (text.includes("@") && !digest.test(text)) {
    findings.fault(
      image,
      "image must hold no user and password, and '@' only in front of a digest; credentials belong in imageRegistryCredentials.",
    );
  } else if (/[A-Z]/.test(repositoryOf(text))) {
    findings.warn(image, "A registry takes only lower-case letters in an image's name; it is likely to be refused.");
  }
}

/**
 * A reference by digest (OCI image specification, "Digests"; distribution/reference, "Grammar"): anything else behind an `@` is a host,
 * and before it a password.
 */
const digest =
  /^[^@]+@(?:sha256:[0-9a-fA-F]{64}|(?!sha256:)[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*){0,5}:[0-9a-fA-F]{32,256})$/;

/** The path of an image reference, without a registry's host, tag and digest. */
function repositoryOf(image: string): string {
  const [first = "", ...rest] = (image.split("@")[0] ?? "").split("/");
  const path = rest.length > 0 && /[.:]/.test(first) ? rest.join("/") : [first, ...rest].join("/");
  return path.split(":")[0] ?? "";
}

/** A command is started as it is, without a shell (azure-docs "Set the command line in a container instance"). */
function judgeCommand(command: Cursor, findings: Findings): void {
  const [program, ...more] = command.items;
  const text = program?.text?.trim() ?? "";
  if (program && /\s/.test(text) && !/^[A-Za-z]:\\[^"]{0,300}\.(?:exe|cmd|bat)$/i.test(text)) {
    const advice =
      more.length > 0 ? "give each argument an item of its own" : "split it, or run it by a shell: [sh, -c, ...]";
    findings.warn(program, `The whole first item is taken as the program's name, blanks and all; ${advice}.`);
  }
  for (const item of command.items) {
    if (item.text?.includes("\0") === true) findings.fault(item, "A command can't have a NUL character.");
  }
}

function judgeEnvironment(variables: Cursor, { findings, group }: Judge): void {
  const references = group.get("secretReferences").items.map((reference) => reference.get("name").text);
  for (const variable of variables.records) {
    const name = variable.get("name");
    if (name.empty) findings.fault(name, "name is missing: each environment variable needs a name.");
    else if (name.text !== undefined && !/^[A-Za-z_]\w*$/.test(name.text)) {
      findings.fault(name, "A variable's name must begin with a letter or '_' and have only letters, digits and '_'.");
    } else if (name.text !== undefined && (name.text.length > 63 || /^_|_$/.test(name.text))) {
      findings.warn(
        name,
        "A variable's name should have at most 63 characters and no '_' first or last; it may be refused.",
      );
    }
    judgeValue(variable, findings);
    const reference = variable.get("secureValueReference").text;
    if (reference !== undefined && !references.includes(reference)) {
      findings.warn(
        variable.get("secureValueReference"),
        "secureValueReference is not the name of an entry in secretReferences; the service is likely to refuse it.",
      );
    }
  }
  repeated(
    variables.records.map((variable) => variable.get("name")),
    ({ text }) => text,
    (name) => findings.warn(name, "This variable is given twice to one container; keep one."),
  );
}

function judgeValue(variable: Cursor, findings: Findings): void {
  const given = ["value", "secureValue", "secureValueReference"]
    .map((name) => variable.get(name))
    .filter(({ present }) => present);
  if (given.length === 0)
    findings.warn(variable, 'The variable has no value; write value: "" if it is meant to be empty.');
  if (given[1])
    findings.warn(
      given[1],
      "The variable has more than one value; keep one of value, secureValue and secureValueReference.",
    );
  for (const value of given) {
    if (value.text !== undefined && isPlaceholder(value.text))
      findings.warn(value, "A template placeholder is left as the variable's value.");
    else if (value.text !== undefined && value.text.length <= 10_000 && /\{\{[^{}]*\}\}/.test(value.text))
      findings.warn(value, "A template placeholder, {{ ... }}, is left in the variable's value.");
    if (value.text?.includes("\0") === true) findings.fault(value, "A variable's value can't have a NUL character.");
    warnOfLineBreak(variable.get("name"), value, findings);
  }
}

/** A secret of one line that ends with a line break came from a file, and is refused where it is used: `password\r`. */
function warnOfLineBreak(name: Cursor, value: Cursor, findings: Findings): void {
  const isSecret = value.path.endsWith(".secureValue") || speaksOfSecret(name.text ?? "");
  if (isSecret && /^[^\r\n]+[\r\n]+$/.test(value.text ?? ""))
    findings.warn(
      value,
      "The value ends with a line break, which becomes a part of it; remove that if it is a password or key.",
    );
}

function judgeProbe(probe: Cursor, findings: Findings): void {
  if (!probe.present) return;
  const exec = probe.get("exec");
  const httpGet = probe.get("httpGet");
  if (exec.present === httpGet.present) findings.fault(probe, "A probe needs one of exec and httpGet, and only one.");
  judgeCommand(exec.get("command"), findings);
  if (exec.present && exec.get("command").empty)
    findings.fault(exec.get("command"), "command is missing or empty: a probe's exec needs a command.");
  if (httpGet.present) judgePort(httpGet.get("port"), findings);
  for (const name of [
    "initialDelaySeconds",
    "periodSeconds",
    "failureThreshold",
    "successThreshold",
    "timeoutSeconds",
  ]) {
    const count = probe.get(name);
    if ((count.number ?? 0) < 0) findings.fault(count, `${name} can't be negative.`);
  }
}

/** The port's number, when it is one. */
export function judgePort(port: Cursor, findings: Findings): number | undefined {
  const { number } = port;
  if (!port.present) findings.fault(port, "port is missing.");
  else if (number !== undefined && (number < 1 || number > 65535))
    findings.fault(port, "port must be from 1 to 65535.");
  else return number;
  return undefined;
}
