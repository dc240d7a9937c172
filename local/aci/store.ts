import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startOf } from "./engines/process/pids.ts";

/**
 * The groups on disk, one file each, so that they survive the service. Definitions hold secrets, so a file is sealed (AES-256-GCM) with
 * a key that lies beside them, readable by the owner only: it keeps secrets out of searches and backups of single files, no more.
 */
export class Store {
  readonly #folder: string;
  readonly #key: Buffer;
  readonly #failed: (error: unknown) => void;

  /** Throws an error of code `StateFolderInUse` where another service lives in the folder. */
  constructor(folder: string, failed: (error: unknown) => void) {
    this.#folder = folder;
    this.#failed = failed;
    mkdirSync(join(folder, "records"), { recursive: true, mode: 0o700 });
    takeLock(folder);
    this.#key = readKey(join(folder, "key"));
  }

  /** Every record, by key. One that can't be read (a half-written file, another key) is left out and reported. */
  read(): Map<string, unknown> {
    const records = new Map<string, unknown>();
    for (const key of readdirSync(join(this.#folder, "records"))) {
      if (key.endsWith(".new")) continue;
      try {
        records.set(key, JSON.parse(unseal(this.#key, readFileSync(this.#path(key)))));
      } catch (error) {
        this.#failed(error);
      }
    }
    return records;
  }

  /** Written at once: what a caller has seen, a service that is killed in the next moment must not have forgotten. */
  save(key: string, record: unknown): void {
    const path = this.#path(key);
    try {
      writeFileSync(`${path}.new`, seal(this.#key, JSON.stringify(record)), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (error) {
      this.#failed(error);
    }
  }

  remove(key: string): void {
    rmSync(this.#path(key), { force: true });
  }

  close(): void {
    rmSync(join(this.#folder, "lock"), { force: true });
  }

  #path(key: string): string {
    return join(this.#folder, "records", key);
  }
}

/** Was this folder held by a service that is no more? */
export const isAbandoned = (folder: string): boolean =>
  existsSync(join(folder, "lock")) && holder(folder) === undefined;

/** The living process that holds a folder; a process number used anew holds nothing. */
function holder(folder: string): number | undefined {
  const lock = join(folder, "lock");
  if (!existsSync(lock)) return undefined;
  const [pid = "", started] = readFileSync(lock, "utf8").split("\n");
  const alive = startOf(Number(pid));
  return alive !== undefined && alive === started ? Number(pid) : undefined;
}

/** A folder has one service at a time: a second one would end the first one's containers. */
function takeLock(folder: string): void {
  const other = holder(folder);
  if (other !== undefined && other !== process.pid) {
    const message = `The state folder ${folder} is in use by process ${other}.`;
    throw Object.assign(new Error(message), { code: "StateFolderInUse" });
  }
  writeFileSync(join(folder, "lock"), `${process.pid}\n${startOf(process.pid) ?? ""}`);
}

function readKey(path: string): Buffer {
  if (!existsSync(path)) writeFileSync(path, randomBytes(32), { mode: 0o600 });
  return readFileSync(path);
}

function seal(key: Buffer, text: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function unseal(key: Buffer, sealed: Buffer): string {
  const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  cipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([cipher.update(sealed.subarray(28)), cipher.final()]).toString("utf8");
}
