// Asks privyseal's agent for assertions, and has openid-client get an access token with each.
//
//     node agent_client.mjs SOCKET PROFILE TOKEN_ENDPOINT

import { request } from 'node:http';
import * as openid from 'openid-client';

const [socketPath, profile, endpoint] = process.argv.slice(2);

function assertion() {
  return new Promise((resolve, reject) => {
    const path = `/v1/${profile}/assertion`;
    const sent = request({ socketPath, path, method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => {
        const answer = JSON.parse(text);
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(`${answer.kind}: ${answer.detail}`));
      });
    });
    sent.on('error', reject).end();
  });
}

// A new assertion for each request: it is good once.
async function byAgent(server, client, body) {
  const { client_id, client_assertion_type, client_assertion } = await assertion();
  for (const [name, value] of Object.entries({ client_id, client_assertion_type, client_assertion })) {
    body.set(name, value);
  }
}

const server = { issuer: new URL(endpoint).origin, token_endpoint: endpoint };
const configuration = new openid.Configuration(server, profile, undefined, byAgent);
const token = await openid.clientCredentialsGrant(configuration);
console.log(`${token.token_type}, ${token.expires_in} s`);
