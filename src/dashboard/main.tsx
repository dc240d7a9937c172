import { render } from "preact";
import { App } from "./app.tsx";
import { keptKey, signIn } from "./session.ts";

const key = keptKey();
if (key !== undefined) void signIn(key);
const place = document.getElementById("app");
if (place) render(<App />, place);
