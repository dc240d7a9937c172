/** What a receiver of OTLP over HTTP gets, as JSON: as much of it as tests read. */
import { z } from "zod";

export const attribute = z.object({
  key: z.string(),
  value: z.union([
    z.object({ stringValue: z.string() }).transform(({ stringValue }): string | number => stringValue),
    z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
    z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
  ]),
});
const points = z.object({
  dataPoints: z.array(
    z.looseObject({
      attributes: z.array(attribute),
      timeUnixNano: z.coerce.number(),
      asInt: z.coerce.number().optional(),
      asDouble: z.number().optional(),
    }),
  ),
});
const metric = z.object({
  name: z.string(),
  sum: points.optional(),
  gauge: points.optional(),
  histogram: points.optional(),
});
export const metrics = z.object({
  resourceMetrics: z.array(z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(metric) })) })),
});
