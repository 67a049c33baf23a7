package millstream;

import java.io.IOException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParseException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.util.JsonParserDelegate;

/** A parser that refuses 1.5 as an integer, where Flink would cut it to 1, and knows what it refused and where. */
class StrictParser extends JsonParserDelegate {

    private static final int LONGEST = 100;

    private String syntax;

    StrictParser(JsonParser parser) {
        super(parser);
    }

    public JsonToken nextToken() throws IOException {
        try {
            return delegate.nextToken();
        } catch (JsonProcessingException problem) {
            syntax = inShort(problem.getOriginalMessage()) + where();
            throw problem;
        }
    }

    public String getText() throws IOException {
        try {
            return delegate.getText();
        } catch (JsonProcessingException problem) {
            syntax = inShort(problem.getOriginalMessage()) + where();
            throw problem;
        }
    }

    public int getIntValue() throws IOException {
        refuseFraction();
        return delegate.getIntValue();
    }

    public long getLongValue() throws IOException {
        refuseFraction();
        return delegate.getLongValue();
    }

    private void refuseFraction() throws IOException {
        if (delegate.currentToken() == JsonToken.VALUE_NUMBER_FLOAT
                && delegate.getDecimalValue().stripTrailingZeros().scale() > 0) {
            throw new JsonParseException(delegate, "not an integer");
        }
    }

    /** Tell in words why a record could not be read. */
    String explain(Throwable problem) {
        if (syntax != null) {
            return syntax;
        }
        String field = null;
        String value = null;
        try {
            field = delegate.currentName();
            value = delegate.getText();
        } catch (Throwable unreadable) {
            // What is wrong stands in the message then.
        }
        if (field != null && value != null && delegate.currentToken() != JsonToken.FIELD_NAME) {
            String shown = value.length() > LONGEST ? value.substring(0, LONGEST) + "..." : value;
            return field + " is " + shown + ", which is not of its column's type" + where();
        }
        return problem.getMessage();
    }

    /** Cut what speaks of Jackson's settings and of objects in Java. */
    private static String inShort(String message) {
        String[] behind = {": expected close marker", ": enable `", ": was expecting (", " (1001) exceeds", " (code "};
        int end = message.length();
        for (int i = 0; i < behind.length; i++) {
            int found = message.indexOf(behind[i]);
            end = found >= 0 && found < end ? found : end;
        }
        return message.substring(0, end) + (end < message.length() && message.indexOf("nesting") >= 0 ? " is above 1000" : "");
    }

    private String where() {
        return ", at byte " + delegate.currentLocation().getByteOffset();
    }
}
