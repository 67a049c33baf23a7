package millstream;

import java.util.HashSet;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonFormatOptions;
import org.apache.flink.formats.json.JsonFormatOptionsUtil;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'checked-json': JSON that is read strictly, and where a record that cannot be read is a row as well. */
public class CheckedJsonFactory implements DeserializationFormatFactory {

    public String factoryIdentifier() {
        return "checked-json";
    }

    public Set requiredOptions() {
        return new HashSet();
    }

    public Set optionalOptions() {
        Set options = new HashSet();
        options.add(JsonFormatOptions.FAIL_ON_MISSING_FIELD);
        options.add(JsonFormatOptions.TIMESTAMP_FORMAT);
        options.add(JsonFormatOptions.IGNORE_PARSE_ERRORS); // 'false' is what it does
        return options;
    }

    public DecodingFormat createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        JsonFormatOptionsUtil.validateDecodingFormatOptions(options);
        final boolean complete = ((Boolean) options.get(JsonFormatOptions.FAIL_ON_MISSING_FIELD)).booleanValue();
        final TimestampFormat timestamps = JsonFormatOptionsUtil.getTimestampFormat(options);
        return new CheckedFormat() {

            CheckedReader reader(
                    DynamicTableSource.Context context, DataType columns, TypeInformation type, String[] metadata) {
                return new CheckedJson((RowType) columns.getLogicalType(), type, complete, timestamps, metadata);
            }
        };
    }
}
