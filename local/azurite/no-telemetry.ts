/** Stands for the package `applicationinsights` in the built Azurite, which loads it for a telemetry that is never started here. */
export {};
