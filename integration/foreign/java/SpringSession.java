import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a session as Spring Session's RedisIndexedSessionRepository lays it out, with the values as its default serializer
 * makes them: by the JDK's own ObjectOutputStream. Spring Session itself is not used; it is in no package of Debian's. Names,
 * kinds of values and the five minutes are those of its documentation ("Storage Details").
 *
 * <p>{@code java SpringSession PORT DATABASE ID USER} does what a login does, {@code java SpringSession PORT DATABASE ID}
 * what the end of that session does.
 */
public final class SpringSession {
    private static final String SESSIONS = "spring:session:sessions:";
    private static final String PRINCIPAL = "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME";
    private static final int SECONDS = 1800;
    private static final int FIVE_MINUTES = 300;

    /** Of the kind that Spring Security leaves in a session: a class of the application's, with others inside. */
    static final class SecurityContext implements Serializable {
        private static final long serialVersionUID = 620L;
        private final Authentication authentication;

        SecurityContext(String user) {
            authentication = new Authentication(user, Set.of("ROLE_EDITOR"));
        }
    }

    static final class Authentication implements Serializable {
        private static final long serialVersionUID = 620L;
        private final String principal;
        private final Set<String> authorities;
        private final boolean authenticated = true;
        private transient String credentials;

        Authentication(String principal, Set<String> authorities) {
            this.principal = principal;
            this.authorities = authorities;
        }
    }

    private enum Plan { FREE, PAID }

    /** Makes bytes of a value. */
    interface Serializer {
        byte[] apply(Object value) throws IOException;
    }

    static Serializer serializer = SpringSession::inJava;

    private final DataInputStream in;
    private final OutputStream out;

    private SpringSession(Socket socket) throws IOException {
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    public static void main(String[] words) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", Integer.parseInt(words[0]))) {
            SpringSession spring = new SpringSession(socket);
            spring.send(text("SELECT"), text(words[1]));
            if (words.length > 3) spring.begin(words[2], words[3]);
            else spring.end(words[2]);
        }
    }

    private void begin(String id, String user) throws IOException {
        long now = System.currentTimeMillis();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("creationTime", now);
        fields.put("maxInactiveInterval", SECONDS);
        fields.put("lastAccessedTime", now);
        fields.put("sessionAttr:userId", user);
        fields.put("sessionAttr:roles", "editor");
        fields.put("sessionAttr:name", "Jürgen Groß \uD83D\uDE00");
        fields.put("sessionAttr:odd", "a\u0000b");
        fields.put("sessionAttr:account", 9_007_199_254_740_993L);
        fields.put("sessionAttr:level", -3);
        fields.put("sessionAttr:active", true);
        fields.put("sessionAttr:ratio", 0.25);
        fields.put("sessionAttr:plan", Plan.PAID);
        fields.put("sessionAttr:basket", new HashMap<>(Map.of("pears", 2, "userId", "mallory")));
        fields.put("sessionAttr:recent", new ArrayList<>(List.of("a", "b")));
        fields.put("sessionAttr:SPRING_SECURITY_CONTEXT", new SecurityContext(user));
        fields.put("sessionAttr:" + PRINCIPAL, user);
        // What was removed stays, with nothing in it.
        fields.put("sessionAttr:removed", null);
        write(id, fields, SECONDS);
        send(text("SET"), text(SESSIONS + "expires:" + id), text(""), text("EX"), text("" + SECONDS));
        long minute = (now / 60_000 + SECONDS / 60 + 1) * 60_000;
        send(text("SADD"), text("spring:session:expirations:" + minute), serialized("expires:" + id));
        send(text("EXPIRE"), text("spring:session:expirations:" + minute), text("" + (SECONDS + FIVE_MINUTES)));
        send(text("SADD"), text("spring:session:index:" + PRINCIPAL + ":" + user), serialized(id));
    }

    /** The hash is kept for those who want to know what ended; its interval says that it has. */
    private void end(String id) throws IOException {
        send(text("DEL"), text(SESSIONS + "expires:" + id));
        write(id, Map.of("maxInactiveInterval", 0), 0);
    }

    private void write(String id, Map<String, Object> fields, int seconds) throws IOException {
        List<byte[]> words = new ArrayList<>(List.of(text("HMSET"), text(SESSIONS + id)));
        for (Map.Entry<String, Object> field : fields.entrySet()) {
            words.add(text(field.getKey()));
            words.add(serialized(field.getValue()));
        }
        send(words.toArray(new byte[0][]));
        send(text("EXPIRE"), text(SESSIONS + id), text("" + (seconds + FIVE_MINUTES)));
    }

    private static byte[] serialized(Object value) throws IOException {
        return value == null ? new byte[0] : serializer.apply(value);
    }

    private static byte[] inJava(Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream writer = new ObjectOutputStream(bytes)) {
            writer.writeObject(value);
        }
        return bytes.toByteArray();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Sends a command and reads its answer, which is a number or a word. */
    @SuppressWarnings("deprecation")
    private void send(byte[]... words) throws IOException {
        ByteArrayOutputStream command = new ByteArrayOutputStream();
        command.write(text("*" + words.length + "\r\n"));
        for (byte[] word : words) {
            command.write(text("$" + word.length + "\r\n"));
            command.write(word);
            command.write(text("\r\n"));
        }
        out.write(command.toByteArray());
        out.flush();
        String answer = in.readLine();
        if (answer == null || answer.startsWith("-")) throw new IOException("Redis: " + answer);
    }
}
