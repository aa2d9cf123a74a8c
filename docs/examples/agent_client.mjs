// Asks privyseal's agent for an assertion, and a server for an access token with it.
//
//     node agent_client.mjs SOCKET PROFILE TOKEN_ENDPOINT

import { request } from 'node:http';
import { request as httpsRequest } from 'node:https';

const [socketPath, profile, endpoint] = process.argv.slice(2);

function exchange(send, target, body) {
  return new Promise((resolve, reject) => {
    const sent = send(...target, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => {
        const answer = JSON.parse(text);
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(answer.detail ?? answer.error));
      });
    });
    sent.on('error', reject).end(body);
  });
}

const path = `/v1/${profile}/assertion`;
const assertion = await exchange(request, [{ socketPath, path, method: 'POST' }]);
const form = new URLSearchParams({
  grant_type: 'client_credentials',
  client_id: assertion.client_id,
  client_assertion_type: assertion.client_assertion_type,
  client_assertion: assertion.client_assertion,
});
const headers = { 'content-type': 'application/x-www-form-urlencoded' };
const token = await exchange(httpsRequest, [endpoint, { method: 'POST', headers }], form.toString());
console.log(`${token.token_type}, ${token.expires_in} s`);
