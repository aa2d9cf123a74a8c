// openid-client, the certified one, as a client that has persons log in.
//
// Reads one line of JSON from standard input:
//   { issuer, client_id, kid, key,   key: PKCS #8, PEM
//     redirect_uri, scope,
//     user }                     a user_identifier_token: then the person is asked on their phone (CIBA)
// prints the address for the browser, reads the address that the browser came back with, and prints what the
// id_token and the UserInfo endpoint say.
import { once } from 'node:events';
import readline from 'node:readline';
import * as jose from 'jose';
import * as client from 'openid-client';

setTimeout(() => process.exit(1), 300_000);
const lines = readline.createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
const { issuer, client_id, kid, key, redirect_uri, scope, user } = JSON.parse(first);

const signer = { kid, key: await jose.importPKCS8(key, 'RS256') };
const signed = { id_token_signed_response_alg: 'RS256', ...(user && { userinfo_signed_response_alg: 'RS256' }) };
const config = await client.discovery(new URL(issuer), client_id, signed, client.PrivateKeyJwt(signer));

async function say(tokens) {
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  process.stdout.write(`${JSON.stringify({ id_token: claims, userinfo })}\n`);
  process.exit(0);
}

if (user) {
  const jwt = (claims) => new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(signer.key);
  const login_hint_token = await jwt({ type: 'user_identifier_token', value: user });
  const now = Math.floor(Date.now() / 1000);
  const request = await jwt({
    iss: client_id, aud: issuer, iat: now, nbf: now, exp: now + 60, jti: client.randomState(), scope, login_hint_token,
  });
  const asked = await client.initiateBackchannelAuthentication(config, { request });
  await say(await client.pollBackchannelAuthenticationGrant(config, asked));
}

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
const url = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
});
process.stdout.write(`${url.href}\n`);

const [callback] = await once(lines, 'line');
const tokens = await client.authorizationCodeGrant(config, new URL(callback), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
await say(tokens);
