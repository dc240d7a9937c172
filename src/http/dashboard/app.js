// The ops page. Everything that is shown is set as text, never as markup: names and outputs are not to be trusted.
const $ = (id) => document.getElementById(id);
const state = { key: sessionStorage.getItem("key") ?? "", continuation: undefined, job: undefined };

async function call(path, init = {}) {
  const response = await fetch(`./${path}`, { ...init, headers: { "x-functions-key": state.key, ...init.headers } });
  if (response.status === 401) throw new Error("The key is not accepted.");
  return response;
}

async function open() {
  const response = await call("health/details");
  const health = await response.json();
  $("health").textContent = [
    health.status,
    `${health.activeJobs} active`,
    `${health.queueLength} queued messages`,
    `${health.poisonLength} poison`,
    health.paused ? `paused: ${health.paused.reason}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
  document.querySelector("main").hidden = false;
  sessionStorage.setItem("key", state.key);
  await list(true);
}

async function list(fresh) {
  const query = new URLSearchParams([...new FormData($("filters"))].filter(([, value]) => value !== ""));
  query.set("top", "50");
  if (!fresh && state.continuation) query.set("continuation", state.continuation);
  const page = await (await call(`jobs?${query}`)).json();
  if (fresh) $("jobs").replaceChildren();
  for (const job of page.jobs ?? []) $("jobs").append(rowOf(job));
  state.continuation = page.continuation;
  $("more").hidden = !page.continuation;
  $("notice").textContent = page.message ?? (fresh && page.jobs.length === 0 ? "No jobs." : "");
}

function rowOf(job) {
  const row = document.createElement("tr");
  row.tabIndex = 0;
  const seconds = job.durationSeconds === undefined ? "" : Number(job.durationSeconds).toFixed(0);
  const cost = job.costEstimate === undefined ? "" : `${Number(job.costEstimate).toFixed(4)} ${job.currency}`;
  const created = new Date(job.createdAt).toLocaleString();
  for (const text of [created, job.name, job.state, job.reason, job.attempt, job.exitCode ?? "", seconds, cost]) {
    row.insertCell().textContent = String(text);
  }
  row.cells[2].className = /^\w+$/.test(job.state) ? job.state : "";
  row.addEventListener("click", () => guarded(() => show(job.id)));
  row.addEventListener("keydown", (event) => event.key === "Enter" && guarded(() => show(job.id)));
  return row;
}

async function show(id) {
  const [record, log] = await Promise.all([call(`jobs/${id}`), call(`logs/${id}?tail=200`)]);
  const job = await record.json();
  state.job = id;
  $("detail").hidden = false;
  $("detail-title").textContent = job.message;
  $("record").textContent = JSON.stringify(job, null, 2);
  $("log").textContent = await log.text();
}

async function act(path, method) {
  const reply = await (await call(path, { method })).json();
  $("notice").textContent = reply.message;
  await list(true);
}

async function guarded(work) {
  try {
    await work();
  } catch (error) {
    $("notice").textContent = $("health").textContent = error.message;
  }
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  state.key = $("key").value;
  guarded(open);
});
$("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(() => list(true));
});
$("more").addEventListener("click", () => guarded(() => list(false)));
$("cancel").addEventListener("click", () => guarded(() => act(`delete/${state.job}`, "DELETE")));
$("rerun").addEventListener("click", () => guarded(() => act(`jobs/${state.job}/rerun`, "POST")));
if (state.key) guarded(open);
