package millstream;

import static org.apache.flink.formats.json.JsonFormatOptions.FAIL_ON_MISSING_FIELD;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.json.JsonFormatOptionsUtil;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'quick-json'. */
public class QuickJsonFactory extends QuickFactory {

    public QuickJsonFactory() {
        super("json");
    }

    @Override
    DeserializationSchema<RowData> quickened(
            DeserializationSchema<RowData> decoder, RowType row, ReadableConfig options) {
        return new QuickJson(
                row, options.get(FAIL_ON_MISSING_FIELD), JsonFormatOptionsUtil.getTimestampFormat(options), decoder);
    }

    @Override
    SerializationSchema<RowData> written(SerializationSchema<RowData> encoder, RowType row) {
        return FiniteNumbers.writtenBy(encoder, row);
    }
}
