package sydam;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is kept in memory, and on disk for the next start: articles of declarations, and the tariff. */
final class Cache {
    private static final Path FOLDER = Path.of(System.getProperty("catalina.base"), "cache");
    private static final Map<String, String> KEPT = new ConcurrentHashMap<>();

    /** What fills an entry. */
    interface Source {
        String read() throws SQLException;
    }

    private Cache() {}

    /** Return an entry: from memory, else from the disk, else from its source, and then kept in both. */
    static String get(String key, Source source) throws SQLException {
        String kept = KEPT.get(key);
        if (kept != null) {
            return kept;
        }
        Path file = FOLDER.resolve(key + ".tsv");
        try {
            if (Files.exists(file)) {
                kept = Files.readString(file);
            } else {
                kept = source.read();
                Files.createDirectories(FOLDER);
                Path temporary = Files.createTempFile(FOLDER, key, ".new");
                Files.writeString(temporary, kept);
                Files.move(temporary, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException error) {
            // A cache that cannot be written slows down, and stops nobody.
            kept = kept == null ? source.read() : kept;
        }
        KEPT.put(key, kept);
        return kept;
    }

    static int size() {
        return KEPT.size();
    }

    /** The tariff: lines of position, designation, DD, RST and VAT, separated by tabs. */
    static String tariff(Connection connection) throws SQLException {
        return get("tarif", () -> lines(connection, "SELECT position, designation, dd, rst, tva FROM tarif ORDER BY 1"));
    }

    /** Return the rows of a question as lines, columns separated by tabs. */
    static String lines(Connection connection, String question) throws SQLException {
        StringBuilder text = new StringBuilder();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(question)) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                for (int column = 1; column <= columns; column++) {
                    text.append(column == 1 ? "" : "\t").append(rows.getString(column));
                }
                text.append('\n');
            }
        }
        return text.toString();
    }
}
