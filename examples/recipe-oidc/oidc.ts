import * as client from "openid-client";

/** What the application must still know when the browser comes back from the provider. */
export interface Flow {
  /** Ties the answer to the browser that asked. */
  readonly state: string;
  /** Ties the id token to this flow. */
  readonly nonce: string;
  /** Ties the code to whoever asked for it (PKCE, RFC 7636). */
  readonly verifier: string;
}

/** The provider refused, or its answer does not belong to this browser's flow. */
export class SignInFailed extends Error {
  readonly status = 400;
}

/** The provider, as its own discovery document describes it. */
export type Provider = client.Configuration;

/** Finds the provider that the environment names. */
export function discover(env: Readonly<Record<string, string | undefined>>): Promise<Provider> {
  const { OIDC_ISSUER = "", OIDC_CLIENT_ID = "", OIDC_CLIENT_SECRET = "" } = env;
  const issuer = new URL(OIDC_ISSUER);
  // A provider is asked over https; one on this machine may do without.
  const isLocal = issuer.hostname === "localhost" || issuer.hostname === "127.0.0.1";
  const options = isLocal ? { execute: [client.allowInsecureRequests] } : {};
  return client.discovery(issuer, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, undefined, options);
}

/** A new flow, and where to send the browser. */
export async function begin(provider: Provider, callback: URL): Promise<{ flow: Flow; url: URL }> {
  const flow = {
    state: client.randomState(),
    nonce: client.randomNonce(),
    verifier: client.randomPKCECodeVerifier(),
  };
  const url = client.buildAuthorizationUrl(provider, {
    redirect_uri: callback.href,
    scope: "openid",
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: "S256",
  });
  return { flow, url };
}

/** Checks the provider's answer and exchanges its code. Answers who signed in. */
export async function finish(
  provider: Provider,
  answer: URL,
  flow: Flow | undefined,
): Promise<string> {
  if (flow === undefined) throw new SignInFailed("No sign-in is under way in this browser.");
  try {
    const tokens = await client.authorizationCodeGrant(provider, answer, {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.verifier,
      idTokenExpected: true,
    });
    const subject = tokens.claims()?.sub;
    if (subject !== undefined) return subject;
  } catch (error) {
    throw new SignInFailed("The provider's answer was refused.", { cause: error });
  }
  throw new SignInFailed("The provider did not say who it is.");
}
