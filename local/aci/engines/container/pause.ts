import { Readable } from "node:stream";
import { progress } from "./api.ts";
import type { Api } from "./api.ts";

/**
 * The image whose container holds a group's network: it must run as long as the group is there, and nothing may have to be pulled for
 * it. So it is made here: one file, a Linux program that only sleeps.
 */
export const PAUSE_IMAGE = "localhost/aci-local-pause:latest";

const importing = new WeakMap<Api, Promise<void>>();

export function ensurePauseImage(api: Api): Promise<void> {
  const running = importing.get(api) ?? importPause(api);
  importing.set(api, running);
  running.catch(() => importing.delete(api));
  return running;
}

async function importPause(api: Api): Promise<void> {
  try {
    await api.docker.getImage(PAUSE_IMAGE).inspect();
  } catch {
    const [repo = "", tag = ""] = PAUSE_IMAGE.split(":");
    const image = Readable.from([tarOf("pause", program(process.arch))]);
    // The types want a file's name here; the library sends whatever streams.
    const stream = await api.docker.importImage(image, { repo, tag });
    await progress(api, stream);
  }
}

const BASE = 0x400000n;

/** ELF-64: its header, one segment, and code that calls the kernel to sleep for ever (elf(5)). */
function program(architecture: string): Buffer {
  const code = CODE[architecture];
  if (!code) throw new Error(`No pause program for ${architecture}.`);
  const header = Buffer.alloc(120);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(code.machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BASE + 120n, 24); // entry: behind the headers
  header.writeBigUInt64LE(64n, 32); // the program header follows
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // load
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(BASE, 80);
  header.writeBigUInt64LE(BASE, 88);
  const size = BigInt(header.length + code.bytes.length);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size, 104);
  header.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([header, Buffer.from(code.bytes)]);
}

const CODE: Partial<Record<string, { machine: number; bytes: number[] }>> = {
  // mov eax, 34 (pause); syscall; jmp back
  x64: { machine: 62, bytes: [0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7] },
  // mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b back
  arm64: {
    machine: 183,
    bytes: [0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x80, 0xd2, 0x02, 0x00, 0x80, 0xd2, 0x03, 0x00, 0x80, 0xd2].concat([
      0x04, 0x00, 0x80, 0xd2, 0x28, 0x09, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4, 0xf9, 0xff, 0xff, 0x17,
    ]),
  },
};

/** A tar archive of one executable file (ustar). */
function tarOf(name: string, contents: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0" + "0000000\0" + "0000000\0", 100);
  header.write(`${contents.length.toString(8).padStart(11, "0")}\0` + "00000000000\0" + "        " + "0", 124);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (contents.length % 512)) % 512);
  return Buffer.concat([header, contents, padding, Buffer.alloc(1024)]);
}
