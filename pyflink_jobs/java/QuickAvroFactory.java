package millstream;

import static org.apache.flink.formats.avro.AvroFormatOptions.AVRO_ENCODING;
import static org.apache.flink.formats.avro.AvroFormatOptions.AVRO_TIMESTAMP_LEGACY_MAPPING;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'quick-avro'. */
public class QuickAvroFactory extends QuickFactory {

    public QuickAvroFactory() {
        super("avro");
    }

    @Override
    DeserializationSchema<RowData> quickened(
            DeserializationSchema<RowData> decoder, RowType row, ReadableConfig options) {
        return new AvroRows(
                row, decoder.getProducedType(), options.get(AVRO_ENCODING), options.get(AVRO_TIMESTAMP_LEGACY_MAPPING));
    }
}
