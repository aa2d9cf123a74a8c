// How long jose takes for one assertion with a key that it has imported, which comes as JSON on standard input.
import { readFileSync } from 'node:fs';
import * as jose from 'jose';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const { alg, x5c } = jose.decodeProtectedHeader(asked.token);
const key = await jose.importX509(`-----BEGIN CERTIFICATE-----\n${x5c[0]}\n-----END CERTIFICATE-----`, alg);
const judge = () => jose.jwtVerify(asked.token, key, {
  algorithms: [alg], issuer: asked.client_id, subject: asked.client_id, audience: asked.audience, maxTokenAge: 30,
});

for (let times = 0; times < asked.count; times++) await judge();
const start = performance.now();
for (let times = 0; times < asked.count; times++) await judge();
console.log(`jose of Node, with a key that it knows: ${(((performance.now() - start) * 1e3) / asked.count).toFixed(1)}µs`);
