import { templateListParameters, templateParameters } from "../operate/templates.ts";
import { answer, problem, unknown, slow, get, post, type Call } from "./call.ts";

const ifMatch = {
  "If-Match": { schema: { type: "string" }, text: "The ETag of the version that is to be the newest still, or `*`." },
  "If-None-Match": { schema: { type: "string", enum: ["*"] }, text: "There is to be no such template." },
};
const changed = { "412": problem("Somebody has changed it since.") };

/** Stored definitions with parameters. */
export const templateCalls = (): readonly Call[] => [
  get("/api/templates", "templates", "The templates, by name.", templateListParameters, {
    "200": answer("A page; there are more when it has a continuation.", "TemplatePage"),
  }),
  get("/api/templates/{name}", "template", "A template: its text and its parameters.", templateParameters, {
    "200": { ...answer("It.", "Template"), headers: ["ETag"] },
    ...unknown,
  }),
  {
    ...post("/api/templates/{name}", "templatePut", "Store a new version of a template.", undefined, {
      "200": { ...answer("Stored.", "TemplateStored"), headers: ["ETag"] },
      ...slow,
      ...changed,
      "413": problem("It is too large."),
    }),
    method: "put",
    headers: ifMatch,
    body: "template",
  },
  {
    ...get(
      "/api/templates/{name}",
      "templateDelete",
      "Delete a template with all its versions.",
      {},
      {
        "200": answer("Deleted, now or before.", "TemplateDeleted"),
        ...changed,
        ...unknown,
      },
    ),
    method: "delete",
    headers: { "If-Match": ifMatch["If-Match"] },
  },
];
