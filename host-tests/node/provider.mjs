// An OpenID provider that speaks CIBA: node-oidc-provider, dressed as itsme.
//
// Reads one line of JSON from standard input:
//   { tls: { cert, key },            PEM, for 127.0.0.1
//     client: { id, jwks, delivery,  poll or ping
//               alg, enc,            how id_token and UserInfo answer are encrypted; none if absent
//               redirect_uris },     where browsers come back to; then persons can log in with one
//     callback }                     http URL that stands behind the registered https one (ping)
// and prints one line, `listening on https://127.0.0.1:PORT`. It stops when standard input ends, and after
// LIFE seconds in any case.
//
// What node-oidc-provider judges: assertions, the signed request, auth_req_id. What is added here: itsme's
// user discovery (user_discovery.mjs), its pacing of polls, tokens that are wrong (forge.mjs), and hooks below
// /test that tell a person's phone what to do.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import readline from 'node:readline';
import * as jose from 'jose';
import { Provider, errors } from 'oidc-provider';
import { Forge } from './forge.mjs';
import { UserDiscovery } from './user_discovery.mjs';

// Nobody reads standard output after the first line.
console.info = console.warn;

const LIFE = 900;
setTimeout(() => process.exit(1), LIFE * 1000);

const lines = readline.createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
const setup = JSON.parse(first);
lines.on('close', () => process.exit(0));

const server = https.createServer(setup.tls);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://127.0.0.1:${server.address().port}`;

// What the next authentication will be like. `polls` is what the token endpoint answers before the
// authentication is decided upon: a list of authorization_pending and slow_down, one for each request.
let scenario = { polls: [], decision: 'approve' };
const log = { events: [], assertions: new Set(), refused: [] };
const event = (name, more = {}) => log.events.push({ name, at: Date.now(), ...more });
const discovery = new UserDiscovery({ issuer, client: setup.client, event });

const signing = await jose.generateKeyPair('RS256', { extractable: true });
const signingJwk = { ...(await jose.exportJWK(signing.privateKey)), kid: 'op-1', alg: 'RS256', use: 'sig' };
const opening = await jose.generateKeyPair('RSA-OAEP-256', { extractable: true });
const openingJwk = { ...(await jose.exportJWK(opening.privateKey)), kid: 'op-enc', use: 'enc' };
const { alg, enc, redirect_uris } = setup.client;
const encryptions = [128, 192, 256].flatMap((bits) => [`A${bits}CBC-HS${2 * bits}`, `A${bits}GCM`]);
const forge = new Forge({ issuer, client: setup.client, signing });

const provider = new Provider(issuer, {
  clients: [{
    client_id: setup.client.id,
    // Its keys are behind an address, and kept for a time, as those of real clients are.
    jwks_uri: `${issuer}/test/jwks`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
    grant_types: [
      'urn:openid:params:grant-type:ciba',
      'client_credentials',
      ...(redirect_uris ? ['authorization_code', 'refresh_token'] : []),
    ],
    response_types: redirect_uris ? ['code'] : [],
    redirect_uris: redirect_uris ?? [],
    post_logout_redirect_uris: redirect_uris ?? [],
    backchannel_token_delivery_mode: setup.client.delivery,
    backchannel_authentication_request_signing_alg: 'RS256',
    ...(setup.client.delivery === 'ping' && {
      backchannel_client_notification_endpoint: 'https://client.example/cb',
    }),
    id_token_signed_response_alg: 'RS256',
    userinfo_signed_response_alg: 'RS256',
    ...(alg && {
      id_token_encrypted_response_alg: alg,
      id_token_encrypted_response_enc: enc,
      userinfo_encrypted_response_alg: alg,
      userinfo_encrypted_response_enc: enc,
    }),
  }],
  jwks: { keys: [signingJwk, openingJwk] },
  scopes: ['openid', 'offline_access', 'service:TEST_LOGIN', 'profile', 'email'],
  claims: {
    openid: ['sub'],
    'service:TEST_LOGIN': [],
    profile: ['name', 'birthdate'],
    email: ['email', 'email_verified'],
  },
  conformIdTokenClaims: false,
  routes: {
    backchannel_authentication: '/backchannel/authentication',
    token: '/token',
    userinfo: '/userinfo',
    jwks: '/jwks',
  },
  features: {
    // Its own pages for login and consent.
    devInteractions: { enabled: Boolean(redirect_uris) },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    encryption: { enabled: true },
    jwtUserinfo: { enabled: true },
    requestObjects: { enabled: true, requireSignedRequestObject: !redirect_uris },
    claimsParameter: { enabled: true },
    ciba: {
      enabled: true,
      deliveryModes: ['poll', 'ping'],
      processLoginHintToken: async (_ctx, token) => {
        const keys = jose.createLocalJWKSet(setup.client.jwks);
        const { payload } = await jose.compactVerify(token, keys, { algorithms: ['RS256'] });
        const hint = JSON.parse(new TextDecoder().decode(payload));
        if (hint.type !== 'user_identifier_token') throw new errors.InvalidRequest('login_hint_token');
        return discovery.person(hint.value);
      },
      verifyUserCode: async () => {},
      validateRequestContext: async () => {},
      triggerAuthenticationDevice: async (_ctx, request, account, client) => {
        event('authentication', { scope: request.scope, claims: request.claims });
        request.test = { ...scenario, polls: [...scenario.polls] };
        pending.set(request.jti, { request, account, client, ...request.test });
        if (scenario.polls.length === 0) setTimeout(() => decide(request.jti), scenario.after ?? 50);
      },
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  enabledJWA: {
    idTokenEncryptionAlgValues: ['RSA-OAEP', 'RSA-OAEP-256'],
    idTokenEncryptionEncValues: encryptions,
    userinfoEncryptionAlgValues: ['RSA-OAEP', 'RSA-OAEP-256'],
    userinfoEncryptionEncValues: encryptions,
  },
  ttl: {
    BackchannelAuthenticationRequest: () => scenario.lifetime ?? 60,
    AccessToken: 120,
    IdToken: 300,
    Grant: 600,
  },
  findAccount: async (_ctx, sub) => ({
    accountId: sub,
    claims: async () => ({
      sub,
      name: scenario.names?.[sub] ?? 'John Ronald R Tolkien',
      birthdate: '1892-01-03',
      email: 'jrr@example.org',
      email_verified: true,
    }),
  }),
  // The registered callback is https; here a proxy would stand before the client.
  fetch: (url, options) => (String(url).endsWith('/test/jwks') ? keysOfClient() : callback(options)),
});

// What the client publishes now; setup.client.jwks is what was read last.
let published = setup.client.jwks;

function keysOfClient() {
  event('client keys read');
  setup.client.jwks = published;
  return Response.json(published, { headers: { 'cache-control': 'max-age=3600' } });
}

const pending = new Map();

async function decide(id) {
  const { request, account, client, decision } = pending.get(id);
  pending.get(id).decided = true;
  event('decision', { decision });
  try {
    if (decision === 'deny') {
      await provider.backchannelResult(request, new errors.AccessDenied('the user said no'));
    } else if (decision === 'approve') {
      const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
      grant.addOIDCScope(request.scope);
      for (const part of Object.values(request.claims ?? {})) grant.addOIDCClaims(Object.keys(part));
      await grant.save();
      await provider.backchannelResult(request, grant);
    }
  } catch (error) {
    event('error', { message: error.message });
  }
}

function callback({ method, headers, body }) {
  const plain = http.request(setup.callback, {
    method,
    headers: { ...Object.fromEntries(headers), 'content-length': Buffer.byteLength(body) },
  });
  plain.end(body);
  return new Promise((resolve, reject) => {
    plain.on('error', reject);
    plain.on('response', (response) => {
      response.resume();
      event('ping', { status: response.statusCode });
      resolve({ status: response.statusCode });
    });
  });
}

// Every poll passes here before it is judged.
const { BackchannelAuthenticationRequest } = provider;
const find = BackchannelAuthenticationRequest.find.bind(BackchannelAuthenticationRequest);
BackchannelAuthenticationRequest.find = async (id, options) => {
  event('poll');
  const waiting = pending.get(id);
  if (waiting && !waiting.decided) {
    const answer = waiting.polls.shift();
    if (waiting.polls.length === 0 && waiting.decision !== 'ignore') {
      setTimeout(() => decide(id), 20);
    }
    if (answer === 'slow_down') throw new errors.SlowDown();
  }
  return find(id, options);
};

// itsme says how often it may be asked; the provider says nothing.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === '/backchannel/authentication' && ctx.status === 200) {
    ctx.body.interval = scenario.interval ?? 1;
    if (scenario.saysExpiresIn) ctx.body.expires_in = scenario.saysExpiresIn;
  }
  if (ctx.path === '/token' && ctx.status === 200 && scenario.idToken) {
    const { Account, AuthorizationCode } = ctx.oidc.entities;
    const claims = { nonce: AuthorizationCode?.nonce ?? null, ...scenario.idToken.claims };
    const wrong = { ...scenario.idToken, claims };
    ctx.body.id_token = await forge.idToken(ctx.body.access_token, Account.accountId, wrong);
  }
  if (ctx.path === '/token' && ctx.status === 200 && scenario.withoutIdToken) delete ctx.body.id_token;
  if (ctx.path === '/userinfo' && ctx.status === 200 && scenario.userinfo) {
    ctx.body = await forge.userinfo(ctx.oidc.entities.Account.accountId, scenario.userinfo);
  }
  if (ctx.oidc?.route && ctx.status >= 400) log.refused.push(ctx.body);
});

provider.on('server_error', (_ctx, error) => event('error', { message: error.stack }));

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// A nested assertion, which node-oidc-provider does not take: the outer layer is opened here, and what is in it is judged
// as any other. With scenario.nested, one without that layer is refused.
async function opened(body) {
  const form = new URLSearchParams(body);
  const assertion = form.get('client_assertion') ?? '';
  if (assertion.split('.').length !== 5) return scenario.nested ? undefined : form;
  const { alg } = jose.decodeProtectedHeader(assertion);
  const key = await jose.importJWK({ ...openingJwk, alg }, alg);
  const { plaintext, protectedHeader } = await jose.compactDecrypt(assertion, key);
  if (protectedHeader.cty !== 'JWT' || protectedHeader.kid !== 'op-enc') throw new Error('no nested JWT');
  event('nested', { alg, enc: protectedHeader.enc });
  form.set('client_assertion', new TextDecoder().decode(plaintext));
  return form;
}

const serve = provider.callback();
server.on('request', async (request, response) => {
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  try {
    if (request.url === '/test/scenario') {
      scenario = JSON.parse(await read(request));
      discovery.script(scenario);
      answer(200, {});
    } else if (request.url === '/test/jwks') {
      // For the client's own checks, with which the provider has nothing to do.
      if (request.method === 'POST') published = JSON.parse(await read(request));
      answer(200, published, { 'cache-control': 'max-age=3600' });
    } else if (request.url === '/test/forget') {
      // What time does: the set that was read is old.
      (await provider.Client.find(setup.client.id)).asymmetricKeyStore.freshUntil = 0;
      answer(200, {});
    } else if (request.url === '/test/log') {
      answer(200, { events: log.events, refused: log.refused });
    } else if (request.url.startsWith('/user_discovery_sessions')) {
      const form = await opened(await read(request));
      if (!form) return answer(401, { error: 'invalid_client' });
      const { status, body, headers } = await discovery.answer(request, form.toString());
      answer(status, body, headers);
    } else if (request.url === '/userinfo' && scenario.userinfoBusy > 0) {
      scenario.userinfoBusy -= 1;
      event('userinfo busy');
      answer(503, { error: 'temporarily_unavailable' });
    } else if (request.headers['content-type'] === 'application/x-www-form-urlencoded' && scenario.nested) {
      const form = await opened(await read(request));
      if (!form) return answer(401, { error: 'invalid_client' });
      request.body = form.toString();
      serve(request, response);
    } else {
      serve(request, response);
    }
  } catch (error) {
    event('error', { message: error.stack });
    if (!response.headersSent) answer(500, { error: 'server_error' });
  }
});

process.stdout.write(`listening on ${issuer}\n`);
