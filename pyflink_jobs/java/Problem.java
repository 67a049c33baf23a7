package millstream;

import java.util.List;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.exc.InputCoercionException;

/** Says in words why a record could not be read. */
class Problem {

    private static final int LONGEST = 100; // characters of a value that are shown
    /** Where the part of a message begins that is about Jackson's settings or about objects in Java. */
    private static final List<String> CUT_AT =
            List.of(": expected close marker", ": enable `", ": was expecting (", " (1001) exceeds", " (code ");

    static String of(JsonParser parser, String column, String type, TimestampFormat timestamps, Throwable problem) {
        if (problem instanceof JsonProcessingException jackson && !(problem instanceof InputCoercionException)) {
            return inShort(jackson.getOriginalMessage()) + where(parser);
        }
        if (column == null) {
            return String.valueOf(problem.getMessage());
        }
        String value = shown(parser);
        String hint = TimeForm.hint(value, column, type, timestamps);
        return column + " is " + value + ", expected " + type + where(parser) + hint;
    }

    static String where(JsonParser parser) {
        return ", at byte " + parser.currentLocation().getByteOffset();
    }

    private static String shown(JsonParser parser) {
        try {
            return switch (parser.currentToken()) {
                case START_OBJECT -> "an object";
                case START_ARRAY -> "an array";
                default -> {
                    String value = parser.getText();
                    yield value.length() > LONGEST ? value.substring(0, LONGEST) + "..." : value;
                }
            };
        } catch (Exception unreadable) {
            return "unreadable";
        }
    }

    private static String inShort(String message) {
        int end = CUT_AT.stream().mapToInt(message::indexOf).filter(at -> at >= 0).min().orElse(message.length());
        String depth = message.contains("nesting depth") ? " is above 1000" : "";
        return message.substring(0, end) + depth;
    }
}
