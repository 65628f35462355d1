import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** A provider on this machine, as far as the code flow needs one. */
export interface Provider {
  readonly issuer: string;
  /** Who is signed in at the provider. */
  subject: string;
  /** Shows a page with a link before it sends the browser back, as providers that ask something do. */
  asks: boolean;
  /** Puts another nonce into the id tokens, as an answer from another flow would have it. */
  confuseNonce: boolean;
  close(): Promise<void>;
}

interface Grant {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string;
}

const CLIENT_ID = "shop";
const CLIENT_SECRET = "only-for-tests";

/** The environment of a program that signs in with the provider. */
export function clientEnvironment(issuer: string): Record<string, string> {
  return { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: CLIENT_ID, OIDC_CLIENT_SECRET: CLIENT_SECRET };
}

/** Starts one that signs everybody in without asking, and that knows one client. */
export async function startProvider(redirectUris: readonly string[]): Promise<Provider> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: Provider = {
    issuer,
    subject: "alice",
    asks: false,
    confuseNonce: false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", issuer);
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return json(response, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["ES256"],
          code_challenge_methods_supported: ["S256"],
        });
      case "/jwks":
        return json(response, {
          keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", use: "sig" }],
        });
      case "/authorize":
        return authorize(url.searchParams, response);
      case "/token":
        return token(new URLSearchParams(await text(request)), response);
      default:
        response.writeHead(404).end();
    }
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const redirectUri = query.get("redirect_uri") ?? "";
    const isKnown = query.get("client_id") === CLIENT_ID && redirectUris.includes(redirectUri);
    const isCodeFlow =
      query.get("response_type") === "code" && query.get("code_challenge_method") === "S256";
    if (!isKnown || !isCodeFlow || query.get("scope") !== "openid") {
      response.writeHead(400).end("The request is refused.");
      return;
    }
    if (provider.asks && !query.has("consent")) {
      const page = `<!doctype html><a href="/authorize?${query}&amp;consent=yes">Yes, it is me</a>`;
      response.writeHead(200, { "Content-Type": "text/html" }).end(page);
      return;
    }
    const code = randomBytes(16).toString("base64url");
    grants.set(code, {
      redirectUri,
      challenge: query.get("code_challenge") ?? "",
      nonce: query.get("nonce") ?? "",
    });
    const back = new URL(redirectUri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", query.get("state") ?? "");
    response.writeHead(302, { Location: back.href }).end();
  }

  async function token(form: URLSearchParams, response: ServerResponse): Promise<void> {
    const code = form.get("code") ?? "";
    const grant = grants.get(code);
    grants.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isClient =
      form.get("client_id") === CLIENT_ID && form.get("client_secret") === CLIENT_SECRET;
    const isGranted =
      grant?.challenge === challenge && grant.redirectUri === form.get("redirect_uri");
    if (grant === undefined || !isClient || !isGranted)
      return json(response, { error: "invalid_grant" }, 400);
    const nonce = provider.confuseNonce ? "of-another-flow" : grant.nonce;
    const idToken = await new SignJWT({ nonce })
      .setProtectedHeader({ alg: "ES256" })
      .setIssuer(issuer)
      .setAudience(CLIENT_ID)
      .setSubject(provider.subject)
      .setIssuedAt()
      .setExpirationTime("1 minute")
      .sign(privateKey);
    json(response, { access_token: "unused", token_type: "Bearer", id_token: idToken });
  }
}

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
