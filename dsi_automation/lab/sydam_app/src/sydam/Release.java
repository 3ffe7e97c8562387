package sydam;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/** What this release is, by its `version.properties`. */
final class Release {
    private static final Properties OF = read();

    private Release() {}

    static String version() {
        return OF.getProperty("version", "?");
    }

    /** Whether declarations have the column `observation`, which a script of the release adds. */
    static boolean observations() {
        return Boolean.parseBoolean(OF.getProperty("observations"));
    }

    /** The page this release breaks, `/connexion`; empty for a sound one. */
    static String broken() {
        return OF.getProperty("broken", "");
    }

    private static Properties read() {
        Properties found = new Properties();
        try (InputStream stream = Release.class.getResourceAsStream("/version.properties");
                Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
            found.load(reader);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return found;
    }
}
