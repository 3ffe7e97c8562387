package sydam;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Declarations: asked for by their number, and opened for changes. */
final class Declarations {
    private static final String QUESTION = "SELECT d.bureau, b.libelle, d.regime, o.raison_sociale, d.circuit, d.etat,"
            + " d.enregistree_le::date AS jour%s FROM declarations d JOIN bureaux b ON b.code = d.bureau"
            + " JOIN operateurs o ON o.compte_contribuable = d.declarant WHERE d.numero = ?";
    private static final String ENTRY = "saisie";

    private Declarations() {}

    static void show(HttpServletRequest request, HttpServletResponse response) throws IOException, SQLException {
        String asked = request.getParameter("numero");
        if (asked == null) {
            Html.page(request, response, 200, "Consulter une déclaration", question(request));
            return;
        }
        long number = number(asked);
        try (Connection connection = Database.connection()) {
            String found = found(connection, number);
            if (found == null) {
                Html.page(request, response, 404, "Déclaration introuvable",
                        "<p>Aucune déclaration ne porte ce numéro.</p>\n" + question(request));
                return;
            }
            String articles = Cache.get("declaration-" + number, () -> Cache.lines(connection,
                    "SELECT rang, position_tarifaire, designation, origine, poids_net_kg, valeur_caf FROM articles"
                            + " WHERE declaration = " + number + " ORDER BY rang"));
            Html.page(request, response, 200, "Déclaration " + number, found + table(articles,
                    "Rang", "Position", "Désignation", "Origine", "Poids net (kg)", "Valeur CAF (F CFA)")
                    + entry(request, number));
        }
    }

    static void tariff(HttpServletRequest request, HttpServletResponse response) throws IOException, SQLException {
        try (Connection connection = Database.connection()) {
            Html.page(request, response, 200, "Tarif", table(Cache.tariff(connection),
                    "Position", "Désignation", "DD (%)", "RST (%)", "TVA (%)"));
        }
    }

    /** Open a declaration for changes, or let the one that is open go. */
    static void enter(HttpServletRequest request, HttpServletResponse response) throws IOException, SQLException {
        HttpSession session = request.getSession();
        String asked = request.getParameter("numero");
        session.removeAttribute(ENTRY);
        if (asked == null) {
            Html.page(request, response, 200, "Saisie abandonnée", "<p>Plus aucune déclaration n’est réservée.</p>\n");
            return;
        }
        long number = number(asked);
        Entry opened = Entry.open(number);
        if (opened == null) {
            Html.page(request, response, 409, "Saisie impossible",
                    "<p>Cette déclaration n’existe pas, ou un autre utilisateur l’a en saisie.</p>\n");
            return;
        }
        session.setAttribute(ENTRY, opened);
        Html.page(request, response, 200, "Saisie en cours", "<p>La déclaration " + number
                + " vous est réservée jusqu’à la fin de la saisie.</p>\n"
                + Html.form(request, "/saisie", "", "Abandonner la saisie"));
    }

    private static String found(Connection connection, long number) throws SQLException {
        String more = Release.observations() ? ", d.observation" : "";
        try (PreparedStatement statement = connection.prepareStatement(QUESTION.formatted(more))) {
            statement.setLong(1, number);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                String observation = Release.observations() ? line("Observation", row.getString("observation")) : "";
                return "<dl>" + line("Bureau", row.getString("bureau") + " " + row.getString("libelle"))
                        + line("Régime", row.getString("regime")) + line("Déclarant", row.getString("raison_sociale"))
                        + line("Circuit", row.getString("circuit")) + line("État", row.getString("etat"))
                        + line("Enregistrée le", row.getString("jour")) + observation + "</dl>\n";
            }
        }
    }

    private static String question(HttpServletRequest request) {
        return "<form method=\"get\" action=\"" + request.getContextPath() + "/declaration\">\n"
                + Html.field("Numéro de la déclaration", "numero", "text")
                + "<p><button type=\"submit\">Consulter</button></p></form>\n";
    }

    private static String entry(HttpServletRequest request, long number) {
        String hidden = "<input type=\"hidden\" name=\"numero\" value=\"" + number + "\">";
        return Html.form(request, "/saisie", hidden, "Ouvrir en saisie");
    }

    private static String line(String term, String value) {
        return "<dt>" + term + "</dt><dd>" + Html.escape(value == null ? "–" : value) + "</dd>\n";
    }

    private static String table(String lines, String... heads) {
        StringBuilder text = new StringBuilder("<table><thead><tr>");
        for (String head : heads) {
            text.append("<th>").append(Html.escape(head)).append("</th>");
        }
        text.append("</tr></thead><tbody>\n");
        lines.lines().forEach(line -> {
            text.append("<tr>");
            for (String cell : line.split("\t", -1)) {
                text.append("<td>").append(Html.escape(cell)).append("</td>");
            }
            text.append("</tr>\n");
        });
        return text.append("</tbody></table>\n").toString();
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException error) {
            return -1;
        }
    }
}
