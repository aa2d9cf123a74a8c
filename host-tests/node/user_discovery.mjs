// itsme's user discovery, after its API reference: sessions with a QR code that changes, client
// authentication with an assertion for the backchannel endpoint, and 429 for whoever asks too soon.
import { randomBytes } from 'node:crypto';
import jpeg from 'jpeg-js';
import * as jose from 'jose';
import { PNG } from 'pngjs';
import QRCode from 'qrcode';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Dark modules of `text` as rows of 0 and 1. */
export function modules(text) {
  const { size, data } = QRCode.create(text, { errorCorrectionLevel: 'M' }).modules;
  return Array.from({ length: size }, (_, y) => Array.from(data.slice(y * size, (y + 1) * size), Number));
}

/** An image of `rows`, with `scale` pixels a module and a margin of four modules. */
export function image(rows, type, scale = 6) {
  const side = (rows.length + 8) * scale;
  const data = Buffer.alloc(side * side * 4, 255);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const row = rows[Math.floor(y / scale) - 4] ?? [];
      if (row[Math.floor(x / scale) - 4]) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    }
  }
  if (type === 'png') {
    const png = new PNG({ width: side, height: side });
    png.data = data;
    return PNG.sync.write(png, { colorType: 0 });
  }
  return jpeg.encode({ width: side, height: side, data }, 60).data;
}

export class UserDiscovery {
  #sessions = new Map();
  #persons = new Map();
  #used = new Set();
  #scenario = {};

  constructor({ issuer, client, event }) {
    Object.assign(this, { issuer, client, event });
  }

  script(scenario) {
    this.#scenario = scenario;
    // Tokens of sessions that were held before.
    for (const [token, person] of Object.entries(scenario.known ?? {})) this.#persons.set(token, person);
  }

  /** The person behind a user_identifier_token, which is good once. */
  person(token) {
    const person = this.#persons.get(token);
    this.#persons.delete(token);
    return person;
  }

  async answer(request, body) {
    const form = new URLSearchParams(body);
    if (request.method !== 'POST') return { status: 405, body: {} };
    const who = await this.#authenticate(form);
    if (who) return { status: 401, body: { error: 'invalid_client', error_description: who } };
    const id = request.url.split('/')[2];
    return id ? this.#poll(id) : this.#create();
  }

  async #authenticate(form) {
    try {
      if (form.get('client_assertion_type') !== ASSERTION_TYPE) return 'client_assertion_type';
      if (form.get('client_id') !== this.client.id) return 'client_id';
      const { payload } = await jose.jwtVerify(form.get('client_assertion'), jose.createLocalJWKSet(this.client.jwks), {
        algorithms: ['RS256'],
        issuer: this.client.id,
        subject: this.client.id,
        audience: `${this.issuer}/backchannel/authentication`,
        requiredClaims: ['exp', 'jti'],
      });
      if (this.#used.has(payload.jti)) return 'jti was used before';
      this.#used.add(payload.jti);
      return undefined;
    } catch (error) {
      return error.message;
    }
  }

  #create() {
    const id = randomBytes(16).toString('base64url');
    this.#sessions.set(id, { polls: 0, last: Date.now() });
    this.event('session');
    return { status: 200, body: this.#pending(id, 0) };
  }

  #poll(id) {
    const session = this.#sessions.get(id);
    if (!session) return { status: 400, body: { error: 'invalid_request' } };
    const now = Date.now();
    const interval = this.#scenario.interval ?? 1;
    const early = now - session.last < interval * 1000 || this.#scenario.busy-- > 0;
    session.last = now;
    this.event('session poll', { early });
    if (early) return { status: 429, body: {}, headers: { 'retry-after': '1' } };
    session.polls += 1;
    // Who has scanned which code, where several persons are there.
    const { scans } = this.#scenario;
    if (this.#scenario.never || (scans && !scans[id]) || session.polls < (this.#scenario.scannedAfter ?? 2)) {
      return { status: 200, body: this.#pending(id, session.polls) };
    }
    const token = randomBytes(24).toString('base64url');
    this.#persons.set(token, scans?.[id] ?? this.#scenario.person ?? '6g2k9rgglem2dttw5d51ulkxpv24phwatiu6');
    return {
      status: 200,
      body: { user_discovery_session_id: id, status: 'USER_DISCOVERED', user_identifier_token: token },
    };
  }

  #pending(id, number) {
    const rows = modules(`https://itsme.example/d/${id}/${number}`);
    const code = image(rows, this.#scenario.image ?? 'jpeg');
    const qr = { session: id, image: code.toString('base64'), bytes: code.length };
    this.event('qr', { ...qr, rows: rows.map((row) => row.join('')) });
    return {
      user_discovery_session_id: id,
      status: 'PENDING_USER_DISCOVERY',
      interval: this.#scenario.interval ?? 1,
      user_discovery_token: {
        qr_code: code.toString('base64'),
        expires_at: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, ''),
      },
    };
  }
}
