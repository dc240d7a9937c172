import { render } from "preact";
import { App } from "./app.tsx";
import { resume } from "./session.ts";

void resume();
const place = document.getElementById("app");
if (place) render(<App />, place);
