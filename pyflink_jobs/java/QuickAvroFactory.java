package millstream;

import java.util.HashSet;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'quick-avro'. */
public class QuickAvroFactory extends QuickFactory {

    private static final ConfigOption ENCODING = ConfigOptions.key("encoding").stringType().defaultValue("binary");

    String flinks() {
        return "avro";
    }

    public Set requiredOptions() {
        return new HashSet();
    }

    public Set optionalOptions() {
        Set options = new HashSet();
        options.add(ENCODING);
        options.add(ConfigOptions.key("timestamp_mapping.legacy").booleanType().defaultValue(Boolean.TRUE));
        options.add(ConfigOptions.key("fast-read").booleanType().defaultValue(Boolean.FALSE));
        return options;
    }

    PlainReader reader(RowType row, ReadableConfig options) {
        return isBinary(options) && PlainAvro.isPlain(row) ? new PlainAvroReader(row) : null;
    }

    PlainWriter writer(RowType row, ReadableConfig options) {
        return isBinary(options) && PlainAvro.isPlain(row) ? new PlainAvroWriter(row) : null;
    }

    private static boolean isBinary(ReadableConfig options) {
        return "binary".equalsIgnoreCase((String) options.get(ENCODING));
    }
}
