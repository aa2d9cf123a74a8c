import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/**
 * An assertion and an access token from Java, by JNA (Java 22 and newer can do the same with java.lang.foreign).
 *
 * <pre>java -cp jna.jar Token.java /usr/lib/libprivyseal.so config.toml kpn</pre>
 */
public final class Token {
    /** The functions of privyseal.h. */
    public interface Privyseal extends Library {
        int privyseal_open(String config, String profile, PointerByReference client, PointerByReference error);

        int privyseal_self_test(Pointer client, PointerByReference error);

        int privyseal_assertion(Pointer client, String audience, PointerByReference text, PointerByReference error);

        int privyseal_token(Pointer client, PointerByReference text, PointerByReference error);

        void privyseal_free(Pointer text);

        void privyseal_close(Pointer client);
    }

    /** A sentence, and whose business it is. */
    public static final class PrivysealException extends Exception {
        public final int status;

        PrivysealException(int status, String text) {
            super(text);
            this.status = status;
        }
    }

    /** The client of a profile. Threads may share it. */
    public static final class Client implements AutoCloseable {
        private final Privyseal library;
        private final Pointer client;

        public Client(String path, String config, String profile) throws PrivysealException {
            library = Native.load(path, Privyseal.class);
            client = call((result, error) -> library.privyseal_open(config, profile, result, error));
        }

        public void selfTest() throws PrivysealException {
            call((result, error) -> library.privyseal_self_test(client, error));
        }

        public String assertion(String audience) throws PrivysealException {
            return taken(call((result, error) -> library.privyseal_assertion(client, audience, result, error)));
        }

        public String token() throws PrivysealException {
            return taken(call((result, error) -> library.privyseal_token(client, result, error)));
        }

        @Override
        public void close() {
            library.privyseal_close(client);
        }

        private interface Call {
            int of(PointerByReference result, PointerByReference error);
        }

        private Pointer call(Call call) throws PrivysealException {
            PointerByReference result = new PointerByReference();
            PointerByReference error = new PointerByReference();
            int status = call.of(result, error);
            if (status != 0) {
                throw new PrivysealException(status, taken(error.getValue()));
            }
            return result.getValue();
        }

        private String taken(Pointer text) {
            try {
                return text.getString(0, "UTF-8");
            } finally {
                library.privyseal_free(text);
            }
        }
    }

    public static void main(String[] words) {
        try (Client client = new Client(words[0], words[1], words[2])) {
            client.selfTest();
            System.out.println(client.assertion(null));
            System.out.println(client.token());
        } catch (PrivysealException error) {
            System.err.println(error.getMessage());
            System.exit(error.status);
        }
    }
}
