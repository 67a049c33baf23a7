package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.format.EncodingFormat;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.SerializationFormatFactory;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** Makes a format of Flink's with its options that reads the same rows in less time; Flink's encoder writes. */
abstract class QuickFactory extends FlinkFormat implements DeserializationFormatFactory, SerializationFormatFactory {

    QuickFactory(String name) {
        super("quick-", name);
    }

    /** Return what reads records of these columns in less time than Flink's `decoder`, or that itself. */
    abstract DeserializationSchema<RowData> quickened(
            DeserializationSchema<RowData> decoder, RowType row, ReadableConfig options);

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context factory, ReadableConfig options) {
        DecodingFormat<DeserializationSchema<RowData>> flinks = reading().createDecodingFormat(factory, options);
        return new DecodingFormat<>() {

            @Override
            public ChangelogMode getChangelogMode() {
                return flinks.getChangelogMode();
            }

            @Override
            public DeserializationSchema<RowData> createRuntimeDecoder(
                    DynamicTableSource.Context context, DataType columns) {
                return quickened(flinks.createRuntimeDecoder(context, columns), (RowType) columns.getLogicalType(), options);
            }
        };
    }

    @Override
    public EncodingFormat<SerializationSchema<RowData>> createEncodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        EncodingFormat<SerializationSchema<RowData>> flinks = writing().createEncodingFormat(context, options);
        return new EncodingFormat<>() {

            @Override
            public ChangelogMode getChangelogMode() {
                return flinks.getChangelogMode();
            }

            @Override
            public SerializationSchema<RowData> createRuntimeEncoder(
                    DynamicTableSink.Context context, DataType columns) {
                return written(flinks.createRuntimeEncoder(context, columns), (RowType) columns.getLogicalType());
            }
        };
    }

    /** Return what writes records of these columns: Flink's `encoder`, or something before it. */
    SerializationSchema<RowData> written(SerializationSchema<RowData> encoder, RowType row) {
        return encoder;
    }
}
