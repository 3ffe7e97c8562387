package sydam;

import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** A declaration that somebody has open for changes: its rows are locked until it is let go, or the session ends. */
final class Entry implements HttpSessionBindingListener {
    final long number;
    private final Connection connection;

    private Entry(long number, Connection connection) {
        this.number = number;
        this.connection = connection;
    }

    /** Lock a declaration; null when there is none, or when somebody else holds it. */
    static Entry open(long number) throws SQLException {
        Connection connection = Database.connection();
        try {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT numero FROM declarations WHERE numero = ? FOR UPDATE SKIP LOCKED")) {
                statement.setLong(1, number);
                try (ResultSet rows = statement.executeQuery()) {
                    if (rows.next()) {
                        return new Entry(number, connection);
                    }
                }
            }
            close(connection);
            return null;
        } catch (SQLException error) {
            close(connection);
            throw error;
        }
    }

    @Override
    public void valueUnbound(HttpSessionBindingEvent event) {
        try {
            close(connection);
        } catch (SQLException error) {
            // The database went away, and the lock with it.
            event.getSession().getServletContext().log("Saisie " + number + " : " + error.getMessage());
        }
    }

    private static void close(Connection connection) throws SQLException {
        try (connection) {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }
}
