import type { Cursor } from "../cursor.ts";
import { isPlaceholder, vaultReferencesIn } from "../placeholders.ts";
import type { Findings } from "../text/positions.ts";
import { repeated, warnOfEdges, type Judge } from "./judge.ts";

const kinds = ["azureFile", "emptyDir", "secret", "secretReference", "gitRepo"];

/**
 * Judges volumes and what mounts them. Sources: azure-docs "Troubleshoot common issues in Azure Container Instances" (names),
 * "Mount a secret volume", and the published types (what is required, `:` in mountPath).
 */
export function judgeVolumes(judge: Judge): void {
  const { findings, group } = judge;
  const volumes = group.get("volumes").records;
  if (volumes.length > 20) findings.fault(group.get("volumes"), "A group may have at most 20 volumes.");
  for (const volume of volumes) {
    judgeVolumeName(volume.get("name"), findings);
    judgeKind(volume, findings);
  }
  repeated(
    volumes.map((volume) => volume.get("name")),
    ({ text }) => text,
    (name) => findings.fault(name, "Two volumes have this name; each needs its own."),
  );
  const names = new Set(volumes.map((volume) => volume.get("name").text));
  for (const container of [...judge.initContainers, ...judge.containers]) {
    judgeMounts(container.get("properties").get("volumeMounts"), names, judge);
  }
}

function judgeVolumeName(name: Cursor, findings: Findings): void {
  const { text } = name;
  if (text === undefined) {
    if (name.empty) findings.fault(name, "name is missing: each volume needs a name.");
  } else if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    findings.fault(
      name,
      "A volume's name must be 5 to 63 lower-case letters, digits and dashes, with no dash first or last.",
    );
  } else if (text.length < 5 || text.includes("--")) {
    findings.warn(
      name,
      "A volume's name should have at least 5 characters and no two dashes in a row; it may be refused.",
    );
  }
}

function judgeKind(volume: Cursor, findings: Findings): void {
  const given = kinds.filter((kind) => volume.get(kind).present);
  if (given.length > 1) findings.fault(volume, `A volume is one of ${kinds.join(", ")}; split this one.`);
  if (given.length === 0) {
    const empty = volume.get("emptyDir").value === null ? " (an empty directory is written emptyDir: {})" : "";
    findings.fault(volume, `The volume does not say what it is: give it one of ${kinds.join(", ")}${empty}.`);
  }
  const share = volume.get("azureFile");
  if (share.present) judgeShare(share, findings);
  const repository = volume.get("gitRepo").get("repository");
  if (volume.get("gitRepo").present && !repository.present)
    findings.fault(repository, "repository is missing in gitRepo.");
  for (const [, file] of volume.get("secret").members) {
    const { text } = file;
    if (text === undefined || vaultReferencesIn(text).length > 0) continue;
    if (isPlaceholder(text)) findings.warn(file, "A template placeholder is left as the file's content.");
    else if (!isBase64(text))
      findings.warn(file, "A secret volume's files are given in base64; this one is likely to be refused.");
  }
}

function isBase64(text: string): boolean {
  const packed = text.replace(/\s+/g, "");
  return packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
}

/** Sources: rest/api/storageservices "Naming and referencing shares", "Storage account overview". */
const shareNames = {
  shareName: {
    form: /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    words: "3 to 63 lower-case letters, digits and single dashes",
  },
  storageAccountName: {
    form: /^[a-z0-9]{3,24}$/,
    words: "3 to 24 lower-case letters and digits, without a host's ending",
  },
} as const;

function judgeShare(share: Cursor, findings: Findings): void {
  for (const name of ["shareName", "storageAccountName"] as const) {
    const given = share.get(name);
    if (given.empty) findings.fault(given, `${name} is missing in azureFile.`);
    else if (isPlaceholder(given.text ?? "")) findings.warn(given, `A template placeholder is left in ${name}.`);
    else if (
      given.text !== undefined &&
      vaultReferencesIn(given.text).length === 0 &&
      !shareNames[name].form.test(given.text)
    )
      findings.warn(given, `${name} is ${shareNames[name].words}; the volume is likely not to be mounted.`);
  }
  const key = share.get("storageAccountKey");
  const keys = [key, share.get("storageAccountKeyReference"), share.get("userAssignedIdentityClientId")];
  if (!keys.some(({ present }) => present))
    findings.warn(key, "storageAccountKey is missing in azureFile; the volume can't be mounted without it.");
  if (isPlaceholder(key.text ?? "")) findings.warn(key, "A template placeholder is left in storageAccountKey.");
  warnOfEdges(key, "storageAccountKey", findings);
}

function judgeMounts(
  mounts: Cursor,
  names: ReadonlySet<string | undefined>,
  { findings, group, fromProfile }: Judge,
): void {
  const windows = group.get("osType").word === "windows";
  for (const mount of mounts.records) {
    const name = mount.get("name");
    if (name.empty) findings.fault(name, "name is missing: a mount names one of the group's volumes.");
    else if (name.text !== undefined && !names.has(name.text) && !fromProfile) {
      findings.fault(name, "No volume of the group has this name; add it to volumes, under the group's properties.");
    }
    const path = mount.get("mountPath");
    if (path.empty) findings.fault(path, "mountPath is missing: say where the volume appears in the container.");
    else if (!windows && path.text?.includes(":") === true) findings.fault(path, "mountPath can't have a ':'.");
    else if (!windows && path.text !== undefined && !/^\/./.test(path.text))
      findings.warn(path, "mountPath should be an absolute path below '/'; it is likely to be refused.");
  }
  repeated(
    mounts.records.map((mount) => mount.get("mountPath")),
    ({ text }) => text,
    (path) => findings.warn(path, "Two volumes are mounted at this path; it is likely to be refused."),
  );
}
