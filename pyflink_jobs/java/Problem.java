package millstream;

import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.exc.InputCoercionException;

/** Says in words why a record could not be read. */
class Problem {

    private static final int LONGEST = 100; // characters of a value that are shown
    /** Where Jackson begins to speak of its settings and of objects in Java. */
    private static final String[] BEHIND = {
        ": expected close marker", ": enable `", ": was expecting (", " (1001) exceeds", " (code "
    };

    static String of(JsonParser parser, String column, String type, Throwable problem) {
        if (problem instanceof JsonProcessingException && !(problem instanceof InputCoercionException)) {
            return inShort(((JsonProcessingException) problem).getOriginalMessage()) + where(parser);
        }
        if (column == null) {
            return String.valueOf(problem.getMessage());
        }
        return column + " is " + shown(parser) + ", expected " + type + where(parser);
    }

    static String where(JsonParser parser) {
        return ", at byte " + parser.currentLocation().getByteOffset();
    }

    private static String shown(JsonParser parser) {
        JsonToken token = parser.currentToken();
        try {
            if (token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY) {
                return token == JsonToken.START_OBJECT ? "an object" : "an array";
            }
            String value = parser.getText();
            return value.length() > LONGEST ? value.substring(0, LONGEST) + "..." : value;
        } catch (Exception unreadable) {
            return "unreadable";
        }
    }

    private static String inShort(String message) {
        int end = message.length();
        for (int i = 0; i < BEHIND.length; i++) {
            int found = message.indexOf(BEHIND[i]);
            end = found >= 0 && found < end ? found : end;
        }
        String depth = message.indexOf("nesting depth") >= 0 ? " is above 1000" : "";
        return message.substring(0, end) + depth;
    }
}
