package sydam;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;

/** The way to the database: the server's pool, or what a fault makes of it. */
final class Database {
    private Database() {}

    /** A connection; the caller closes it. A database that comes up after the application works from then on. */
    static Connection connection() throws SQLException {
        if (Faults.on("database_down")) {
            // Nobody listens on port 1: refused by the machine of the database itself.
            return DriverManager.getConnection(url().replaceFirst(":\\d+/", ":1/"), "sydam", "");
        }
        if (Faults.on("wrong_password")) {
            return DriverManager.getConnection(url(), "sydam", "n’est pas le bon");
        }
        return pool().getConnection();
    }

    private static DataSource pool() {
        return (DataSource) lookup("jdbc/sydam");
    }

    private static String url() {
        return (String) lookup("sydam/url");
    }

    private static Object lookup(String name) {
        try {
            return new InitialContext().lookup("java:comp/env/" + name);
        } catch (NamingException error) {
            throw new IllegalStateException(error);
        }
    }
}
