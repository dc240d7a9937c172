// Imported before a process's own program: its time runs faster, so that minutes of waiting pass in seconds and every relation between
// two times stays what it is. `?factor=20&epoch=MS`: both processes of one test get the same; `&ahead=MS`: this one's clock is ahead.
const parameters = new URL(import.meta.url).searchParams;
const factor = Number(parameters.get("factor"));
const epoch = Number(parameters.get("epoch"));
const ahead = Number(parameters.get("ahead") ?? 0);

const RealDate = Date;
const now = () => Math.floor(epoch + ahead + (RealDate.now() - epoch) * factor);
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
});

for (const name of ["setTimeout", "setInterval"]) {
  const real = globalThis[name];
  const fast = (call, milliseconds = 0, ...given) => real(call, milliseconds / factor, ...given);
  globalThis[name] = Object.assign(fast, real);
}
