// Asks privyseal's agent for an assertion over loopback, and has Nimbus' OAuth SDK get an access token with it.
//
//     java -cp 'JARS/*' AgentClient.java PORT BEARER_FILE PROFILE TOKEN_ENDPOINT
//
// JARS is what `mvn dependency:copy-dependencies` brings. BEARER_FILE is the agent's token-file.

import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

public final class AgentClient {
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI agent;
    private final String bearer;

    AgentClient(String port, Path bearerFile) throws Exception {
        agent = URI.create("http://localhost:" + port);
        bearer = Files.readString(bearerFile).strip();
    }

    /** A new assertion: it is good once, for some seconds. */
    Map<String, Object> assertion(String profile) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(agent.resolve("/v1/" + profile + "/assertion"))
                .header("Authorization", "Bearer " + bearer)
                .POST(BodyPublishers.noBody())
                .build();
        var response = http.send(request, BodyHandlers.ofString());
        Map<String, Object> answer = JSONObjectUtils.parse(response.body());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(answer.get("kind") + ": " + answer.get("detail"));
        }
        return answer;
    }

    public static void main(String[] arguments) throws Exception {
        var client = new AgentClient(arguments[0], Path.of(arguments[1]));
        var answer = client.assertion(arguments[2]);
        var authentication = new PrivateKeyJWT(SignedJWT.parse((String) answer.get("client_assertion")));
        // Nimbus leaves out client_id, which the assertion says; FIAM wants it all the same.
        var request = new TokenRequest.Builder(
                        URI.create(arguments[3]), authentication, new ClientCredentialsGrant())
                .customParameter("client_id", (String) answer.get("client_id"))
                .build();
        var response = TokenResponse.parse(request.toHTTPRequest().send());
        if (!response.indicatesSuccess()) {
            throw new IllegalStateException(response.toErrorResponse().getErrorObject().toJSONObject().toString());
        }
        var token = response.toSuccessResponse().getTokens().getBearerAccessToken();
        System.out.println(token.getType() + ", " + token.getLifetime() + " s");
    }
}
