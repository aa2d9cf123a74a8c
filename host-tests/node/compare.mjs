// What a JOSE library says to the cases of a corpus, as a receiver would use it that knows its options: compare.mjs FILE.
//
// It verifies the signature by the first certificate of x5c, and judges header and claims as its options let it. Trust in the
// certificate, the registry and revocation are for its caller, so those cases are left out, and so is what no document demands.
import { readFile } from 'node:fs/promises';
import * as jose from 'jose';

const FOR_THE_CALLER = ['chain-trusted', 'party-status', 'unavailable', 'revocation', 'replay'];
const ALGORITHMS = ['RS256', 'RS384', 'RS512'];

async function judged(corpus, item) {
  try {
    const { alg, x5c } = jose.decodeProtectedHeader(item.client_assertion);
    const key = await jose.importX509(`-----BEGIN CERTIFICATE-----\n${x5c[0]}\n-----END CERTIFICATE-----`, alg);
    await jose.jwtVerify(item.client_assertion, key, {
      algorithms: ALGORITHMS,
      typ: 'JWT',
      issuer: item.client_id,
      subject: item.client_id,
      audience: corpus.audience,
      requiredClaims: ['iss', 'sub', 'aud', 'iat', 'exp', 'jti'],
      maxTokenAge: 30,
      clockTolerance: corpus.leeway,
      currentDate: new Date(item.now * 1000),
    });
    return 'accepted';
  } catch {
    return 'refused';
  }
}

const corpus = JSON.parse(await readFile(process.argv[2], 'utf8'));
const isDemanded = (item) => !item.source.startsWith('a choice: ');
const cases = corpus.cases.filter((item) => !FOR_THE_CALLER.includes(item.rule) && isDemanded(item));
const table = {};
for (const item of cases) {
  const rule = item.rule ?? '(right)';
  table[rule] ??= { accepted: 0, refused: 0 };
  table[rule][await judged(corpus, item)] += 1;
}
console.log(`${cases.length} cases\n\n| rule | cases | accepted | refused |\n|---|---:|---:|---:|`);
for (const rule of Object.keys(table).sort()) {
  const { accepted, refused } = table[rule];
  console.log(`| \`${rule}\` | ${accepted + refused} | ${accepted} | ${refused} |`);
}
