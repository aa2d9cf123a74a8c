import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.util.Base64;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.List;
import java.util.UUID;

/**
 * What an assertion costs with Nimbus and the JDK's SunPKCS11, for `cargo xtask bench agent`: module, folder with the
 * file of the PIN, seconds. The token is the first one of the module.
 */
public class NimbusLatency {
    public static void main(String[] arguments) throws Exception {
        String config = "--name=bench\nlibrary=" + arguments[0] + "\nslotListIndex=0\n";
        var provider = Security.getProvider("SunPKCS11").configure(config);
        var keys = KeyStore.getInstance("PKCS11", provider);
        keys.load(null, Files.readString(Path.of(arguments[1], "pin")).trim().toCharArray());
        String alias = Collections.list(keys.aliases()).stream().filter(NimbusLatency.of(keys)).findFirst().get();
        var signer = new RSASSASigner((PrivateKey) keys.getKey(alias, null));
        signer.getJCAContext().setProvider(provider);
        List<Base64> chain = new ArrayList<>();
        for (var certificate : keys.getCertificateChain(alias)) {
            chain.add(Base64.encode(certificate.getEncoded()));
        }
        var header = new JWSHeader.Builder(JWSAlgorithm.RS256).x509CertChain(chain).build();
        long seconds = Long.parseLong(arguments[2]);
        // Once to warm up.
        measure(signer, header, seconds);
        List<Long> times = measure(signer, header, seconds);
        Collections.sort(times);
        System.out.printf("%-40s", "Nimbus with SunPKCS11, 1 thread");
        for (int hundredth : new int[] {10, 50, 90, 99}) {
            System.out.printf(" %9d", times.get(times.size() * hundredth / 100));
        }
        System.out.printf(" %9d%n", times.size() / seconds);
    }

    static java.util.function.Predicate<String> of(KeyStore keys) {
        return alias -> {
            try {
                return keys.isKeyEntry(alias);
            } catch (Exception error) {
                return false;
            }
        };
    }

    /** How long each assertion took, in microseconds. */
    static List<Long> measure(RSASSASigner signer, JWSHeader header, long seconds) throws Exception {
        List<Long> times = new ArrayList<>();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (System.nanoTime() < end) {
            long start = System.nanoTime();
            var now = Instant.now();
            var claims = new JWTClaimsSet.Builder().issuer("EU.EORI.NL123456789").subject("EU.EORI.NL123456789")
                .audience("EU.EORI.NLKPNFIAMPROD").jwtID(UUID.randomUUID().toString()).issueTime(Date.from(now))
                .notBeforeTime(Date.from(now)).expirationTime(Date.from(now.plusSeconds(30))).build();
            var token = new SignedJWT(header, claims);
            token.sign(signer);
            token.serialize();
            times.add((System.nanoTime() - start) / 1000);
        }
        return times;
    }
}
