package millstream;

import static org.apache.flink.formats.json.JsonFormatOptions.FAIL_ON_MISSING_FIELD;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonFormatOptionsUtil;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'checked-json', which reads JSON more strictly than Flink. */
public class CheckedJsonFactory extends CheckedFactory {

    public CheckedJsonFactory() {
        super("json");
    }

    @Override
    DecodingFormat<DeserializationSchema<RowData>> decodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        JsonFormatOptionsUtil.validateDecodingFormatOptions(options);
        boolean complete = options.get(FAIL_ON_MISSING_FIELD);
        TimestampFormat timestamps = JsonFormatOptionsUtil.getTimestampFormat(options);
        return new DecodingFormat<>() {

            @Override
            public ChangelogMode getChangelogMode() {
                return ChangelogMode.insertOnly();
            }

            @Override
            public DeserializationSchema<RowData> createRuntimeDecoder(
                    DynamicTableSource.Context context, DataType columns) {
                RowType row = (RowType) columns.getLogicalType();
                TypeInformation<RowData> type = context.createTypeInformation(columns);
                return new QuickJson(row, complete, timestamps, new StrictJson(row, type, complete, timestamps));
            }
        };
    }

    @Override
    boolean keepsState() {
        return false; // each record has a parser of its own
    }
}
