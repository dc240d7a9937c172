import { writeFileSync } from "node:fs";
import { generatedDocs } from "./generated-docs.ts";

/** `npm run docs`: writes the pages of docs/ that are made from the code's tables. */
for (const [name, text] of generatedDocs()) writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
