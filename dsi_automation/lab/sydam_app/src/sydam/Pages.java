package sydam;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.sql.SQLException;

/** Every page of SYDAM World, as far as the lab needs it. */
public final class Pages extends HttpServlet {
    private static final long serialVersionUID = 1;
    static final String ACCOUNT = "compte";
    private static final int SHORTEST_PASSWORD = 10;

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        request.setCharacterEncoding("UTF-8");
        String path = request.getServletPath().isEmpty() ? "/accueil" : request.getServletPath();
        Faults.sleep(Faults.seconds("slow", 5));
        if (path.equals(Release.broken())) {
            throw new ServletException("java.lang.NoSuchMethodError: ci.douanes.sydam.Session.ouvrir()");
        }
        try {
            answer(path, request, response);
        } catch (SQLException error) {
            log(path + " : " + error.getMessage());
            boolean isAway = error.getSQLState() == null || error.getSQLState().startsWith("08")
                    || error.getSQLState().startsWith("28") || error.getSQLState().startsWith("57P");
            Html.page(request, response, isAway ? 503 : 500, isAway ? "Base de données indisponible" : "Erreur",
                    isAway ? "<p>La base de données ne répond pas. Réessayez dans quelques minutes.</p>\n"
                            : "<p>La base de données a refusé la demande. Prévenez l’assistance.</p>\n");
        }
    }

    private void answer(String path, HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException, SQLException {
        boolean isPosted = request.getMethod().equals("POST");
        if (isPosted && !Html.tokenFits(request)) {
            Html.page(request, response, 403, "Page périmée",
                    "<p>Cette page a expiré. Revenez à l’accueil et recommencez.</p>\n");
        } else if (path.equals("/version")) {
            response.setContentType("text/plain; charset=UTF-8");
            response.getWriter().println(Release.version());
        } else if (path.equals("/connexion")) {
            if (isPosted) {
                logIn(request, response);
            } else {
                loginPage(request, response, "");
            }
        } else if (account(request) == null) {
            go(request, response, "/connexion");
        } else if (path.equals("/deconnexion")) {
            request.getSession().invalidate();
            Html.page(request, response, 200, "Déconnexion", "<p>Vous êtes déconnecté.</p>\n");
        } else if (account(request).mustChange() && !path.equals("/mot-de-passe")) {
            go(request, response, "/mot-de-passe");
        } else {
            inside(path, isPosted, request, response);
        }
    }

    private void inside(String path, boolean isPosted, HttpServletRequest request, HttpServletResponse response)
            throws IOException, SQLException {
        switch (path) {
            case "/mot-de-passe" -> changePassword(isPosted, request, response);
            case "/declaration" -> Declarations.show(request, response);
            case "/tarif" -> Declarations.tariff(request, response);
            case "/saisie" -> {
                if (isPosted) {
                    Declarations.enter(request, response);
                } else {
                    go(request, response, "/declaration");
                }
            }
            case "/accueil" -> Html.page(request, response, 200, "Accueil", """
                    <p>Bienvenue, %s.</p>
                    <p>Profil : %s. Éléments en mémoire : %d.</p>
                    """.formatted(Html.escape(account(request).name()), Html.escape(account(request).profile()),
                    Cache.size()));
            default -> Html.page(request, response, 404, "Page introuvable", "<p>Cette page n’existe pas.</p>\n");
        }
    }

    private void logIn(HttpServletRequest request, HttpServletResponse response) throws IOException, SQLException {
        Account account = Account.of(parameter(request, "identifiant"), parameter(request, "mot_de_passe"));
        if (account == null) {
            loginPage(request, response, "<p class=\"erreur\">Identifiant ou mot de passe incorrect.</p>\n");
            return;
        }
        // Whoever knew the number of the session before the login does not know it now.
        request.changeSessionId();
        request.getSession().setAttribute(ACCOUNT, account);
        go(request, response, account.mustChange() ? "/mot-de-passe" : "/accueil");
    }

    private void loginPage(HttpServletRequest request, HttpServletResponse response, String why) throws IOException {
        String fields = Html.field("Identifiant", "identifiant", "text")
                + Html.field("Mot de passe", "mot_de_passe", "password");
        Html.page(request, response, 200, "Connexion", why + Html.form(request, "/connexion", fields, "Se connecter"));
    }

    private void changePassword(boolean isPosted, HttpServletRequest request, HttpServletResponse response)
            throws IOException, SQLException {
        String why = "";
        if (isPosted) {
            String given = parameter(request, "nouveau");
            if (given.length() < SHORTEST_PASSWORD) {
                why = "<p class=\"erreur\">Dix caractères au moins.</p>\n";
            } else if (!given.equals(parameter(request, "confirmation"))) {
                why = "<p class=\"erreur\">Les deux saisies diffèrent.</p>\n";
            } else if (Account.of(account(request).login(), given) != null) {
                why = "<p class=\"erreur\">Choisissez un autre mot de passe que l’ancien.</p>\n";
            } else {
                request.getSession().setAttribute(ACCOUNT, account(request).change(given));
                go(request, response, "/accueil");
                return;
            }
        }
        String fields = Html.field("Nouveau mot de passe", "nouveau", "password")
                + Html.field("Confirmation", "confirmation", "password");
        Html.page(request, response, 200, "Changez votre mot de passe",
                why + Html.form(request, "/mot-de-passe", fields, "Changer"));
    }

    private static String parameter(HttpServletRequest request, String name) {
        String value = request.getParameter(name);
        return value == null ? "" : value;
    }

    private static Account account(HttpServletRequest request) {
        HttpSession session = request.getSession(false);
        return session == null ? null : (Account) session.getAttribute(ACCOUNT);
    }

    private static void go(HttpServletRequest request, HttpServletResponse response, String path) throws IOException {
        response.sendRedirect(request.getContextPath() + path);
    }
}
