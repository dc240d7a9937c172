/** Definitions whose containers follow a script: the `simulated` engine reads it from their variables. */
export interface Simulated {
  /** Until it runs. */
  readonly startSeconds?: number;
  readonly seconds?: number;
  readonly exitCode?: number;
  readonly output?: string;
}

/**
 * @param more beside its containers, under `properties`
 * @param top beside its name
 */
export function definition(
  name: string,
  containers: Readonly<Record<string, Simulated>> = { app: {} },
  more: object = {},
  top: object = {},
): string {
  return JSON.stringify({
    name,
    location: "westeurope",
    apiVersion: "2023-05-01",
    ...top,
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: Object.entries(containers).map(([container, does]) => ({
        name: container,
        properties: {
          image: "demo.azurecr.io/sample:1",
          resources: { requests: { cpu: 1, memoryInGB: 1 } },
          environmentVariables: [
            { name: "SIM_START_SECONDS", value: String(does.startSeconds ?? 0) },
            { name: "SIM_RUN_SECONDS", value: String(does.seconds ?? 0) },
            { name: "SIM_EXIT_CODE", value: String(does.exitCode ?? 0) },
            { name: "SIM_OUTPUT", value: does.output ?? "done\n" },
          ],
        },
      })),
      ...more,
    },
  });
}
