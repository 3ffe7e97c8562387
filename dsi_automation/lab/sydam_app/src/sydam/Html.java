package sydam;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Base64;

/** Pages: their frame, their forms, and text that is only text. */
final class Html {
    static final String TOKEN = "jeton";
    private static final SecureRandom CHANCE = new SecureRandom();

    private Html() {}

    static String escape(Object value) {
        return value == null ? "" : value.toString().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;").replace("'", "&#39;");
    }

    /** A form that is posted with the session's token, so that another site cannot post it in the user's place. */
    static String form(HttpServletRequest request, String path, String fields, String button) {
        return """
                <form method="post" action="%s%s">
                <input type="hidden" name="%s" value="%s">
                %s
                <p><button type="submit">%s</button></p>
                </form>
                """.formatted(request.getContextPath(), path, TOKEN, token(request), fields, escape(button));
    }

    static String field(String label, String name, String type) {
        return "<p><label>%s<br><input type=\"%s\" name=\"%s\" required></label></p>\n"
                .formatted(escape(label), type, name);
    }

    private static String token(HttpServletRequest request) {
        HttpSession session = request.getSession();
        if (session.getAttribute(TOKEN) == null) {
            byte[] bytes = new byte[24];
            CHANCE.nextBytes(bytes);
            session.setAttribute(TOKEN, Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
        }
        return (String) session.getAttribute(TOKEN);
    }

    static boolean tokenFits(HttpServletRequest request) {
        HttpSession session = request.getSession(false);
        String given = request.getParameter(TOKEN);
        return session != null && given != null && given.equals(session.getAttribute(TOKEN));
    }

    static void page(HttpServletRequest request, HttpServletResponse response, int status, String title, String body)
            throws IOException {
        response.setStatus(status);
        response.setContentType("text/html; charset=UTF-8");
        response.setHeader("Cache-Control", "no-store");
        response.getWriter().write("""
                <!DOCTYPE html>
                <html lang="fr"><head><meta charset="utf-8"><title>%1$s – SYDAM World</title>
                <link rel="stylesheet" href="%2$s/sydam.css"></head><body>
                <header><strong>SYDAM World</strong> <small>version %3$s</small>%4$s</header>
                %5$s<main><h1>%1$s</h1>
                %6$s</main></body></html>
                """.formatted(escape(title), request.getContextPath(), escape(Release.version()), menu(request),
                notice(), body));
    }

    private static String menu(HttpServletRequest request) {
        HttpSession session = request.getSession(false);
        if (session == null || !(session.getAttribute(Pages.ACCOUNT) instanceof Account account)) {
            return "";
        }
        String base = request.getContextPath();
        return """
                 <nav>%2$s <a href="%1$s/accueil">Accueil</a> <a href="%1$s/declaration">Déclarations</a>
                <a href="%1$s/tarif">Tarif</a> <a href="%1$s/deconnexion">Se déconnecter</a></nav>
                """.formatted(base, escape(account.name()));
    }

    /** The message that is on now; none, too, while the database does not answer. */
    private static String notice() {
        try (Connection connection = Database.connection()) {
            String text = Cache.lines(connection,
                    "SELECT texte FROM avis WHERE jusqua IS NULL OR jusqua > now() ORDER BY publie_le DESC LIMIT 1");
            return text.isBlank() ? "" : "<p class=\"avis\" role=\"alert\">" + escape(text.strip()) + "</p>\n";
        } catch (SQLException error) {
            return "";
        }
    }
}
