package millstream;

import java.util.Set;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Makes the format 'checked-avro': Avro, where a record that cannot be read is a row as well. */
public class CheckedAvroFactory implements DeserializationFormatFactory {

    private final QuickAvroFactory quick = new QuickAvroFactory();

    public String factoryIdentifier() {
        return "checked-avro";
    }

    public Set requiredOptions() {
        return quick.requiredOptions();
    }

    public Set optionalOptions() {
        return quick.optionalOptions();
    }

    public DecodingFormat createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig given) {
        final ReadableConfig options = given;
        final DecodingFormat format = quick.reading(context).createDecodingFormat(context, options);
        return new CheckedFormat() {

            CheckedReader reader(
                    DynamicTableSource.Context context, DataType columns, TypeInformation type, String[] metadata) {
                RowType row = (RowType) columns.getLogicalType();
                DeserializationSchema flinks = (DeserializationSchema) format.createRuntimeDecoder(context, columns);
                return new CheckedAvro(flinks, quick.reader(row, options), row, type, metadata);
            }
        };
    }
}
