package millstream;

import java.util.Set;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.json.JsonFormatFactory;
import org.apache.flink.formats.json.JsonFormatOptions;
import org.apache.flink.formats.json.JsonFormatOptionsUtil;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'quick-json'. */
public class QuickJsonFactory extends QuickFactory {

    String flinks() {
        return JsonFormatFactory.IDENTIFIER;
    }

    public Set requiredOptions() {
        return new JsonFormatFactory().requiredOptions();
    }

    public Set optionalOptions() {
        return new JsonFormatFactory().optionalOptions();
    }

    PlainReader reader(RowType row, ReadableConfig options) {
        boolean complete = ((Boolean) options.get(JsonFormatOptions.FAIL_ON_MISSING_FIELD)).booleanValue();
        return new PlainJsonReader(row, complete, JsonFormatOptionsUtil.getTimestampFormat(options));
    }

    PlainWriter writer(RowType row, ReadableConfig options) {
        boolean all = !((Boolean) options.get(JsonFormatOptions.ENCODE_IGNORE_NULL_FIELDS)).booleanValue();
        return all ? PlainJsonWriter.of(row, JsonFormatOptionsUtil.getTimestampFormat(options)) : null;
    }
}
