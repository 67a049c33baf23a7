package millstream;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** What is wrong with a record, found before a parser reads it: JSON is an object in UTF-8 here (RFC 8259). */
class Encoding {

    private static final long SIGNS = 0x8080808080808080L; // of eight bytes; no byte of ASCII has its sign bit set

    static String problem(byte[] message) {
        int start = 0;
        while (start < message.length && " \t\r\n".indexOf(message[start]) >= 0) {
            start++;
        }
        if (start == message.length) {
            return message.length == 0 ? "the record is empty" : "the record has nothing but blanks";
        }
        if (message[start] != '{') {
            return "expected a JSON object, found " + shown(message[start]) + " at its start";
        }
        if (start + 1 < message.length && message[start + 1] == 0) {
            return "the record is UTF-16 or UTF-32, expected UTF-8"; // which Jackson would read
        }
        return notUtf8(message, start);
    }

    /** Jackson reads some bytes as text that are not UTF-8: forms longer than needed, half of a surrogate pair. */
    private static String notUtf8(byte[] message, int start) {
        ByteBuffer bytes = ByteBuffer.wrap(message);
        int plain = start;
        while (plain + 8 <= message.length && (bytes.getLong(plain) & SIGNS) == 0) {
            plain += 8;
        }
        while (plain < message.length && message[plain] >= 0) {
            plain++;
        }
        if (plain == message.length) {
            return null;
        }
        CharBuffer text = CharBuffer.allocate(message.length);
        CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(bytes, text, true);
        return result.isError() ? "the record is not UTF-8, at byte " + bytes.position() : null;
    }

    private static String shown(byte first) {
        if (first > ' ' && first < 127) {
            return "'" + (char) first + "'";
        }
        return "byte 0x" + HexFormat.of().toHexDigits(first);
    }
}
