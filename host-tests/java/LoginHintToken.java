package privyseal;

import com.fasterxml.jackson.databind.JsonNode;
import org.keycloak.Config;
import org.keycloak.models.KeycloakContext;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.UserModel;
import org.keycloak.protocol.oidc.grants.ciba.resolvers.CIBALoginUserResolver;
import org.keycloak.protocol.oidc.grants.ciba.resolvers.CIBALoginUserResolverFactory;

/**
 * Tells Keycloak which user a login_hint_token means. CIBA Core leaves its form to the provider, and so does
 * Keycloak: out of the box it knows none, and its users are found by login_hint, which itsme does not accept.
 * This is itsme's form: a JWT of the client over {"type": "user_identifier_token", "value": "..."}; the value
 * is taken for a user name. Keycloak's own code verifies its signature, with the client's keys.
 */
public final class LoginHintToken implements CIBALoginUserResolverFactory {
    @Override
    public CIBALoginUserResolver create(KeycloakSession session) {
        return new Resolver(session);
    }

    @Override
    public String getId() {
        return "login-hint-token";
    }

    /** More than that of the one that comes with Keycloak. */
    @Override
    public int order() {
        return 1;
    }

    @Override
    public void init(Config.Scope config) {
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
    }

    @Override
    public void close() {
    }

    private record Resolver(KeycloakSession session) implements CIBALoginUserResolver {
        @Override
        public UserModel getUserFromLoginHintToken(String token) {
            KeycloakContext context = session.getContext();
            JsonNode hint = session.tokens().decodeClientJWT(token, context.getClient(), JsonNode.class);
            if (hint == null || !hint.path("type").asText().equals("user_identifier_token")) {
                return null;
            }
            return userOf(hint.path("value").asText());
        }

        @Override
        public UserModel getUserFromInfoUsedByAuthentication(String name) {
            return userOf(name);
        }

        @Override
        public void close() {
        }

        private UserModel userOf(String name) {
            return session.users().getUserByUsername(session.getContext().getRealm(), name);
        }
    }
}
