package millstream;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.utils.DataTypeUtils;

/** Makes a format of Flink's one where a record that cannot be read is a row as well; `checked-csv` of `csv`. */
abstract class CheckedFactory extends FlinkFormat implements DeserializationFormatFactory {

    /** What a checked format has beside a record's columns: why it could not be read, and its bytes. */
    private static final Map<String, DataType> METADATA = new LinkedHashMap<>();

    static {
        METADATA.put("error", DataTypes.STRING());
        METADATA.put("record", DataTypes.BYTES());
    }

    CheckedFactory(String name) {
        super("checked-", name);
    }

    /** Return what reads records that are all valid: this format's, unless a factory has one of its own. */
    DecodingFormat<DeserializationSchema<RowData>> decodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        return reading().createDecodingFormat(context, options);
    }

    /** Return whether a decoder may keep something of a record that it could not read. */
    boolean keepsState() {
        return true;
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        return new Checked(decodingFormat(context, options));
    }

    private class Checked implements DecodingFormat<DeserializationSchema<RowData>> {

        private final DecodingFormat<DeserializationSchema<RowData>> format;
        private List<String> metadata = List.of();

        Checked(DecodingFormat<DeserializationSchema<RowData>> format) {
            this.format = format;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return format.getChangelogMode();
        }

        @Override
        public Map<String, DataType> listReadableMetadata() {
            return METADATA;
        }

        @Override
        public void applyReadableMetadata(List<String> keys) {
            metadata = keys;
        }

        @Override
        public DeserializationSchema<RowData> createRuntimeDecoder(DynamicTableSource.Context context, DataType columns) {
            List<DataTypes.Field> fields = new ArrayList<>();
            metadata.forEach(key -> fields.add(DataTypes.FIELD("_" + key, METADATA.get(key))));
            return new CheckedDecoder(
                    format.createRuntimeDecoder(context, columns),
                    keepsState(),
                    DataType.getFieldCount(columns),
                    context.createTypeInformation(DataTypeUtils.appendRowFields(columns, fields)),
                    metadata.toArray(String[]::new));
        }
    }
}
