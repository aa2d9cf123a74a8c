// Encrypts as a sender would and decrypts as a receiver would, with a JOSE library that no one here wrote.
//
// Reads JSON from standard input: { jwk, tokens: [{ header, payload }] }; prints a JSON list of compact JWEs. Or
// { key, jwes }, key a PKCS #8 in PEM; prints a list of { header, payload }.
import * as jose from 'jose';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { jwk, tokens = [], key: pem, jwes = [] } = JSON.parse(Buffer.concat(chunks).toString());
const made = [];
for (const { header, payload } of tokens) {
  const key = await jose.importJWK(jwk, header.alg);
  const bytes = new TextEncoder().encode(payload);
  made.push(await new jose.CompactEncrypt(bytes).setProtectedHeader(header).encrypt(key));
}
for (const jwe of jwes) {
  const key = await jose.importPKCS8(pem, jose.decodeProtectedHeader(jwe).alg);
  const { plaintext, protectedHeader } = await jose.compactDecrypt(jwe, key);
  made.push({ header: protectedHeader, payload: new TextDecoder().decode(plaintext) });
}
process.stdout.write(JSON.stringify(made));
