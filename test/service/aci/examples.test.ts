import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../local/aci/clock.ts";
import { propertiesOf, serve, wire } from "./kit.ts";

/** The request bodies of the public REST specification's examples. `CORPUS_DIR` or ../shared/corpus has them; they are not ours to copy. */
const CORPUS = process.env["CORPUS_DIR"] ?? join(import.meta.dirname, "../../../../shared/corpus");

/** What each says of itself: refused, or accepted. */
const REFUSED: Record<string, string> = {
  // Members of `properties` stand beside it.
  "027-restspec-2017-10-01-preview-misnested.json": "InvalidRequestContent",
  // A public address in a network, and a template's expression for its id.
  "028-restspec-2025-09-01-full.json": "LinkedInvalidPropertyId",
};

describe.runIf(existsSync(CORPUS))("the specification's examples", () => {
  const files = existsSync(CORPUS) ? readdirSync(CORPUS).filter((name) => name.includes("restspec")) : [];

  it.each(files)("%s is answered as the service would", async (file) => {
    const clock = virtualClock(0);
    const { url } = await serve({ engine: "simulated", clock });
    const version = /restspec-(\d{4}-\d{2}-\d{2}(-preview)?)/.exec(file)?.[1] ?? "";
    const path = `containerGroups/mycontainers?api-version=${version}`;
    const reply = await wire(url, "PUT", path, readFileSync(join(CORPUS, file), "utf8"));
    const refused = REFUSED[file];
    if (refused === undefined) {
      expect(reply).toMatchObject({ status: 201, body: { properties: { provisioningState: "Pending" } } });
      clock.advance(1000);
      const settled = await wire(url, "GET", path);
      expect(propertiesOf(settled)).toMatchObject({
        provisioningState: "Succeeded",
        instanceView: { state: "Running" },
      });
    } else expect(reply).toMatchObject({ status: 400, body: { error: { code: refused } } });
  });
});

if (!existsSync(CORPUS)) it.skip(`the specification's examples: skipped, because ${CORPUS} is not there`);
