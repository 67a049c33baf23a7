package peers;

import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.specific.SpecificRecordBase;

/** An Avro record of the output topic, around a score. */
public class AvroScore extends SpecificRecordBase {
    public static final Schema SCHEMA$ = new Schema.Parser().parse(
            "{\"type\": \"record\", \"name\": \"AvroScore\", \"namespace\": \"peers\", \"fields\": ["
            + "{\"name\": \"id\", \"type\": [\"null\", \"long\"]}, "
            + "{\"name\": \"sent_us\", \"type\": [\"null\", \"long\"]}, "
            + "{\"name\": \"y\", \"type\": [\"null\", \"float\"]}]}");

    private final Score score;

    public AvroScore() {
        this(new Score());
    }

    public AvroScore(Score score) {
        this.score = score;
    }

    public Schema getSchema() {
        return SCHEMA$;
    }

    public Object get(int field) {
        if (field == 0) {
            return Long.valueOf(score.id);
        }
        return field == 1 ? (Object) Long.valueOf(score.sent_us) : (Object) Float.valueOf(score.y);
    }

    public void put(int field, Object value) {
        throw new UnsupportedOperationException("scores are only written");
    }
}
