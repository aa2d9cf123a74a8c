// What a provider should never give: an id_token or a UserInfo answer that is wrong in one way.
import { createHash } from 'node:crypto';
import * as jose from 'jose';

export class Forge {
  /** `signing` is the provider's own key, known as op-1. */
  constructor({ issuer, client, signing }) {
    Object.assign(this, { issuer, client, signing });
  }

  /**
   * An id_token that is good but for what `wrong` says:
   *   claims     replaced; left out where null
   *   signer     'op' (right), 'other' (of the same name), 'none' (alg none), 'hmac' (HS256 with the public
   *              key as its secret), 'unsigned' (no JWS, the claims themselves)
   *   encrypted  false where nothing is, whatever was agreed on
   */
  async idToken(accessToken, sub, wrong) {
    const now = Math.floor(Date.now() / 1000);
    const hash = createHash('sha256').update(accessToken).digest();
    const good = {
      iss: this.issuer,
      aud: this.client.id,
      sub,
      iat: now,
      exp: now + 300,
      at_hash: hash.subarray(0, 16).toString('base64url'),
    };
    return this.#made(good, wrong);
  }

  /** A UserInfo answer of that kind. */
  async userinfo(sub, wrong) {
    return this.#made({ sub, iss: this.issuer, aud: this.client.id }, wrong);
  }

  async #made(good, { claims: changes = {}, signer = 'op', encrypted = true }) {
    const claims = { ...good, ...changes };
    for (const [name, value] of Object.entries(claims)) if (value === null) delete claims[name];
    const signed = await this.#signed(claims, signer);
    return encrypted && this.client.alg ? this.#encrypted(signed) : signed;
  }

  async #signed(claims, signer) {
    const jws = (alg, key) => new jose.SignJWT(claims).setProtectedHeader({ alg, kid: 'op-1' }).sign(key);
    switch (signer) {
      case 'op':
        return jws('RS256', this.signing.privateKey);
      case 'other':
        return jws('RS256', (await jose.generateKeyPair('RS256')).privateKey);
      case 'hmac':
        return jws('HS256', new TextEncoder().encode(await jose.exportSPKI(this.signing.publicKey)));
      case 'none':
        return new jose.UnsecuredJWT(claims).encode();
      case 'unsigned':
        return JSON.stringify(claims);
      default:
        throw new Error(`no signer ${signer}`);
    }
  }

  async #encrypted(text) {
    const { alg, enc, jwks } = this.client;
    const jwk = jwks.keys.find((key) => key.use === 'enc');
    const jwe = new jose.CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader({ alg, enc });
    return jwe.encrypt(await jose.importJWK(jwk, alg));
  }
}
