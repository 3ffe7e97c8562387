package sydam;

import java.io.Serializable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Somebody who is logged in. */
record Account(String login, String name, String profile, boolean mustChange) implements Serializable {
    /** Return whose login and password these are; null when they are nobody's, or the account is not active. */
    static Account of(String login, String password) throws SQLException {
        try (Connection connection = Database.connection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT nom, profil, actif, doit_changer, mot_de_passe FROM utilisateurs WHERE login = ?")) {
            statement.setString(1, login);
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next() || !rows.getBoolean("actif") || locked(login)) {
                    return null;
                }
                return Passwords.fits(password, rows.getString("mot_de_passe"))
                        ? new Account(login, rows.getString("nom"), rows.getString("profil"), rows.getBoolean("doit_changer"))
                        : null;
            }
        }
    }

    /** Store another password; return the account as it is then. */
    Account change(String password) throws SQLException {
        try (Connection connection = Database.connection();
                PreparedStatement statement = connection.prepareStatement(
                        "UPDATE utilisateurs SET mot_de_passe = ?, doit_changer = false, modifie_le = now() WHERE login = ?")) {
            statement.setString(1, Passwords.store(password));
            statement.setString(2, login);
            statement.executeUpdate();
        }
        return new Account(login, name, profile, false);
    }

    private static boolean locked(String login) {
        return login.equals("test.connexion") && Faults.on("test_account_locked");
    }
}
