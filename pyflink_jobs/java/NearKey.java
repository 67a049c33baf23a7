package millstream;

import java.io.IOException;
import java.util.Locale;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** Names the key of a JSON record that has a column's letters and digits, written otherwise; NULL where there is none. */
public class NearKey extends ScalarFunction {

    private transient JsonFactory json;

    @Override
    public void open(FunctionContext context) {
        json = new JsonFactory();
    }

    public String eval(byte[] record, String column) {
        if (record == null) {
            return null;
        }
        String wanted = bare(column);
        try (JsonParser parser = json.createParser(record)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                if (!key.equals(column) && bare(key).equals(wanted)) {
                    return key;
                }
                parser.nextToken();
                parser.skipChildren();
            }
        } catch (IOException problem) {
            return null; // a record that cannot be decoded is in quarantine for that
        }
        return null;
    }

    private static String bare(String name) {
        return name.replaceAll("[^\\p{L}\\p{N}]", "").toLowerCase(Locale.ROOT);
    }
}
