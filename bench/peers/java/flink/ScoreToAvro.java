package peers;

import org.apache.flink.api.common.functions.MapFunction;

/** Makes an Avro record of a score. */
public class ScoreToAvro implements MapFunction {
    public Object map(Object value) {
        Score score = (Score) value;
        AvroScore record = new AvroScore();
        record.id = score.id;
        record.sent_us = score.sent_us;
        record.y = score.y;
        return record;
    }
}
