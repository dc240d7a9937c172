import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { expect, it } from "vitest";
import { operationIn } from "../../../src/shared/aci/headers.ts";

const endpoint = "https://management.azure.com";
const path = "/subscriptions/s/providers/Microsoft.ContainerInstance/locations/westeurope/operations/1";
const read = (header: string | undefined): string | undefined => {
  const headers = createHttpHeaders(header === undefined ? {} : { "azure-asyncoperation": header });
  return operationIn({ headers, status: 201, request: createPipelineRequest({ url: endpoint }) }, endpoint);
};

it("an accepted create's operation is asked at our own ARM alone", () => {
  expect(read(`${endpoint}${path}?api-version=2018-06-01&t=1`)).toBe(`${path}?api-version=2018-06-01&t=1`);
  const others = [
    `https://elsewhere.example${path}`,
    `http://management.azure.com${path}`,
    `${endpoint}:8443${path}`,
    `https://management.azure.com@elsewhere.example${path}`,
    `${endpoint}/tenants/1`,
    `${endpoint}${path}?${"x".repeat(4000)}`,
    path,
    "",
    undefined,
  ];
  for (const other of others) expect(read(other)).toBeUndefined();
});
