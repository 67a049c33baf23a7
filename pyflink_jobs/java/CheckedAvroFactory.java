package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableFactory;

/** Makes the format 'checked-avro'. */
public class CheckedAvroFactory extends CheckedFactory {

    public CheckedAvroFactory() {
        super("avro");
    }

    @Override
    DecodingFormat<DeserializationSchema<RowData>> decodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        return new QuickAvroFactory().createDecodingFormat(context, options);
    }

    @Override
    boolean keepsState() {
        return false; // AvroRows reads each record alone
    }
}
