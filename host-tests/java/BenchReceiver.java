// How long Nimbus takes for one assertion with a key that it knows, which comes as JSON on standard input.
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jose.util.X509CertUtils;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.auth.ClientAuthenticationMethod;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.auth.verifier.ClientAuthenticationVerifier;
import com.nimbusds.oauth2.sdk.auth.verifier.ClientCredentialsSelector;
import com.nimbusds.oauth2.sdk.auth.verifier.Context;
import com.nimbusds.oauth2.sdk.auth.verifier.JWTAudienceCheck;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

class BenchReceiver {
    record Known(PublicKey key) implements ClientCredentialsSelector<Void> {
        @Override
        public List<Secret> selectClientSecrets(ClientID id, ClientAuthenticationMethod method, Context<Void> context) {
            return List.of();
        }

        @Override
        public List<PublicKey> selectPublicKeys(
                ClientID id, ClientAuthenticationMethod method, JWSHeader header, boolean refresh, Context<Void> context) {
            return List.of(key);
        }
    }

    public static void main(String[] arguments) throws Exception {
        var asked = JSONObjectUtils.parse(new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
        var token = JSONObjectUtils.getString(asked, "token");
        var leaf = SignedJWT.parse(token).getHeader().getX509CertChain().get(0);
        var known = new Known(X509CertUtils.parse(leaf.decode()).getPublicKey());
        var audience = Set.of(new Audience(JSONObjectUtils.getString(asked, "audience")));
        var verifier = new ClientAuthenticationVerifier<>(known, audience, JWTAudienceCheck.STRICT);
        var form = Map.of(
                "client_id", List.of(JSONObjectUtils.getString(asked, "client_id")),
                "client_assertion_type", List.of(PrivateKeyJWT.CLIENT_ASSERTION_TYPE),
                "client_assertion", List.of(token));
        var count = JSONObjectUtils.getInt(asked, "count");
        // Several rounds, until its code is compiled.
        long nanoseconds = 0;
        for (int round = 0; round < 5; round++) {
            long start = System.nanoTime();
            for (int times = 0; times < count; times++) {
                verifier.verify(PrivateKeyJWT.parse(form), null, null);
            }
            nanoseconds = System.nanoTime() - start;
        }
        System.out.printf(Locale.ROOT, "Nimbus of Java, with a key that it knows: %.1fµs%n", nanoseconds / 1e3 / count);
    }
}
