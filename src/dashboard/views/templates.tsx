import { listTemplates } from "../api.ts";
import { ago, utcTime } from "../logic/format.ts";
import { listAddress, templateAddress } from "../logic/route.ts";
import { Answered } from "../parts/answers.tsx";
import { Freshness, Trouble } from "../parts/basics.tsx";
import { useNow, usePolled } from "../polled.ts";
import { may } from "../session.ts";
import { StoreForm } from "./store-form.tsx";

/** The templates, by name. */
export function Templates({ after }: { readonly after: string | undefined }) {
  const polled = usePolled(`templates ${after ?? ""}`, (signal) => listTemplates(after, signal), 60_000);
  const now = useNow(30_000);
  const { templates = [], continuation } = polled.value ?? {};
  return (
    <>
      <div class="view-head">
        <h1>Templates</h1>
        <Freshness polled={polled} every="every minute" />
      </div>
      <Trouble polled={polled} />
      <Answered about="templates" />
      {polled.value && templates.length === 0 && <p class="notice">There are no templates.</p>}
      {templates.length > 0 && (
        <ul class="list card" aria-label="Templates">
          {templates.map(({ name, version, createdAt, createdBy, parameterNames }) => (
            <li key={name}>
              <a href={templateAddress(name)} class="row-link">
                <span class="row-top">
                  <strong>{name}</strong>
                  <span class="tag">version {version}</span>
                  <time class="muted push" dateTime={createdAt} title={utcTime(createdAt)}>
                    {ago(Date.parse(createdAt), now)}
                  </time>
                </span>
                <span class="clip muted">
                  {parameterNames.length === 0 ? "No parameters" : parameterNames.join(", ")}
                  {createdBy !== undefined && ` · stored by ${createdBy}`}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {may("operate") && <StoreForm summary="Store a new template" text="" newest={0} />}
      {continuation !== undefined && (
        <p>
          <a href={listAddress("templates", continuation)}>The templates after {continuation}</a>
        </p>
      )}
    </>
  );
}
