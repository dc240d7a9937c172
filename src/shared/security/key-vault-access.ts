import { isRestError } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { SecretClientOptions } from "@azure/keyvault-secrets";
import { Deadline } from "../base/deadline.ts";
import { retryAfter, second } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import { isLoopback } from "../config/settings.ts";
import { statusOfError } from "../store/connect.ts";

/** What Key Vault's two clients (keys, secrets) have in common: how they are made, and what their errors mean. */
export interface VaultAccess {
  readonly credential: TokenCredential;
  readonly options: Pick<
    SecretClientOptions,
    "retryOptions" | "disableChallengeResourceVerification" | "additionalPolicies"
  >;
}

/** For one call with its retries and its token; the identity library ignores abort signals. */
const callTime = 15 * second;

const retryOptions = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2 * second };

/**
 * @param vault the vault's address. A stand-in on this machine speaks plain http and gets no real token; the clients refuse
 * a challenge that names another host than theirs, so that a token never goes astray.
 */
export function vaultAccess(vault: string, credential: TokenCredential): VaultAccess {
  if (!isLoopback(vault)) return { credential, options: { retryOptions } };
  const token = { token: "local", expiresOnTimestamp: Number.MAX_SAFE_INTEGER };
  return {
    credential: { getToken: () => Promise.resolve(token) },
    options: {
      retryOptions,
      disableChallengeResourceVerification: true,
      additionalPolicies: [
        {
          position: "perCall",
          policy: {
            name: "loopback",
            sendRequest(request, next) {
              request.allowInsecureConnection = true;
              return next(request);
            },
          },
        },
      ],
    },
  };
}

/**
 * The result of a call to the vault, or one of the refusals that the caller expects, by its HTTP status.
 *
 * @param call gets a signal that ends it after 15 seconds
 * @throws Unavailable for everything else
 */
export async function vaultCall<T, const S extends readonly (400 | 403 | 404)[]>(
  service: "vault" | "seal key",
  call: (options: { abortSignal: AbortSignal }) => Promise<T>,
  now: () => number,
  ...expected: S
): Promise<T | S[number]> {
  try {
    const deadline = Deadline.in(() => performance.now(), callTime);
    const answer = await deadline.limit(call({ abortSignal: AbortSignal.timeout(callTime) }));
    if (answer === "late") throw new Error(`no answer in ${callTime / second} s`);
    return answer;
  } catch (error) {
    const status = statusOfError(error);
    const outcome = expected.find((candidate) => candidate === status);
    if (outcome !== undefined) return outcome;
    const delay = retryAfter(isRestError(error) ? error.response?.headers.get("retry-after") : undefined, now());
    const what = status === undefined ? "did not answer" : `answered ${status}`;
    throw new Unavailable(service, `Key Vault ${what}.`, {
      cause: error,
      ...(delay === undefined ? {} : { retryAfter: delay }),
    });
  }
}
