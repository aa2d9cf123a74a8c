// openid-client, the certified one, as a client that has persons log in.
//
// Reads one line of JSON from standard input:
//   { issuer, client_id, kid, key,   key: PKCS #8, PEM
//     redirect_uri, scope }
// prints the address for the browser, reads the address that the browser came back with, and prints what the
// id_token and the UserInfo endpoint say.
import { once } from 'node:events';
import readline from 'node:readline';
import * as jose from 'jose';
import * as client from 'openid-client';

setTimeout(() => process.exit(1), 300_000);
const lines = readline.createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
const { issuer, client_id, kid, key, redirect_uri, scope } = JSON.parse(first);

const signer = { kid, key: await jose.importPKCS8(key, 'RS256') };
const config = await client.discovery(new URL(issuer), client_id, {}, client.PrivateKeyJwt(signer));
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
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
process.stdout.write(`${JSON.stringify({ id_token: claims, userinfo })}\n`);
process.exit(0);
