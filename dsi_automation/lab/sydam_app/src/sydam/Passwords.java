package sydam;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** Passwords as they are stored: `pbkdf2-sha256$ITERATIONS$SALT$HASH`, salt and hash in Base64 (RFC 8018). */
final class Passwords {
    private static final int ITERATIONS = 10_000;
    private static final int BITS = 256;

    private Passwords() {}

    static boolean fits(String password, String stored) {
        String[] parts = stored.split("\\$");
        if (parts.length != 4 || !parts[0].equals("pbkdf2-sha256")) {
            return false;
        }
        byte[] salt = Base64.getDecoder().decode(parts[2]);
        byte[] expected = Base64.getDecoder().decode(parts[3]);
        return MessageDigest.isEqual(expected, derive(password, salt, Integer.parseInt(parts[1]), expected.length * 8));
    }

    static String store(String password) {
        byte[] salt = new byte[16];
        new SecureRandom().nextBytes(salt);
        Base64.Encoder text = Base64.getEncoder();
        byte[] hash = derive(password, salt, ITERATIONS, BITS);
        return "pbkdf2-sha256$" + ITERATIONS + "$" + text.encodeToString(salt) + "$" + text.encodeToString(hash);
    }

    private static byte[] derive(String password, byte[] salt, int iterations, int bits) {
        try {
            SecretKeyFactory factory = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
            return factory.generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, bits)).getEncoded();
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }
}
