import { writeFileSync } from "node:fs";
import { generatedClients } from "./generated-clients.ts";
import { generatedDocs } from "./generated-docs.ts";

/** `npm run docs`: writes the pages of docs/ that are made from the code's tables, and what the clients take from the API's description. */
for (const [name, text] of generatedDocs()) writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
for (const [path, text] of await generatedClients()) writeFileSync(new URL(`../${path}`, import.meta.url), text);
