package sydam;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;

/** Start and end of the application, and what goes wrong with them on purpose. */
public final class Life implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
        event.getServletContext().log("SYDAM World " + Release.version() + " : démarrage");
        double seconds = Faults.seconds("dies_after_start", 60);
        if (seconds > 0) {
            Thread ending = new Thread(() -> {
                Faults.sleep(seconds);
                if (!Faults.on("dies_after_start")) {
                    return;
                }
                System.err.println("java.lang.OutOfMemoryError: Java heap space");
                Runtime.getRuntime().halt(1);
            });
            ending.setDaemon(true);
            ending.start();
        }
    }

    @Override
    public void contextDestroyed(ServletContextEvent event) {
        if (Faults.on("hangs_on_stop")) {
            System.err.println("Arrêt : attente de la fin des traitements en cours");
        }
        while (Faults.on("hangs_on_stop")) {
            Faults.sleep(0.2);
        }
        event.getServletContext().log("SYDAM World " + Release.version() + " : arrêt");
    }
}
