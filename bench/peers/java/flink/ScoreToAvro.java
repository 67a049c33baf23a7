package peers;

import org.apache.flink.api.common.functions.MapFunction;

/** Makes an Avro record of a score. */
public class ScoreToAvro implements MapFunction {
    public Object map(Object score) {
        return new AvroScore((Score) score);
    }
}
