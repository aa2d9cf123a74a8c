// Encrypts as a sender would, with a JOSE library that no one here wrote.
//
// Reads JSON from standard input: { jwk, tokens: [{ header, payload }] }; prints a JSON list of compact JWEs.
import * as jose from 'jose';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { jwk, tokens } = JSON.parse(Buffer.concat(chunks).toString());
const made = [];
for (const { header, payload } of tokens) {
  const key = await jose.importJWK(jwk, header.alg);
  const bytes = new TextEncoder().encode(payload);
  made.push(await new jose.CompactEncrypt(bytes).setProtectedHeader(header).encrypt(key));
}
process.stdout.write(JSON.stringify(made));
