package sydam;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What is wrong on purpose: a file each in the folder `faults` of the server; its content is a number of seconds. */
final class Faults {
    private static final Path FOLDER = Path.of(System.getProperty("catalina.base"), "faults");

    private Faults() {}

    static boolean on(String name) {
        return Files.exists(FOLDER.resolve(name));
    }

    /** The seconds a fault was given; `otherwise` when it is on without a number, 0 when it is off. */
    static double seconds(String name, double otherwise) {
        try {
            String text = Files.readString(FOLDER.resolve(name)).strip();
            return text.isEmpty() ? otherwise : Double.parseDouble(text);
        } catch (IOException error) {
            return 0;
        } catch (NumberFormatException error) {
            return otherwise;
        }
    }

    /** Sleep that long, as far as the thread is let. */
    static void sleep(double seconds) {
        try {
            Thread.sleep((long) (seconds * 1000));
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }
}
