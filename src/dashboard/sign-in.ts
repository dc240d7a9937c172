import {
  AuthError,
  CacheLookupPolicy,
  createStandardPublicClientApplication,
  type AccountInfo,
  type IPublicClientApplication,
} from "@azure/msal-browser";

/**
 * Signing in with Microsoft Entra ID: a script of its own, which the page loads only with `AUTH_MODE=entra`. Authorization code flow
 * with PKCE by a redirect, so that no frame and no popup is needed; tokens stay in this tab's store and are renewed without asking.
 */
export interface SignInSettings {
  /** The tenant's, `https://login.microsoftonline.com/TENANT`. */
  readonly authority: string;
  /** Of the page's own app registration. */
  readonly clientId: string;
  readonly scope: string;
}

export interface Person {
  readonly name: string;
  /** A token for the service; `undefined` when the person has to sign in again. Throws when the tenant can't be reached. */
  readonly token: () => Promise<string | undefined>;
  readonly leave: () => Promise<void>;
}

export interface SignIn {
  readonly person: Person | undefined;
  /** The view from which the person went to sign in. */
  readonly returnTo: string | undefined;
  /** Why a sign-in failed. */
  readonly why: string | undefined;
  readonly begin: (view: string) => Promise<void>;
}

/** @param page the page's address, as it is registered as a redirect address of a single-page application */
export async function openSignIn({ authority, clientId, scope }: SignInSettings, page: string): Promise<SignIn> {
  const app = await createStandardPublicClientApplication({
    auth: {
      clientId,
      authority,
      knownAuthorities: [new URL(authority).host],
      redirectUri: page,
      postLogoutRedirectUri: page,
    },
    cache: { cacheLocation: "sessionStorage" },
  });
  const begin = (view: string): Promise<void> => app.loginRedirect({ scopes: [scope], state: view });
  try {
    const returned = await app.handleRedirectPromise({ navigateToLoginRequestUrl: false });
    const account = returned?.account ?? app.getAllAccounts()[0];
    const person = account && personOf(app, account, scope);
    return { person, returnTo: returned?.state, why: undefined, begin };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { person: undefined, returnTo: "#/", why: `The sign-in failed: ${error.message}`, begin };
  }
}

/** The tenant can't be reached now; anything else that goes wrong needs the person. */
const isAway = (error: AuthError): boolean => /network|request_failed|endpoints_resolution/.test(error.errorCode);

function personOf(app: IPublicClientApplication, account: AccountInfo, scope: string): Person {
  return {
    name: account.name ?? account.username,
    async token() {
      try {
        const { accessToken } = await app.acquireTokenSilent({
          scopes: [scope],
          account,
          cacheLookupPolicy: CacheLookupPolicy.AccessTokenAndRefreshToken,
        });
        return accessToken;
      } catch (error) {
        if (!(error instanceof AuthError) || isAway(error)) throw error;
        return undefined;
      }
    },
    leave: () => app.logoutRedirect({ account }),
  };
}
